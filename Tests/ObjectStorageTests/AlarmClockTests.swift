import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

@Suite("Alarm clock") struct AlarmClockTests {
    @Test("Alarms come in the order of their moments, none before its moment, and cancelled ones do not come")
    func order() async throws {
        let clock = AlarmClock()
        let start = ContinuousClock.now
        let called = Mutex<[Int]>([])
        let early = Mutex(0)
        var random = SeededGenerator(seed: 5)
        let numbers = (0..<40).shuffled(using: &random)
        await withCheckedContinuation { continuation in
            for number in numbers {
                let moment = start + .milliseconds(20 + number * 3)
                let alarm = clock.call(at: moment) {
                    if ContinuousClock.now < moment { early.withLock { $0 += 1 } }
                    called.withLock { $0.append(number) }
                    if number == 39 { continuation.resume() }
                }
                if number % 5 == 2 { clock.cancel(alarm) }
            }
        }
        #expect(called.withLock(\.self) == (0..<40).filter { $0 % 5 != 2 })
        #expect(early.withLock(\.self) == 0)
    }

    @Test("An alarm that is set while the clock waits for a later one comes in time")
    func earlier() async throws {
        let clock = AlarmClock()
        clock.call(at: .now + .seconds(3600)) {}
        await withCheckedContinuation { continuation in
            clock.call(at: .now + .milliseconds(10)) { continuation.resume() }
        }
    }

    @Test("A shared moment is the same for all that lie within its interval, and not before any of them")
    func shared() {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<1000 {
            let moment = ContinuousClock.now + .nanoseconds(Int64.random(in: 0...10_000_000_000, using: &random))
            let shared = AlarmClock.shared(moment, every: .milliseconds(40))
            #expect(shared >= moment && moment.duration(to: shared) < .milliseconds(40) + .microseconds(1))
            let again = AlarmClock.shared(shared - .milliseconds(1), every: .milliseconds(40))
            #expect(again == shared)
        }
    }

    @Test("A pause that is cancelled ends at once")
    func cancelled() async {
        let pause = Task { try await Pause.sleep(for: .seconds(3600)) }
        pause.cancel()
        await #expect(throws: CancellationError.self) { try await pause.value }
    }
}
