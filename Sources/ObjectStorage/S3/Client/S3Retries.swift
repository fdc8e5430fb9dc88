/// Counts the attempts at one request and tells when the next one is due. Pure: time and chance come from outside.
struct S3Retries {
    private let policy: S3RetryPolicy
    private var start: ContinuousClock.Instant
    private var attemptsSinceProgress = 1
    /// All attempts so far.
    private(set) var attempts = 1

    init(_ policy: S3RetryPolicy, now: ContinuousClock.Instant) { (self.policy, start) = (policy, now) }

    /// The pause before the next attempt; `nil` if there shall be none.
    ///
    /// - Parameters:
    ///   - now: When the last attempt ended.
    ///   - retryAfter: The pause that the server asked for; it counts up to the policy's longest.
    ///   - chance: From 0 to 1: where in the upper half of the pause it ends, so that clients do not march in step.
    mutating func pause(now: ContinuousClock.Instant, retryAfter: Duration?, chance: Double) -> Duration? {
        guard attemptsSinceProgress < policy.maximumAttempts else { return nil }
        let doublings = min(attemptsSinceProgress - 1, 30)
        let full = min(policy.firstDelay * (1 << doublings), policy.longestDelay)
        let pause = max(full * (0.5 + chance / 2), min(retryAfter ?? .zero, policy.longestDelay))
        guard start.duration(to: now) + pause <= policy.maximumTime else { return nil }
        attemptsSinceProgress += 1
        attempts += 1
        return pause
    }

    /// Bytes have come: the limits count from here.
    mutating func progressed(now: ContinuousClock.Instant) { (attemptsSinceProgress, start) = (1, now) }
}
