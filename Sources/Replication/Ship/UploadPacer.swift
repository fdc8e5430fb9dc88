/// Decides when a transaction file may be closed and shipped, so that requests stay under a ceiling.
///
/// A bucket holds a few uploads and gains one each interval: a commit after a pause is shipped at once, a steady
/// stream of commits at most once an interval. Times are of one monotonic clock.
struct UploadPacer: Sendable {
    /// How many uploads may follow each other at once after a pause.
    static let burst = 3.0

    /// The average interval between uploads.
    let interval: Duration
    private var tokens = Self.burst
    private var updated: ContinuousClock.Instant

    init(interval: Duration, now: ContinuousClock.Instant) {
        (self.interval, updated) = (interval, now)
    }

    /// When the next upload may begin: now or later.
    func nextUpload(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let missing = 1 - available(at: now)
        return missing <= 0 ? now : now + interval * missing
    }

    /// Notes that an upload begins.
    mutating func spend(at now: ContinuousClock.Instant) {
        tokens = max(0, available(at: now) - 1)
        updated = now
    }

    private func available(at now: ContinuousClock.Instant) -> Double {
        let elapsed = updated.duration(to: now)
        return interval > .zero ? min(Self.burst, tokens + elapsed / interval) : Self.burst
    }
}
