/// A reading of this host's clock that also counts while the host sleeps (that of `ContinuousClock`).
///
/// Moments of two hosts, or of two boots, have nothing to do with each other and are never compared.
public struct Moment: Hashable, Comparable, Sendable {
    /// The time since the clock's zero, which does not move during a boot.
    public let reading: Duration

    /// Takes a reading.
    public init(reading: Duration) { self.reading = reading }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.reading < rhs.reading }

    /// The moment some time later.
    public static func + (moment: Self, time: Duration) -> Self { Moment(reading: moment.reading + time) }

    /// The time from `earlier` to `later`.
    public static func - (later: Self, earlier: Self) -> Duration { later.reading - earlier.reading }
}
