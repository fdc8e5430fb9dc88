public import SystemPackage

/// One entry of `dbs`: a database, how it is watched, and where it is replicated to.
public struct DatabaseConfiguration: Hashable, Sendable {
    /// `path`, path, required: the database file; absolute and without `..` when it comes from a configuration file.
    public var path: FilePath

    /// `meta-path`, path, default `.NAME-litestream` beside the database: the folder of the replication's own state,
    /// the same as Litestream's.
    public var metaPath: FilePath

    /// `monitor-interval`, duration > 0, default `30s` (Litestream: 1s): the slow poll.
    ///
    /// Changes are noticed at once by other means; this bounds how late one is noticed where those fail (network file
    /// systems, for instance).
    public var monitorInterval: Duration = .seconds(30)

    /// `checkpoint-interval`, duration ≥ 0, default `1m`: the longest wait before a rotation of the write-ahead log is
    /// tried again, while a reader stands in its way. Zero is the default.
    public var checkpointInterval: Duration = .seconds(60)

    /// `busy-timeout`, duration ≥ 0, default `1s`: how long SQLite's locks are waited for.
    public var busyTimeout: Duration = .seconds(1)

    /// `min-checkpoint-page-count`, pages ≥ 1, default 16 MiB of them: the length of the write-ahead log at which a
    /// rotation is tried. A quiet database's log is emptied however short it is.
    public var minCheckpointPageCount: Int?

    /// `truncate-page-n`, pages, default 121359: the length of the write-ahead log at which a warning is logged.
    ///
    /// Litestream blocks writers there with a TRUNCATE checkpoint; nothing is blocked here. Zero is the default,
    /// negative is off. The 0.3 key `max-checkpoint-page-count` sets it where it is not given.
    public var truncatePageN = 121_359

    /// `max-sync-wal-bytes`, bytes ≥ 0, default 16777216: the memory for pages that are captured and not yet shipped;
    /// when it is full they are closed into a file of their own. Zero is the default.
    public var maxSyncWALBytes: Int64?

    /// `restore-if-db-not-exists`, bool, default false: restore before replication starts if there is no database
    /// file. An empty replica is fine then.
    public var restoreIfDatabaseNotExists = false

    /// `replica`, or the only entry of `replicas`; required: where the database is replicated to.
    public var replica: ReplicaConfiguration

    /// Creates the configuration of a database, all else at its default.
    ///
    /// - Parameters:
    ///   - path: The database file.
    ///   - replica: Where it goes.
    public init(path: FilePath, replica: ReplicaConfiguration) {
        self.path = path
        self.replica = replica
        metaPath = Self.defaultMetaPath(for: path)
    }

    /// The folder of the replication's own state where none is set: `.NAME-litestream` beside the database.
    public static func defaultMetaPath(for path: FilePath) -> FilePath {
        let name = path.lastComponent?.string ?? ""
        return path.removingLastComponent().appending(".\(name)-litestream")
    }
}
