import Cluster
import LTX
import Logging
import Replication
import SQLiteReplicate
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Makes the node that the options describe.
func makeNode(_ options: HostOptions, logger: Logger) throws -> any HostedNode {
    let replica = try Replica(ReplicaConfiguration(argument: options.store), database: options.database, logger: logger)
    var settings = DatabaseSettings(database: options.database)
    settings.syncInterval = options.syncInterval
    return LoneNode(DatabaseReplicator(settings, replica: replica, logger: logger), name: options.name)
}

/// The services that run beside the node, the node included.
func services(around node: any HostedNode, _ options: HostOptions, logger: Logger) throws -> [any Service] { [node] }

/// A node without a cluster: always the primary.
final class LoneNode: HostedNode {
    let gate = WriteGateControl()
    private let replicator: DatabaseReplicator
    private let name: String

    init(_ replicator: DatabaseReplicator, name: String) { (self.replicator, self.name) = (replicator, name) }

    var roleChanges: AsyncStream<Role> {
        let (stream, continuation) = AsyncStream<Role>.makeStream()
        continuation.yield(.primary)
        return stream
    }

    func run() async throws {
        gate.set(WriteGate(openUntil: Moment(reading: .nanoseconds(HostClock.now)) + .seconds(100_000)))
        try await replicator.run()
    }

    func waitForStore(timeout: Duration) async throws { try await replicator.sync(timeout: timeout) }

    func status() async -> NodeStatus {
        var status = NodeStatus(node: NodeID(rawValue: 1), name: name, role: .primary)
        status.epoch = Epoch(rawValue: 1)
        return status
    }

    func readCheck() async -> String? { nil }
    func promise(_ request: PromiseRequest) async -> Bool { false }
    func hint() async {}
    func perform(_ command: NodeCommand) async throws(NodeCommandError) {
        throw NodeCommandError(.refused, "there are no other nodes")
    }
    func node(named text: String) async -> NodeID? { nil }
}
