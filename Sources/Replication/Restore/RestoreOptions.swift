public import SystemPackage

/// How a restore is carried out.
public struct RestoreOptions: Sendable {
    /// Whether an existing output and the files beside it that SQLite would take for a part of it (`-wal`, `-shm`,
    /// `-journal`) are replaced. They are removed once the new database is complete and verified, not before.
    public var replacesOutput: Bool
    /// How many parts of files are fetched or decoded at a time, 1 to 64.
    public var parallelism: Int
    /// Looks into the restored database before it gets its name: the path of the database, to be opened and closed
    /// again; the answer is what was found wrong, nothing if all is well. May block, it is called on a thread.
    public var integrityCheck: (@Sendable (FilePath) throws -> [String])?
    /// Told of progress, not more often than once for each MiB or file read. Called from one task at a time.
    public var progress: (@Sendable (RestoreProgress) -> Void)?

    /// Creates options.
    public init(
        replacesOutput: Bool = false,
        parallelism: Int = 8,
        integrityCheck: (@Sendable (FilePath) throws -> [String])? = nil,
        progress: (@Sendable (RestoreProgress) -> Void)? = nil
    ) {
        self.replacesOutput = replacesOutput
        self.parallelism = Swift.min(64, Swift.max(1, parallelism))
        (self.integrityCheck, self.progress) = (integrityCheck, progress)
    }
}

/// How far a restore has come.
public struct RestoreProgress: Hashable, Sendable {
    /// Bytes of the replica's files that were read and decoded.
    public let bytesDone: Int64
    /// Bytes to read in all. It changes when files of the plan were merged meanwhile and another plan was made.
    public let bytesInAll: Int64
    /// Files that were read to their end and whose checksums fit.
    public let filesDone: Int
    /// Files in the plan.
    public let filesInAll: Int
}
