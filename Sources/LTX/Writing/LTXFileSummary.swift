/// What is known of a transaction file after it was written, or read to its end.
public struct LTXFileSummary: Hashable, Sendable {
    /// The header.
    public let header: LTXHeader
    /// The size of the file in bytes.
    public let byteCount: Int64
    /// How many pages it holds.
    public let pageCount: Int
    /// The checksum in its trailer.
    public let fileChecksum: UInt64
    /// The checksum of the database after the file, where the file holds every page but the lock page; see
    /// ``DatabaseChecksum``.
    public let databaseChecksum: UInt64?
}
