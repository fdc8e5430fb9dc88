public import Cluster
public import Logging
import Replication

/// A way out for a cluster that has halted.
public enum ClusterRepairWay: Hashable, Sendable {
    /// The lease is gone, or something else lies in its place: a new one is written.
    case recreateLease
    /// The store went back in time: the history goes on from the database of this host.
    case reseed
}

extension Commands {
    /// Goes on behind files that another program has written among a cluster's, with the database of this host. No node may
    /// be running.
    ///
    /// - Returns: The new lease; `nil` where no such file was found.
    /// - Throws: ``ConfigurationError``, `NodeCommandError`, `ObjectStoreError`.
    public static func clusterAdopt(_ configuration: ReplicationConfiguration, logger: Logger) async throws -> Lease? {
        let place = try NodePlace(configuration, logger: logger)
        try place.requireSharedStore("cluster adopt")
        return try await place.beginningAnew(logger) { repair, host, begin in
            try await repair.adopt(with: host, isAboutTo: begin)
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
        try place.requireSharedStore("cluster repair")
        switch way {
        case .recreateLease:
            return try await place.alone { file in
                let identity = try await onDisk { try file.peek() }
                return try await ClusterRepair(place.founding, by: identity.map(place.founder)).recreateLease()
            }
        case .reseed:
            return try await place.beginningAnew(logger) { repair, host, begin in
                try await repair.reseed(with: host, isAboutTo: begin)
            }
        }
    }
}

extension NodePlace {
    /// Runs `body` while nobody else uses this host's database, which the chain is to begin anew with.
    fileprivate func beginningAnew<Value>(
        _ logger: Logger,
        _ body: (ClusterRepair, HostRecord, _ isAboutTo: @Sendable (UInt64) async throws -> Void) async throws -> Value
    ) async throws -> Value {
        try requireDatabase()
        return try await alone { file in
            let engine = try await lockEngine()
            defer { withExtendedLifetime(engine) {} }
            guard let identity = try await onDisk({ try file.peek() }), identity.cluster != nil else {
                throw NodeCommandError(
                    .refused,
                    "This host's node has not taken part in a cluster yet: run this on the host of one that has."
                )
            }
            let host = BeginningHost(settings, node: identity.node, logger: logger)
            let result: Result<Value, any Error>
            do {
                let record = try await host.look()
                let repair = ClusterRepair(founding, by: founder(identity))
                let value = try await body(repair, record) { number in
                    try await host.begin(behind: number)
                    guard identity.memory.isDemoted else { return }
                    // Nobody but this node may claim the lease from then on.
                    var identity = identity
                    identity.memory.isDemoted = false
                    try await onDisk { [identity] in try file.save(identity) }
                }
                result = .success(value)
            } catch {
                result = .failure(error)
            }
            await host.close()
            return try result.get()
        }
    }
}
