import Cluster
import Logging
import Replication
import ServiceLifecycle

/// What looks after a node from outside, as the configuration asks for it: heartbeats, and restores on trial.
struct NodeChecks {
    /// `nil` where no interval is configured.
    let validation: Validation?
    /// `nil` where no URL is configured.
    let heartbeat: Heartbeat?

    /// Those that there are.
    var services: [any Service] {
        var services: [any Service] = []
        if let validation { services.append(validation) }
        if let heartbeat { services.append(heartbeat) }
        return services
    }

    init(_ configuration: ReplicationConfiguration, node: ClusterNode, logger: Logger) throws {
        let (cluster, database) = try configuration.node
        // Not the node's own view of the store: a restore takes long, and may wait long for an answer.
        let replica = try Replica(database.replica, database: database.path, logger: logger)
        let peer = try cluster.peerStore.map { try Replica($0, database: database.path, logger: logger) }
        validation = Validation(database, configuration, replica: replica, logger: logger) {
            await node.validationGoal(peer)
        }
        // What moves is well; the configuration allows no shorter interval than this one.
        let limit = max(configuration.heartbeatInterval, .seconds(60))
        heartbeat = Heartbeat(configuration, logger: logger) { await node.heartbeatHindrance(lagLimit: limit) }
    }
}

extension ClusterNode {
    /// What a restore has to lead to now; `nil` while the node finds its place.
    ///
    /// On a primary that is the newest transaction that the store has accepted of it, on a standby the newest one that it
    /// has applied. Both know the checksum of their own database then.
    ///
    /// - Parameter peer: The store on the other host, where a primary ships to that one.
    fileprivate func validationGoal(_ peer: Replica?) async -> Validation.Goal? {
        let status = await status()
        guard status.failure == nil, status.isPrimary || status.isReplica else { return nil }
        var goal = Validation.Goal(transaction: status.position.transaction, checksum: status.position.checksum)
        if let peer, status.isPrimary {
            // A store that is away, or gets its whole copy just now, is told of elsewhere.
            guard status.isReplicaWhole else { return nil }
            goal.replica = peer
        }
        return goal
    }

    /// Why there is to be no heartbeat now.
    fileprivate func heartbeatHindrance(lagLimit: Duration) async -> String? {
        let status = await status()
        if let words = status.failure ?? status.storeFailure { return words }
        guard status.isPrimary || status.isReplica else { return "The node is \(status.role.rawValue)." }
        guard status.lag < lagLimit else {
            return "The node is \(status.lagTransactions) transactions behind, for \(status.lag) already."
        }
        return await readCheck()
    }
}
