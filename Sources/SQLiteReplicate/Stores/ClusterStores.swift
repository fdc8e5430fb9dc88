public import Cluster
public import Logging
public import ObjectStorage
public import Replication
import SystemPackage

/// The stores of a cluster, as a `ClusterNode` wants them: the replica of its database, and the same place once more for
/// the lease, whose requests are sent once and do not take long.
public struct ClusterStores: Sendable {
    /// Where the chain lies.
    public let replica: Replica
    /// The same place, with a store that sends each file in one request: in parts its condition might not be honoured.
    public let creating: Replica
    /// Where the lease lies.
    public let leases: any ObjectStore
    /// Where the cluster's objects lie in both.
    public let layout: ClusterLayout
    /// The place, for people.
    public let name: String

    /// The place as a `ClusterNode` wants it.
    public var place: ClusterPlace {
        ClusterPlace(replica: replica, creating: creating, leases: leases, layout: layout)
    }

    /// Takes a folder.
    init(folder: FilePath, database: FilePath) {
        let store = FolderStore(root: folder)
        replica = Replica(store: store, layout: .folder)
        (creating, leases, layout) = (replica, store, ClusterLayout(path: ""))
        name = folder.string
    }

    /// Makes the stores; nothing is asked of them.
    ///
    /// - Parameters:
    ///   - database: The one database of a configuration's cluster.
    ///   - ttl: The lease's time to live: an answer that takes half of it helps nobody.
    ///   - logger: For the stores' own messages.
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    public init(_ database: DatabaseConfiguration, ttl: Duration, logger: Logger) throws {
        try self.init(database.replica, database: database.path, ttl: ttl, logger: logger)
    }

    /// Makes the stores of a place; nothing is asked of them.
    ///
    /// - Parameters:
    ///   - place: Where they lie.
    ///   - database: Whose permissions files in a folder get.
    ///   - ttl: The lease's time to live.
    ///   - logger: For the stores' own messages.
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    init(_ place: ReplicaConfiguration, database: FilePath, ttl: Duration, logger: Logger) throws {
        name = place.displayName
        guard place.type == .s3 else {
            replica = try Replica(place, database: database, logger: logger)
            (creating, leases, layout) = (replica, replica.store, ClusterLayout(path: ""))
            return
        }
        var configuration = try S3Configuration(place.s3)
        // Whoever waits for the chain asks again soon enough, and knows why.
        configuration.limits.connectTimeout = .seconds(5)
        configuration.limits.requestTimeout = .seconds(10)
        configuration.limits.stallTimeout = .seconds(10)
        configuration.retry.maximumTime = .seconds(5)
        configuration.retry.longestDelay = .seconds(1)
        let store = try S3Store(configuration: configuration, logger: logger)
        replica = Replica(store: store, layout: .s3(prefix: place.path))
        configuration.retry = .never
        var whole = configuration
        whole.partSize = 5 << 30
        let single = try S3Store(configuration: whole, logger: logger)
        creating = Replica(store: single, layout: .s3(prefix: place.path))
        leases = try Self.leases(place, ttl: ttl, logger: logger)
        layout = ClusterLayout(path: place.path)
    }

    /// The store of a lease: requests are sent once, and do not take long.
    ///
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    static func leases(_ replica: ReplicaConfiguration, ttl: Duration, logger: Logger) throws -> any ObjectStore {
        guard replica.type == .s3 else { return FolderStore(root: FilePath(replica.path)) }
        var configuration = try S3Configuration(replica.s3)
        configuration.retry = .never
        let limit = limit(ttl: ttl)
        configuration.limits.connectTimeout = limit
        configuration.limits.requestTimeout = limit
        configuration.limits.stallTimeout = limit
        return try S3Store(configuration: configuration, logger: logger)
    }

    /// How long an answer about a lease is waited for: one that takes half of its time to live helps nobody.
    static func limit(ttl: Duration) -> Duration { min(max(ttl / 2, .milliseconds(250)), .seconds(10)) }
}
