import Cluster
import GRDB
public import Logging
import NIOPosix
import ObjectStorage
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
///     alone, together    only it, or both, may take over
///     closed, open       it may not commit any more, or again
public struct DemoNode: Sendable {
    /// The node's name.
    public var name: String
    /// Where the databases and the store lie.
    public var folder: FilePath
    /// Whether it begins the cluster.
    public var begins: Bool
    /// The lease's time to live.
    public var ttl: Duration
    /// Where it answers the node on the other host, which has a store of its own; `nil`: both share one.
    public var port: Int?

    /// Describes a node.
    public init(name: String, folder: FilePath, begins: Bool, ttl: Duration, port: Int? = nil) {
        (self.name, self.folder, self.begins, self.ttl, self.port) = (name, folder, begins, ttl, port)
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
        let node: ClusterNode
        var services: [any Service] = []
        if let port {
            configuration.url = "http://127.0.0.1:\(port)"
            let faults = DemoFaults(folder: folder)
            let other = name == "a" ? "b" : "a"
            node = ClusterNode(
                configuration,
                own: place(name, faults, []),
                peer: place(other, faults, [.link, .host(other)]),
                witness: DemoWitness(store: store("witness", faults, [.witness])),
                peers: DemoPeers(client: NodeClient(token: nil), faults: faults),
                logger: logger
            )
            services = [HealthServer(HealthServerSettings(port: port), node: node, logger: logger)]
        } else {
            let stores = ClusterStores(folder: folder.appending("store"), database: database)
            node = ClusterNode(configuration, own: stores.place, peers: NoPeers(), logger: logger)
        }
        services += [node, DemoWriter(node: node, path: path, patience: port == nil ? .seconds(5) : ttl, say: say)]
        try await NodeServices.group(services).run()
    }

    private func store(_ name: String, _ faults: DemoFaults, _ needs: [DemoFaults.Fault]) -> DemoStore {
        DemoStore(store: FolderStore(root: folder.appending(name)), faults: faults, needs: needs)
    }

    /// The store on a host.
    private func place(_ host: String, _ faults: DemoFaults, _ needs: [DemoFaults.Fault]) -> ClusterPlace {
        let store = store("store-\(host)", faults, needs)
        return ClusterPlace(replica: Replica(store: store, layout: .folder), layout: ClusterLayout(path: ""))
    }
}

/// Writes while the node is primary.
private struct DemoWriter: Service {
    let node: ClusterNode
    let path: FilePath
    /// How long it waits for the store.
    let patience: Duration
    let say: @Sendable (String) -> Void

    func run() async throws {
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await role in node.roleChanges { say("role \(role.rawValue)") }
            }
            group.addTask {
                var (newest, list, gate) = (Epoch.zero, "", "")
                while true {
                    let status = await node.status()
                    if status.epoch > newest { say("epoch \(status.epoch)") }
                    newest = max(newest, status.epoch)
                    if status.isPrimary {
                        let members = status.lease?.eligible.count == 2 ? "together" : "alone"
                        if members != list { say(members) }
                        let state = status.isWritable ? "open" : "closed"
                        if state != gate { say(state) }
                        (list, gate) = (members, state)
                    }
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
                if count % 10 == 0, (try? await node.replicate(timeout: patience)) != nil {
                    say("replicated \(row.id)")
                }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
