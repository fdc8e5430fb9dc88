public import SystemPackage

/// How one database is replicated.
public struct DatabaseSettings: Sendable {
    /// The database file.
    public var database: FilePath
    /// Where the engine keeps its own files; `nil` for `.NAME-litestream` beside the database.
    public var metadata: FilePath?
    /// The average interval between uploads; after a pause up to ten follow each other at once.
    public var syncInterval: Duration = .seconds(1)
    /// How often to look for commits without being told of one; events of the file system tell of them at once.
    public var slowPoll: Duration = .seconds(30)
    /// The length of the write-ahead log in frames past which it is made to begin anew; `nil` for 16 MiB.
    public var softLimitFrames: UInt32?
    /// The length of the write-ahead log in frames at which a warning is logged; `nil` for none.
    public var longLogFrames: UInt32?
    /// The longest wait before that is tried again while a reader stands in its way.
    public var longestRotationDelay: Duration = .seconds(60)
    /// The memory for captured pages, in bytes; a larger transaction goes to a spill file.
    public var captureLimit = 16 << 20
    /// How many bytes of transaction files may wait for a store that is away.
    public var spoolLimit: Int64 = 1 << 30
    /// How long to wait for locks of others when attaching.
    public var busyTimeout: Duration = .seconds(5)
    /// Whether to switch a database that is not in WAL mode.
    public var switchesToWAL = false
    /// Whether the application uses the database in this very process.
    public var isInProcess = true
    /// When the levels above 0 are made.
    public var levels = LevelSettings()
    /// What is dropped, and when.
    public var retention = RetentionSettings()
    /// How long the end waits for the last uploads.
    public var shutdownTimeout: Duration = .seconds(30)
    /// The pause between attempts at the end.
    public var shutdownRetryInterval: Duration = .milliseconds(500)

    /// Takes the database; all else has defaults, those of an application that replicates its own database.
    public init(database: FilePath) { self.database = database }

    /// How the capture engine is to treat the database.
    package var capture: CaptureSettings {
        var settings = CaptureSettings(database: database)
        settings.metadata = metadata
        settings.softLimitFrames = softLimitFrames
        settings.longLogFrames = longLogFrames
        settings.longestRotationDelay = longestRotationDelay
        settings.captureLimit = captureLimit
        settings.spoolLimit = spoolLimit
        settings.busyTimeout = busyTimeout
        settings.slowPoll = slowPoll
        settings.syncInterval = syncInterval
        settings.switchesToWAL = switchesToWAL
        settings.isInProcess = isInProcess
        return settings
    }
}
