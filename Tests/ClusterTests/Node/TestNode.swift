import Cluster
import Foundation
import Logging
import ObjectStorage
import Replication
import ServiceLifecycle
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport

/// A node in this process, on a folder store, with the others of its test as its peers.
final class TestNode: Sendable {
    let node: ClusterNode
    let database: FilePath
    let name: String
    /// What it has logged so far.
    let messages = LoggedMessages()
    private let group: Mutex<(task: Task<Void, any Error>, services: ServiceGroup)?> = Mutex(nil)

    /// A node that shares its store with the others.
    convenience init(
        _ name: String,
        in folder: FilePath,
        store: FilePath,
        peers: TestPeers,
        ttl: Duration = .milliseconds(900),
        reading: CountingStore? = nil,
        levels: LevelSettings? = nil
    ) {
        let folderStore = FolderStore(root: store)
        let own = ClusterPlace(
            replica: Replica(store: reading.map { $0 as any ObjectStore } ?? folderStore, layout: .folder),
            leases: folderStore,
            layout: ClusterLayout(path: "")
        )
        self.init(name, in: folder, own: own, peers: peers, ttl: ttl, levels: levels)
    }

    init(
        _ name: String,
        in folder: FilePath,
        own: ClusterPlace,
        peer: ClusterPlace? = nil,
        witness: (any Witness)? = nil,
        peers: TestPeers,
        ttl: Duration,
        levels: LevelSettings? = nil,
        spoolLimit: Int64? = nil
    ) {
        self.name = name
        database = folder.appending("\(name).db")
        var settings = DatabaseSettings(database: database)
        settings.syncInterval = .milliseconds(50)
        settings.isInProcess = false
        settings.switchesToWAL = true
        if let levels { settings.levels = levels }
        // A capture is closed for its size as well, whatever waits already.
        if let spoolLimit { (settings.spoolLimit, settings.captureLimit) = (spoolLimit, 8 << 10) }
        var configuration = NodeConfiguration(database: settings, name: name)
        configuration.ttl = ttl
        configuration.url = "test://\(name)"
        configuration.followInterval = .milliseconds(30)
        configuration.beginning = name == "a" ? .begins : .waits
        configuration.holdDownLimit = nil
        let messages = messages
        var logger = Logger(label: name) { _ -> any LogHandler in
            guard ProcessInfo.processInfo.environment["NODE_LOG"] == nil else {
                return MultiplexLogHandler([StreamLogHandler.standardError(label: name), messages.handler])
            }
            return messages.handler
        }
        logger.logLevel = .debug
        node = ClusterNode(configuration, own: own, peer: peer, witness: witness, peers: peers, logger: logger)
        peers.add(node, at: "test://\(name)")
    }

    /// Starts it.
    func start() {
        let services = ServiceGroup(
            services: [node],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }
        )
        let task = Task { try await services.run() }
        group.withLock { $0 = (task, services) }
    }

    /// Ends it gracefully.
    func stop() async throws {
        guard let (task, services) = group.withLock({ $0 }) else { return }
        await services.triggerGracefulShutdown()
        try await task.value
    }

    /// Ends it at once: nothing is shipped or let go.
    func kill() async {
        guard let (task, _) = group.withLock({ $0 }) else { return }
        task.cancel()
        _ = try? await task.value
    }

    /// Waits for a role.
    func reaches(_ role: Role, within limit: Duration = .seconds(20)) async throws {
        try await eventually("\(name) is \(role), it is \(node.role)", within: limit) { node.role == role }
    }

    /// Makes the database with a table.
    func makeDatabase() throws {
        let file = try SQLiteFile(database, .init(autocheckpoint: 0))
        try file.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(n INTEGER PRIMARY KEY, text TEXT)")
    }

    /// Writes rows.
    func write(_ rows: Range<Int>) throws {
        let file = try SQLiteFile(database, .init(creates: false, autocheckpoint: 0))
        for row in rows { try file.query("INSERT INTO t VALUES (\(row), hex(randomblob(100)))") }
    }

    /// The numbers of all rows.
    func rows() throws -> [Int64] {
        let file = try SQLiteFile(database, .init(creates: false))
        return try file.query("SELECT n FROM t ORDER BY n").compactMap { $0.first?.integer }
    }
}

enum FolderStoreReplica {
    /// The replica in a folder.
    static func of(_ path: FilePath) -> Replica { Replica(store: FolderStore(root: path), layout: .folder) }
}

/// Reaches nodes of this process by their URLs.
final class TestPeers: PeerMessaging {
    private let nodes = Mutex<[String: ClusterNode]>([:])

    func add(_ node: ClusterNode, at url: String) { nodes.withLock { $0[url] = node } }

    func askPromise(
        of node: NodeID,
        at url: String,
        _ request: PromiseRequest,
        within limit: Duration
    ) async -> Bool {
        await nodes.withLock { $0[url] }?.promise(request) ?? false
    }

    func hint(_ url: String) async { await nodes.withLock { $0[url] }?.hint() }
}

/// Keeps the messages of a logger. May be used from any thread.
final class LoggedMessages: Sendable {
    private struct Handler: LogHandler {
        let log: LoggedMessages
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.texts.withLock { $0.append("\(event.message)") } }
    }

    private let texts = Mutex<[String]>([])

    /// Adds what it gets.
    var handler: any LogHandler { Handler(log: self) }

    /// Whether something was said with these words.
    func contain(_ words: String) -> Bool { texts.withLock { $0.contains { $0.contains(words) } } }
}
