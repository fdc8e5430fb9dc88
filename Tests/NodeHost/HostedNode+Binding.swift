import Cluster
import LTX
import Logging
import ObjectStorage
import Replication
import SQLiteReplicate
import ServiceLifecycle
import SystemPackage
import TestSupport

extension ClusterNode: HostedNode {
    func waitForStore(timeout: Duration) async throws { try await replicate(timeout: timeout) }
}

/// Makes the node that the options describe.
func makeNode(_ options: HostOptions, logger: Logger) throws -> any HostedNode {
    var settings = DatabaseSettings(database: options.database)
    settings.syncInterval = options.syncInterval
    settings.slowPoll = .seconds(5)
    if !options.levels.isEmpty { settings.levels.intervals = options.levels }
    if let snapshots = options.snapshots { settings.levels.snapshotInterval = snapshots }
    if let retention = options.retention {
        (settings.retention.level0, settings.retention.level0CheckInterval) = (retention, retention)
        settings.retention.snapshots = retention
    }
    var configuration = NodeConfiguration(database: settings, name: options.name)
    configuration.ttl = options.ttl
    configuration.url = options.url ?? (options.port > 0 ? "http://127.0.0.1:\(options.port)" : "")
    configuration.followInterval = options.followInterval
    configuration.beginning = options.begins ? .begins : .waits
    configuration.isFailsafe = options.isFailsafe
    configuration.holdDownLimit = options.holdDown
    if let text = options.tailPolicy {
        guard let policy = NodeConfiguration.TailPolicy(rawValue: text) else {
            throw TestSupportError("no tail policy '\(text)'")
        }
        configuration.tailPolicy = policy
    }
    let place = try ReplicaConfiguration(argument: options.store)
    let (replica, leases, path) = try stores(place, options, logger: logger)
    return ClusterNode(
        configuration,
        replica: replica,
        leases: leases,
        layout: ClusterLayout(path: path),
        peers: NodeClient(token: options.token.map { Secret($0) }),
        logger: logger
    )
}

/// The store as the chain and as the lease want it.
private func stores(
    _ place: ReplicaConfiguration,
    _ options: HostOptions,
    logger: Logger
) throws -> (Replica, any ObjectStore, String) {
    guard place.type == .s3 else {
        let replica = try Replica(place, database: options.database, logger: logger)
        return (replica, replica.store, "")
    }
    var configuration = S3Configuration(bucket: place.s3.bucket)
    configuration.region = place.s3.region
    configuration.endpoint = try place.s3.endpoint.map { try S3Endpoint($0) }
    configuration.forcePathStyle = place.s3.forcePathStyle
    configuration.limits.requestTimeout = options.requestTimeout
    let replica = Replica(
        store: try S3Store(configuration: configuration, logger: logger),
        layout: .s3(prefix: place.path)
    )
    // An answer that comes later than the next renewal is due helps nobody.
    configuration.limits.requestTimeout = options.ttl / 3
    configuration.limits.connectTimeout = options.ttl / 3
    configuration.retry = .never
    return (replica, try S3Store(configuration: configuration, logger: logger), place.path)
}

/// The services that run beside the node, the node included; those that others need come first.
func services(around node: any HostedNode, _ options: HostOptions, logger: Logger) throws -> [any Service] {
    guard options.port > 0 else { return [node] }
    let settings = HealthServerSettings(port: options.port, token: options.token.map { Secret($0) })
    return [HealthServer(settings, node: node, logger: logger), node]
}
