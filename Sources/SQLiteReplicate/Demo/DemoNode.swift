import Cluster
import GRDB
public import Logging
import NIOPosix
import Replication
import ServiceLifecycle
public import SystemPackage

/// A node of the demonstration, in a process of its own: it writes a row again and again while it is primary, asks for
/// some of them to be replicated, and tells each step in a line.
///
///     role NAME          the node's role
///     epoch N            its database holds something of that epoch
///     wrote N            row N was committed
///     replicated N       row N, and all before it, were accepted by the store
public struct DemoNode: Sendable {
    /// The node's name.
    public var name: String
    /// Where the databases and the store lie.
    public var folder: FilePath
    /// Whether it begins the cluster.
    public var begins: Bool
    /// The lease's time to live.
    public var ttl: Duration

    /// Describes a node.
    public init(name: String, folder: FilePath, begins: Bool, ttl: Duration) {
        (self.name, self.folder, self.begins, self.ttl) = (name, folder, begins, ttl)
    }

    /// The node's database.
    var database: FilePath { folder.appending("\(name).db") }

    /// Runs until graceful shutdown.
    ///
    /// - Parameter say: Called with each line, from any task.
    public func run(logger: Logger, _ say: @escaping @Sendable (String) -> Void) async throws {
        var settings = DatabaseSettings(database: database)
        settings.isInProcess = true
        settings.syncInterval = .milliseconds(200)
        var configuration = NodeConfiguration(database: settings, name: name)
        configuration.ttl = ttl
        configuration.followInterval = .milliseconds(100)
        configuration.beginning = begins ? .begins : .waits
        configuration.holdDownLimit = nil
        // There is nobody to send hints.
        configuration.registration = .milliseconds(500)
        let path = database
        configuration.makesDatabase = { try await AppDatabase(at: path, creates: true).close() }
        let stores = ClusterStores(folder: folder.appending("store"), database: database)
        let node = ClusterNode(
            configuration,
            own: stores.place,
            peers: NoPeers(),
            logger: logger
        )
        let writer = DemoWriter(node: node, path: path, say: say)
        try await NodeServices.group([node, writer]).run()
    }
}

/// Writes while the node is primary.
private struct DemoWriter: Service {
    let node: ClusterNode
    let path: FilePath
    let say: @Sendable (String) -> Void

    func run() async throws {
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await role in node.roleChanges { say("role \(role.rawValue)") }
            }
            group.addTask {
                var newest = Epoch.zero
                while true {
                    let epoch = await node.status().epoch
                    if epoch > newest { say("epoch \(epoch)") }
                    newest = max(newest, epoch)
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            group.addTask { try await write() }
            try? await gracefulShutdown()  // cancelled: the end as well
            group.cancelAll()
        }
    }

    private func write() async throws {
        for await role in node.roleChanges where role == .primary { break }
        let database = try await AppDatabase(at: path, creates: false, gate: node.gate)
        var count = 0
        while !Task.isCancelled {
            if node.gate.isOpen, let row = try? await database.addUser(name: "row", email: "demo") {
                say("wrote \(row.id)")
                count += 1
                if count % 10 == 0, (try? await node.replicate(timeout: .seconds(5))) != nil {
                    say("replicated \(row.id)")
                }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
