import ObjectStorage

/// The moments at which a level is due: the multiples of its interval, counted from 0001-01-01T00:00:00Z.
///
/// Litestream counts from there, as Go's clock does; so intervals that divide a day fall on whole minutes, hours and
/// midnights in UTC, and all nodes agree on them.
struct Boundaries: Hashable, Sendable {
    /// Milliseconds from 0001-01-01 to 1970-01-01.
    private static let origin: Int64 = 62_135_596_800_000

    /// In milliseconds, at least 1.
    private let interval: Int64

    init(every interval: Duration) {
        let (seconds, attoseconds) = interval.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let milliseconds = overflow ? Int64.max / 4 : min(whole, .max / 4) + attoseconds / 1_000_000_000_000_000
        self.interval = max(1, milliseconds)
    }

    /// The first boundary strictly after a moment.
    func first(after moment: Timestamp) -> Timestamp {
        // Dates far from any clock's are moved into a range in which nothing overflows.
        let bounded = min(max(moment.rawValue, -Self.origin), .max / 4)
        let count = (bounded + Self.origin) / interval + 1
        return Timestamp(rawValue: count * interval - Self.origin)
    }
}
