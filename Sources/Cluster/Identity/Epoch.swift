/// The number of a right to write: it grows by one with each session that gets it, and only one session ever has it.
///
/// 0 is before the first one.
public struct Epoch: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    /// Takes a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Before the first one.
    public static let zero = Epoch(rawValue: 0)

    /// The one after this one. The highest 64-bit number is its own successor, so that a hostile lease cannot trap.
    public var next: Epoch { Epoch(rawValue: rawValue == .max ? .max : rawValue + 1) }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

    public var description: String { "\(rawValue)" }
}
