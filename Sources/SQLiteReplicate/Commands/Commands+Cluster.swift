public import Cluster
public import Logging
import Replication
import SystemPackage

/// What `cluster init` has come to.
public enum ClusterInitAnswer: Hashable, Sendable {
    /// There is a cluster now, which this lease tells of.
    case begun(Lease)
    /// There was one.
    case present(Lease)
}

/// A way out for a cluster that has halted.
public enum ClusterRepairWay: Hashable, Sendable {
    /// The lease is gone, or something else lies in its place: a new one is written.
    case recreateLease
    /// The store went back in time: the history goes on from the database of this host.
    case reseed
}

extension Commands {
    /// Begins a cluster in the store of a configuration, with the database of this host.
    ///
    /// - Parameters:
    ///   - configuration: One with ``ReplicationConfiguration/cluster``.
    ///   - logger: For the stores' own messages.
    /// - Throws: ``ConfigurationError``, `NodeCommandError`, `ObjectStoreError`.
    public static func clusterInit(
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> ClusterInitAnswer {
        let place = try NodePlace(configuration, logger: logger)
        guard exists(place.database.path) else {
            throw NodeCommandError(
                .failed,
                "There is no database at '\(place.database.path)': make it, as with 'sqlite-replicate init', or restore it."
            )
        }
        return try await place.alone { file in
            // The engine of 'replicate' would go on writing files of its own.
            let engine = try await place.lockEngine()
            defer { withExtendedLifetime(engine) {} }
            var identity = try await onDisk { try file.load().identity }
            let outcome = try await place.founding.found(by: place.founder(identity)) { highest in
                let settings = place.settings
                try await onDisk {
                    let state = ChainState(number: highest, checksum: 0, epoch: 0)
                    try FollowerDatabase(settings).journal.found(at: state)
                }
            }
            switch outcome {
            case .present(let lease): return .present(lease)
            case .founded(let lease):
                identity.cluster = lease.cluster
                try await onDisk { [identity] in try file.save(identity) }
                return .begun(lease)
            }
        }
    }

    /// Reads what the store tells of a configuration's cluster.
    ///
    /// - Throws: ``ConfigurationError``, `ObjectStoreError`.
    public static func clusterStatus(
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> ClusterSurvey {
        let stores = try NodePlace(configuration, logger: logger).stores
        return try await ClusterSurvey(of: stores.leases, layout: stores.layout)
    }

    /// Takes over files that another program has written into the chain. No node may be running.
    ///
    /// - Returns: The new lease; `nil` where nothing is to be taken over.
    /// - Throws: ``ConfigurationError``, `NodeCommandError`, `ObjectStoreError`.
    public static func clusterAdopt(_ configuration: ReplicationConfiguration, logger: Logger) async throws -> Lease? {
        let place = try NodePlace(configuration, logger: logger)
        return try await place.alone { file in
            let identity = try await onDisk { try file.peek() }
            return try await ClusterRepair(place.founding, by: identity.map(place.founder)).adopt()
        }
    }

    /// Repairs the lease. No node may be running.
    ///
    /// - Returns: The new lease.
    /// - Throws: ``ConfigurationError``, `NodeCommandError`, `ObjectStoreError`.
    public static func clusterRepair(
        _ way: ClusterRepairWay,
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) async throws -> Lease {
        let place = try NodePlace(configuration, logger: logger)
        return try await place.alone { file in
            let identity = try await onDisk { try file.peek() }
            let repair = ClusterRepair(place.founding, by: identity.map(place.founder))
            switch way {
            case .recreateLease: return try await repair.recreateLease()
            case .reseed: return try await repair.reseed()
            }
        }
    }
}

/// Where a node of a configuration is: its stores, and its files on this host.
struct NodePlace: Sendable {
    let cluster: ClusterConfiguration
    let database: DatabaseConfiguration
    let settings: DatabaseSettings
    let stores: ClusterStores

    init(_ configuration: ReplicationConfiguration, logger: Logger) throws {
        (cluster, database) = try configuration.node
        settings = DatabaseSettings(configuration, database: database)
        stores = try ClusterStores(database, ttl: cluster.ttl, logger: logger)
    }

    var founding: ClusterFounding {
        ClusterFounding(replica: stores.replica, leases: stores.leases, layout: stores.layout)
    }

    func founder(_ identity: NodeIdentity) -> ClusterFounding.Founder {
        ClusterFounding.Founder(identity, name: cluster.name, url: cluster.reachableURL, ttl: cluster.ttl)
    }

    /// Runs `body` while no process is this host's node.
    func alone<Value>(_ body: (NodeMemoryFile) async throws -> Value) async throws -> Value {
        let settings = settings
        let (file, lock) = try await onDisk {
            let file = NodeMemoryFile(try MetadataFolder(settings))
            do throws(NodeMemoryError) {
                return (file, try file.lock())
            } catch {
                throw NodeCommandError(error.isInUse ? .refused : .failed, error.message)
            }
        }
        defer { withExtendedLifetime(lock) {} }
        return try await body(file)
    }

    /// Makes sure that no process replicates the database, until the returned value goes.
    func lockEngine() async throws -> EngineLock {
        let (settings, path) = (settings, database.path)
        return try await onDisk {
            let folder = try MetadataFolder(settings)
            do {
                try Disk.makeFolders(folder.own, mode: folder.folderMode)
                return try folder.lock()
            } catch let failure as FileFailure where failure.errno == .wouldBlock {
                throw NodeCommandError(
                    .refused,
                    "'\(path)' is being replicated by another process: stop that one first. 'service' begins a cluster by "
                        + "itself."
                )
            }
        }
    }
}
