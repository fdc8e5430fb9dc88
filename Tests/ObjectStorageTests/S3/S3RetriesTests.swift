import Testing

@testable import ObjectStorage

@Suite struct S3RetriesTests {
    let start = ContinuousClock.now

    @Test("Pauses double from the first to the longest, in the upper half of each")
    func pauses() {
        var policy = S3RetryPolicy()
        (policy.firstDelay, policy.longestDelay) = (.milliseconds(100), .milliseconds(500))
        for (chance, expected) in [(1.0, [100, 200, 400, 500, 500]), (0.0, [50, 100, 200, 250, 250])] {
            var retries = S3Retries(policy, now: start)
            let pauses = (0..<5).compactMap { _ in retries.pause(now: start, retryAfter: nil, chance: chance) }
            #expect(pauses == expected.map { .milliseconds($0) })
            #expect(retries.attempts == 6)
        }
    }

    @Test("Attempts and time have limits, and progress sets both back")
    func limits() {
        var policy = S3RetryPolicy()
        (policy.maximumAttempts, policy.maximumTime) = (3, .seconds(10))
        var retries = S3Retries(policy, now: start)
        #expect(retries.pause(now: start, retryAfter: nil, chance: 1) != nil)
        #expect(retries.pause(now: start, retryAfter: nil, chance: 1) != nil)
        #expect(retries.pause(now: start, retryAfter: nil, chance: 1) == nil)
        retries.progressed(now: start + .seconds(100))
        #expect(retries.pause(now: start + .seconds(101), retryAfter: nil, chance: 1) == .milliseconds(100))
        #expect(retries.pause(now: start + .seconds(110), retryAfter: nil, chance: 1) == nil)
        var never = S3Retries(.never, now: start)
        #expect(never.pause(now: start, retryAfter: nil, chance: 1) == nil)
    }

    @Test("The server's wish for a pause counts, up to the longest")
    func retryAfter() {
        var retries = S3Retries(S3RetryPolicy(), now: start)
        #expect(retries.pause(now: start, retryAfter: .seconds(3), chance: 0) == .seconds(3))
        #expect(retries.pause(now: start, retryAfter: .seconds(3000), chance: 0) == .seconds(20))
        #expect(retries.pause(now: start, retryAfter: .zero, chance: 0) == .milliseconds(200))
    }

    @Test("Places are given out up to the limit, in turn, and a cancelled task gets none", .timeLimit(.minutes(1)))
    func limiter() async throws {
        let limiter = ConnectionLimiter(3)
        let (stream, continuation) = AsyncStream<Int>.makeStream()
        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    _ = await limiter.withPlace {
                        continuation.yield(1)
                        await Task.yield()
                        continuation.yield(-1)
                    }
                }
            }
            await group.waitForAll()
        }
        continuation.finish()
        var (inside, most) = (0, 0)
        for await step in stream {
            inside += step
            most = max(most, inside)
        }
        #expect(inside == 0 && most <= 3)

        let one = ConnectionLimiter(1)
        let outcome = await one.withPlace {
            let waiting = Task { await one.withPlace { true } }
            await Task.yield()
            waiting.cancel()
            return await waiting.value
        }
        #expect(outcome == .some(.none))
        #expect(await one.withPlace { true } == true)
    }
}
