/// The number of a committed state in a database's history, counting from one.
///
/// The text form is 16 hexadecimal digits, lower case, so that file names and JSON strings sort in commit order:
///
/// ```swift
/// print(TransactionID(rawValue: 26))  // 000000000000001a
/// ```
public struct TransactionID: RawRepresentable, Hashable, Comparable, Sendable {
    /// The transaction number.
    public let rawValue: UInt64

    /// The first one of a history.
    public static let first = TransactionID(rawValue: 1)

    /// Creates a transaction ID from its number.
    ///
    /// - Precondition: `rawValue` is greater than zero. Use ``init(exactly:)`` for numbers from outside.
    public init(rawValue: UInt64) {
        precondition(rawValue > 0, "transaction IDs count from 1")
        self.rawValue = rawValue
    }

    /// Creates a transaction ID from a number, or returns `nil` for zero.
    public init?(exactly number: UInt64) {
        guard number > 0 else { return nil }
        rawValue = number
    }

    /// The one that follows this one.
    ///
    /// The highest 64-bit number is its own successor, so that a hostile file name cannot make this trap.
    public var next: TransactionID { TransactionID(rawValue: rawValue == .max ? .max : rawValue + 1) }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension TransactionID: LosslessStringConvertible {
    /// Creates a transaction ID from its 16 hexadecimal digits in either case, or returns `nil`.
    public init?(_ description: String) {
        guard let value = HexDigits.parse(description.utf8, allowsUpperCase: true), value > 0 else { return nil }
        rawValue = value
    }

    public var description: String { HexDigits.text(of: rawValue) }
}
