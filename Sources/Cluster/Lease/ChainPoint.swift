public import LTX

/// A place in a database's history: how many transactions led there, and the checksum of the database then.
///
/// Two places with the same checksum hold the same pages; see ``LTX/DatabaseChecksum``.
public struct ChainPoint: Hashable, Sendable, CustomStringConvertible {
    /// The newest transaction's number; 0 before the first one.
    public var number: UInt64
    /// The checksum of the database after it; 0 before the first one.
    public var checksum: UInt64

    /// Creates a place from what is known of it.
    public init(number: UInt64, checksum: UInt64) { (self.number, self.checksum) = (number, checksum) }

    /// Before the first transaction.
    public static let start = ChainPoint(number: 0, checksum: 0)

    /// The newest transaction; `nil` before the first one.
    public var transaction: TransactionID? { TransactionID(exactly: number) }

    public var description: String { transaction?.description ?? "the beginning" }
}

/// What a level-0 file says of itself in its header and trailer; equal marks are equal files (failover-review N2).
public struct FileMark: Hashable, Sendable {
    /// The transaction, and the database's checksum after it.
    public var point: ChainPoint
    /// Who wrote it.
    public var node: NodeID
    /// In which epoch.
    public var epoch: Epoch
    /// The checksum of all its bytes.
    public var fileChecksum: UInt64

    /// Creates a mark from what was read.
    public init(point: ChainPoint, node: NodeID, epoch: Epoch, fileChecksum: UInt64) {
        (self.point, self.node, self.epoch, self.fileChecksum) = (point, node, epoch, fileChecksum)
    }
}
