/// How often commits have come lately.
///
/// A database with commits every few hundred milliseconds is not quiet between them: making its log ready to begin
/// anew each time would cost more than the commits.
struct CommitRhythm: Sendable {
    private static let longest = Duration.seconds(2)

    private var last: ContinuousClock.Instant
    private var average = Self.longest
    private var total = 0

    init(now: ContinuousClock.Instant) { last = now }

    /// Whether commits come more often than once a second.
    var isSteady: Bool { average < .seconds(1) }

    /// Whether commits come so fast that the log grows long in the time of a look or two.
    var isDense: Bool { average < .milliseconds(25) }

    /// Notes how many commits there were until now in all. Returns how long ago something was noted.
    @discardableResult
    mutating func note(total: Int, at now: ContinuousClock.Instant) -> Duration {
        let gap = last.duration(to: now)
        let commits = total - self.total
        self.total = total
        let each = min(gap / max(commits, 1), Self.longest)
        // Many at once weigh as much as if each had been seen.
        let old = commits < 8 ? Self.weights[max(commits, 1)] : 0
        average = average * old + each * (1 - old)
        last = now
        return gap
    }

    /// 0.75 to the power of the index.
    private static let weights = [1, 0.75, 0.5625, 0.421875, 0.3164, 0.2373, 0.178, 0.1335]
}
