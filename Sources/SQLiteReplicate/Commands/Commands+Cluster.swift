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

extension Commands {
    /// Begins a cluster in the store of a configuration, or in both, with the database of this host.
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
        try place.requireDatabase()
        return try await place.alone { file in
            // The engine of 'replicate' would go on writing files of its own.
            let engine = try await place.lockEngine()
            defer { withExtendedLifetime(engine) {} }
            var identity = try await onDisk { try file.load().identity }
            let founder = place.founder(identity)
            let settings = place.settings
            let isAboutTo: @Sendable (UInt64) async throws -> Void = { highest in
                try await onDisk {
                    let state = ChainState(number: highest, checksum: 0, epoch: 0)
                    try FollowerDatabase(settings).journal.found(at: state)
                }
            }
            let outcome: ClusterFounding.Outcome
            if let twoStores = place.twoStores {
                let pageSize = try await place.pageSize()
                outcome = try await twoStores.found(by: founder, pageSize: pageSize, isAboutTo: isAboutTo)
            } else {
                outcome = try await place.founding.found(by: founder, isAboutTo: isAboutTo)
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
}
