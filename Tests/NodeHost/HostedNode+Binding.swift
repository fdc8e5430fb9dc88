import Cluster
import LTX
import Logging
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
    configuration.isUnsafelyPromoted = options.isUnsafe
    configuration.holdDownLimit = options.holdDown
    if let text = options.tailPolicy {
        guard let policy = NodeConfiguration.TailPolicy(rawValue: text) else {
            throw TestSupportError("no tail policy '\(text)'")
        }
        configuration.tailPolicy = policy
    }
    let stores = try stores(options, logger: logger)
    return ClusterNode(
        configuration,
        own: stores.place,
        peer: try peerPlace(options, logger: logger),
        witness: options.witness.isEmpty ? nil : HostWitness(url: options.witness, ttl: options.ttl),
        peers: NodeClient(token: options.token.map { Secret($0) }),
        logger: logger
    )
}

/// The place on the other host that the options name.
private func peerPlace(_ options: HostOptions, logger: Logger) throws -> ClusterPlace? {
    guard !options.peer.isEmpty else { return nil }
    let replica = try ReplicaConfiguration(argument: options.peer)
    let place = DatabaseConfiguration(path: options.database, replica: replica)
    return try ClusterStores(place, ttl: options.ttl, logger: logger).place
}

/// A witness of ours.
private struct HostWitness: Witness {
    private let client: WitnessClient

    init(url: String, ttl: Duration) { client = WitnessClient(url: url, within: ttl / 2) }

    var description: String { "the witness \(client.url)" }

    func cell(of cluster: ClusterID) -> any LeaseCell { client.cell(of: cluster) }
}

/// The stores that the options name.
func stores(_ options: HostOptions, logger: Logger) throws -> ClusterStores {
    let replica = try ReplicaConfiguration(argument: options.store)
    let place = DatabaseConfiguration(path: options.database, replica: replica)
    return try ClusterStores(place, ttl: options.ttl, logger: logger)
}

/// The services that run beside the node, the node included; those that others need come first.
func services(around node: any HostedNode, _ options: HostOptions, logger: Logger) throws -> [any Service] {
    guard options.port > 0 else { return [node] }
    let settings = HealthServerSettings(port: options.port, token: options.token.map { Secret($0) })
    return [HealthServer(settings, node: node, logger: logger), node]
}
