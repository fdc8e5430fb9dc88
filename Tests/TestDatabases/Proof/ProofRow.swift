import Crypto

/// A row of the table `proof`, which proves all rows before it.
///
///     proof(n INTEGER PRIMARY KEY, node TEXT, epoch INTEGER, at INTEGER, sum BLOB)
///
/// `sum` is a hash of the sum of the row before and of what this one holds. So two databases that hold the same row hold
/// the same rows up to there, and a row that is missing or replaced shows in all later ones.
public struct ProofRow: Hashable, Sendable {
    /// Its number, from 1 without a gap.
    public var n: Int64
    /// Who wrote it.
    public var node: String
    /// In which epoch.
    public var epoch: Int64
    /// When, by the clock that counts nanoseconds since the boot.
    public var at: Int64
    /// The hash.
    public var sum: [UInt8]

    /// Takes what was read.
    public init(n: Int64, node: String, epoch: Int64, at: Int64, sum: [UInt8]) {
        (self.n, self.node, self.epoch, self.at, self.sum) = (n, node, epoch, at, sum)
    }

    /// Makes the row that follows another one; `nil`: the first.
    public init(after last: (n: Int64, sum: [UInt8])?, node: String, epoch: Int64, at: Int64) {
        (n, self.node, self.epoch, self.at) = ((last?.n ?? 0) + 1, node, epoch, at)
        sum = []
        sum = expectedSum(after: last?.sum)
    }

    /// What the hash must be after a row with this one.
    public func expectedSum(after previous: [UInt8]?) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: previous ?? [])
        hash.update(data: Array("|\(n)|\(node)|\(epoch)|\(at)".utf8))
        return Array(hash.finalize())
    }

    /// The hash as text.
    public var hexadecimalSum: String { Self.hexadecimal(sum) }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The statement that makes the table.
    public static let table =
        "CREATE TABLE IF NOT EXISTS proof(n INTEGER PRIMARY KEY, node TEXT, epoch INTEGER, at INTEGER, sum BLOB)"
    /// The statement that adds a row.
    public static let insertion = "INSERT INTO proof(n, node, epoch, at, sum) VALUES (?, ?, ?, ?, ?)"
    /// The statement that finds the last row's number and sum.
    public static let last = "SELECT n, sum FROM proof ORDER BY n DESC LIMIT 1"
}
