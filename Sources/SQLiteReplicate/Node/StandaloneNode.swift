import Cluster
import LTX
import Replication
import SystemPackage

/// A node of a cluster that cannot be, since its store cannot fence: it writes and replicates, and is followed by nobody.
struct StandaloneNode: NodeControl {
    let name: String
    let database: FilePath
    let replicators: [DatabaseReplicator]
    let limitation: StandaloneServices.Limitation

    func status() async -> NodeStatus {
        var status = NodeStatus(node: NodeID(rawValue: 0), name: name, role: .primary)
        status.isWritable = true
        if !limitation.words.isEmpty { status.degradations.append(limitation.words) }
        for replicator in replicators {
            let replication = await replicator.status()
            status.position.number = replication.replicated?.rawValue ?? 0
            let newest = replication.transaction?.rawValue ?? 0
            status.lagTransactions = newest - min(newest, status.position.number)
            let report = HealthReport.Database(path: database.string, status: replication)
            if let words = report.degradation { status.degradations.append(words) }
        }
        return status
    }

    func readCheck() async -> String? { await ReadCheck.run(database) }

    func promise(_ request: PromiseRequest) async -> Bool { false }

    func hint() async {}

    func perform(_ command: NodeCommand) async throws(NodeCommandError) {
        throw NodeCommandError(.unfitStore, limitation.words)
    }

    func node(named text: String) async -> NodeID? { nil }
}
