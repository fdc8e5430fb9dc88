/// What a restore has led to.
public struct RestoreResult: Hashable, Sendable {
    /// The plan that was carried out; another one than the first if files were merged meanwhile.
    public let plan: RestorePlan
    /// The database's page size in bytes.
    public let pageSize: Int
    /// The database's size in pages.
    public let pageCount: UInt32
    /// The checksum of the restored database, as `DatabaseChecksum` defines it.
    public let databaseChecksum: UInt64
    /// Whether the last file named the checksum of the database it leads to, and it is this one.
    ///
    /// Files of this project do; Litestream's do not.
    public let isMarkVerified: Bool
    /// How many files on the way named the checksum of the state after them and were compared with it as well.
    public let verifiedMarkCount: Int

    /// The database's size in bytes.
    public var byteCount: Int64 { Int64(pageSize) * Int64(pageCount) }
}
