/// How often commits have come lately.
///
/// A database with commits every few hundred milliseconds is not quiet between them: making its log ready to begin
/// anew each time would cost more than the commits.
struct CommitRhythm: Sendable {
    private static let longest = Duration.seconds(10)

    private var last: ContinuousClock.Instant
    private var average = Self.longest

    init(now: ContinuousClock.Instant) { last = now }

    /// Whether commits come more often than once a second.
    var isSteady: Bool { average < .seconds(1) }

    /// Notes that something was committed. Returns how long before nothing was.
    @discardableResult
    mutating func note(at now: ContinuousClock.Instant) -> Duration {
        let gap = last.duration(to: now)
        average = average * 0.75 + min(gap, Self.longest) * 0.25
        last = now
        return gap
    }
}
