/// The name of a transaction file: the range of transactions that it holds.
///
/// Litestream matches names by `^[0-9a-f]{16}-[0-9a-f]{16}\.ltx$` and ignores all others in a folder; so does this.
public struct LTXFileName: Hashable, Sendable {
    /// The first transaction in the file.
    public let min: TransactionID
    /// The last transaction in the file.
    public let max: TransactionID

    /// Creates the name of the file with the transactions from `min` to `max`.
    ///
    /// - Precondition: `min <= max`.
    public init(min: TransactionID, max: TransactionID) {
        precondition(min <= max, "a file's transactions ascend")
        (self.min, self.max) = (min, max)
    }

    /// The transactions in the file.
    public var range: ClosedRange<TransactionID> { min...max }

    /// Whether the file begins at the first transaction, and thus holds the whole database.
    public var isSnapshot: Bool { min == .first }
}

extension LTXFileName: LosslessStringConvertible {
    /// Creates a name from its text `MIN-MAX.ltx`, without folders; `nil` for anything else.
    ///
    /// Upper case digits, a transaction 0 and a range that descends are refused.
    public init?(_ description: String) {
        let bytes = Array(description.utf8)
        guard bytes.count == 37, bytes[16] == UInt8(ascii: "-"), bytes[33...].elementsEqual(".ltx".utf8),
            let min = HexDigits.parse(bytes[..<16], allowsUpperCase: false).flatMap(TransactionID.init(exactly:)),
            let max = HexDigits.parse(bytes[17..<33], allowsUpperCase: false).flatMap(TransactionID.init(exactly:)),
            min <= max
        else { return nil }
        (self.min, self.max) = (min, max)
    }

    public var description: String { "\(min)-\(max).ltx" }
}

extension LTXFileName: Comparable {
    /// The order of a listing: by first transaction, then by last.
    public static func < (lhs: Self, rhs: Self) -> Bool { (lhs.min, lhs.max) < (rhs.min, rhs.max) }
}
