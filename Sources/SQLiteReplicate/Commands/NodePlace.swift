import Cluster
import Logging
import Replication
import SystemPackage

/// Where a node of a configuration is: its stores, and its files on this host.
struct NodePlace: Sendable {
    let cluster: ClusterConfiguration
    let database: DatabaseConfiguration
    let settings: DatabaseSettings
    /// The one that all nodes share; where each of two hosts has a store, the one on this host.
    let stores: ClusterStores
    /// Those on the other host; `nil` where all nodes share one.
    let peer: ClusterStores?
    /// Where the lease lies then; `nil`: in a cell of each store.
    let witness: ConfiguredWitness?

    init(_ configuration: ReplicationConfiguration, logger: Logger) throws {
        (cluster, database) = try configuration.node
        settings = DatabaseSettings(configuration, database: database)
        stores = try ClusterStores(database, ttl: cluster.ttl, logger: logger)
        peer = try cluster.peerStore.map { [database, cluster] in
            try ClusterStores($0, database: database.path, ttl: cluster.ttl, logger: logger)
        }
        witness = try cluster.witness.map { [cluster] in
            try ConfiguredWitness($0, ttl: cluster.ttl, logger: logger)
        }
    }

    var founding: ClusterFounding {
        ClusterFounding(replica: stores.replica, leases: stores.leases, layout: stores.layout)
    }

    /// The same where each of two hosts has a store; `nil` where all nodes share one.
    var twoStores: TwoStoreFounding? {
        peer.map { TwoStoreFounding(own: stores.place, peer: $0.place, witness: witness, name: cluster.name) }
    }

    /// - Throws: ``NodeCommandError`` where each of two hosts has a store.
    func requireSharedStore(_ command: String) throws {
        guard peer != nil else { return }
        throw NodeCommandError(
            .refused,
            "'\(command)' is for nodes that share one store, and not served for two hosts with a store each: 'cluster "
                + "status' says what is wrong with them and what to do."
        )
    }

    func founder(_ identity: NodeIdentity) -> ClusterFounding.Founder {
        ClusterFounding.Founder(identity, name: cluster.name, url: cluster.reachableURL, ttl: cluster.ttl)
    }

    /// - Throws: ``NodeCommandError`` where there is no database on this host.
    func requireDatabase() throws {
        guard !Commands.exists(database.path) else { return }
        throw NodeCommandError(
            .failed,
            "There is no database at '\(database.path)': make it, as with 'sqlite-replicate init', or restore it."
        )
    }

    /// The size of the database's pages in bytes; `nil` where it cannot be told.
    func pageSize() async throws -> Int? {
        let path = database.path
        // What stands in the way of that says so when the database is used.
        return try await onDisk { try? SQLiteCheck.pageSize(of: path) }
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
                    "'\(path)' is being replicated by another process: stop that one first."
                )
            }
        }
    }
}
