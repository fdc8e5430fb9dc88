public import SystemPackage

/// What ``Commands/restore(_:logger:progress:)`` is asked for.
public struct RestoreRequest: Sendable {
    /// What SQLite is to check in the result.
    public enum IntegrityCheck: String, Sendable, CaseIterable {
        /// Nothing: the checksums of all files were verified.
        case none
        /// `PRAGMA quick_check`.
        case quick
        /// `PRAGMA integrity_check`.
        case full
    }

    /// Where the database comes from.
    public var replica: ReplicaConfiguration
    /// Where it goes.
    public var output: FilePath
    /// Exactly this transaction; `nil` for no limit.
    public var txid: UInt64?
    /// The newest state before this moment, in milliseconds since 1970; `nil` for no limit.
    public var timestampMilliseconds: Int64?
    /// How many parts are fetched and decoded side by side.
    public var parallelism = 8
    /// Do nothing if the output exists.
    public var ifDatabaseNotExists = false
    /// Do nothing if the replica holds nothing.
    public var ifReplicaExists = false
    /// Only make a plan.
    public var isDryRun = false
    /// Replace an output that exists.
    public var force = false
    /// What SQLite is to check in the result.
    public var integrityCheck = IntegrityCheck.none

    /// Asks for the newest state.
    public init(replica: ReplicaConfiguration, output: FilePath) { (self.replica, self.output) = (replica, output) }
}

/// A file of a replica, as it is listed.
public struct ListedFile: Hashable, Sendable {
    /// The level, 0 to 9.
    public var level: Int
    /// Its key in the store.
    public var name: String
    /// Its first transaction.
    public var minTXID: UInt64
    /// Its last transaction.
    public var maxTXID: UInt64
    /// Its size in bytes.
    public var byteCount: Int64
    /// Its date, in milliseconds since 1970.
    public var createdMilliseconds: Int64
}

/// What a restore has led to.
public enum RestoreAnswer: Sendable {
    /// The database is there, at this transaction.
    case restored(txid: UInt64, took: Duration)
    /// What would be fetched, in order.
    case planned([ListedFile])
    /// The output exists, and that was to be left alone.
    case skippedDatabaseExists
    /// The replica holds nothing, and that was allowed.
    case skippedNoBackup
}
