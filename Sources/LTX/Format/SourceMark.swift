/// What this project adds to a transaction file: the checksum of the database it leads to.
///
/// The mark lies in the header's reserved bytes 80 to 99, which Litestream ignores: `SRC1`, the checksum, the epoch, both
/// big-endian. Files that Litestream wrote have zeros there.
public struct SourceMark: Hashable, Sendable {
    /// The database checksum after this file; see ``DatabaseChecksum``.
    public let checksum: UInt64
    /// The epoch in which the file was written; 0 outside a cluster.
    public let epoch: UInt64

    /// Creates a mark.
    public init(checksum: UInt64, epoch: UInt64 = 0) { (self.checksum, self.epoch) = (checksum, epoch) }

    /// `SRC1` in ASCII.
    static let magic: UInt32 = 0x5352_4331
}
