/// Everything that a replicating process is told: which databases go where, how often, and what is kept.
///
/// Read one from a file with ``ConfigurationFile/load(path:expandEnvironment:environment:)``, or make one in code:
///
/// ```swift
/// var configuration = ReplicationConfiguration()
/// configuration.databases = [
///     DatabaseConfiguration(path: "/data/app.db", replica: .folder("/backup/app"))
/// ]
/// try configuration.validate()
/// ```
///
/// The file is Litestream 0.5's `litestream.yml`; each property names its key. Durations in the file are texts such as
/// `1h30m` with the units `ns us µs ms s m h`.
public struct ReplicationConfiguration: Hashable, Sendable {
    /// `dbs`, list, default empty: the databases to replicate.
    public var databases: [DatabaseConfiguration] = []

    /// `levels[].interval`, list of durations > 0, at most 8, default `30s`, `5m`, `1h`: how often files are merged
    /// into level 1, 2, …; an empty list merges nothing.
    public var levels: [Duration] = [.seconds(30), .seconds(300), .seconds(3600)]

    /// `snapshot`: how often a whole copy is made, and how long copies are kept.
    ///
    /// A `snapshot` of a database, or the 0.3 keys `snapshot-interval` and `retention` of a replica, count for all
    /// databases where the top level says nothing, and must agree with each other.
    public var snapshot = SnapshotConfiguration()

    /// `retention-check-interval` (of a replica, a key of 0.3), duration > 0, default none: how often files that are
    /// past `snapshot.retention` are looked for, besides after every snapshot. The shortest one counts.
    public var retentionCheckInterval: Duration?

    /// `l0-retention`, duration ≥ 0, default `5m`: how long a level-0 file stays after it was merged into level 1.
    /// Zero keeps all.
    public var l0Retention: Duration = .seconds(300)

    /// `l0-retention-check-interval`, duration > 0, default `15s`: how often level-0 files past their time are looked
    /// for.
    public var l0RetentionCheckInterval: Duration = .seconds(15)

    /// `retention.enabled`, bool, default true: whether files are deleted from the replica at all. Set it to false
    /// where the store's own lifecycle rules delete.
    public var retentionEnabled = true

    /// `verify-compaction`, bool, default false: whether the chain of a level is checked again after every merge.
    /// A merged file itself is always read back before its sources go, whatever this says.
    public var verifyCompaction = false

    /// `validation.interval`, duration, default off: how often each replica is restored to a temporary file and compared
    /// with what was captured (Litestream only checks the names of the files). Zero in the file is off.
    public var validationInterval: Duration?

    /// `heartbeat-url`, `http://` or `https://`, default none: is requested (GET) while all databases are replicated.
    public var heartbeatURL: String?

    /// `heartbeat-interval`, duration ≥ `1m`, default `5m`: how often ``heartbeatURL`` is requested.
    public var heartbeatInterval: Duration = .seconds(300)

    /// `shutdown-sync-timeout`, duration ≥ 0, default `30s`: how long a stop waits until everything is shipped. Zero is
    /// one attempt.
    public var shutdownSyncTimeout: Duration = .seconds(30)

    /// `shutdown-sync-interval`, duration > 0, default `500ms`: the pause between two attempts of a stop.
    public var shutdownSyncInterval: Duration = .milliseconds(500)

    /// `logging`: how much is logged, and in which form.
    public var logging = LoggingConfiguration()

    /// `cluster`: how this process takes part in a cluster of nodes; `nil`, the default: it does not.
    public var cluster: ClusterConfiguration?

    /// `service`: what runs in one process with the replication.
    public var service = ServiceConfiguration()

    /// `exec`, command, default none: a program that is run beside the replication, split into words as a shell does.
    ///
    /// `replicate` starts it once the databases are captured and ends with it; with ``cluster`` it runs only while this
    /// node is primary, and is started again when it ends.
    public var exec: String?

    /// Creates a configuration with all defaults and no database.
    public init() {}
}

/// `snapshot`: how often a whole copy of each database is made, and how long copies are kept.
public struct SnapshotConfiguration: Hashable, Sendable {
    /// `snapshot.interval`, duration > 0, default `24h`.
    public var interval: Duration = .seconds(86_400)

    /// `snapshot.retention`, duration > 0, default `24h`: the age past which a snapshot, and what only it needs, is
    /// deleted. The newest snapshot always stays.
    public var retention: Duration = .seconds(86_400)

    /// Creates the defaults.
    public init() {}
}

/// `logging`: how much is logged, and in which form.
public struct LoggingConfiguration: Hashable, Sendable {
    /// How much is logged, from most to least.
    public enum Level: String, Hashable, Sendable, CaseIterable {
        case trace, debug, info, warn, error
    }

    /// The form of a log line.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// `key=value` pairs.
        case text
        /// One JSON object a line.
        case json
        /// For eyes: aligned, coloured on a terminal.
        case pretty
    }

    /// `logging.level`, default `info`. `-log-level` and the environment's `LOG_LEVEL` go before it.
    public var level: Level = .info
    /// `logging.type`, default `text`.
    public var type: Format = .text
    /// `logging.stderr`, bool, default false: log to standard error instead of standard output.
    public var stderr = false
    /// `logging.source`, bool, default false: add file and line of the program's source.
    public var source = false

    /// Creates the defaults.
    public init() {}
}
