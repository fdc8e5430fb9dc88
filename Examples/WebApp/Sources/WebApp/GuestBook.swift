import Cluster
import GRDB
import SQLiteReplicate
import ServiceLifecycle
import Synchronization
import SystemPackage

/// The database of the application: one connection that writes, while this node may, and some that read.
final class GuestBook: Service {
    private struct Connections {
        var writer: DatabaseQueue
        var readers: DatabasePool
    }

    private let path: FilePath
    private let node: ClusterNode
    private let connections = Mutex<Connections?>(nil)

    init(at path: FilePath, node: ClusterNode) { (self.path, self.node) = (path, node) }

    /// Makes the database on the host that begins the cluster, before the node opens it.
    static func make(at path: FilePath) async throws {
        let queue = try DatabaseQueue(path: path.string)
        try await queue.writeWithoutTransaction { database in
            try database.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    CREATE TABLE IF NOT EXISTS entry(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
                    """
            )
        }
        try queue.close()
    }

    /// Opens the database once this node has one, and anew whenever it may be another file: a node that comes back from
    /// a fork may have restored it.
    func run() async throws {
        for await role in node.roleChanges.cancelOnGracefulShutdown() where role == .primary || role == .standby {
            if role == .primary, connections.withLock({ $0 != nil }) { continue }
            let new = try open()
            let old = connections.withLock { connections in
                defer { connections = new }
                return connections
            }
            // One that is in use stays open until its last request has let go of it.
            try? old?.readers.close()
            try? old?.writer.close()
        }
        try? await gracefulShutdown()  // cancelled: the end as well
    }

    private func open() throws -> Connections {
        var reading = Configuration()
        reading.readonly = true
        var writing = Configuration()
        writing.busyMode = .timeout(5)
        // The engine checkpoints.
        writing.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0") }
        // From here on no commit gets past a node that may not write, whatever it was when the transaction began.
        WriteGateObserver(node.gate).watch(&writing)
        return Connections(
            writer: try DatabaseQueue(path: path.string, configuration: writing),
            readers: try DatabasePool(path: path.string, configuration: reading)
        )
    }

    /// All entries, as this node knows them.
    func entries() async throws -> [String] {
        guard let readers = connections.withLock({ $0?.readers }) else { throw NotOpen() }
        return try await readers.read { try String.fetchAll($0, sql: "SELECT text FROM entry ORDER BY id") }
    }

    /// Adds an entry.
    ///
    /// - Throws: `WriteRefused` where this node may not write.
    func add(_ text: String) async throws {
        try WriteGateObserver(node.gate).check()
        guard let writer = connections.withLock({ $0?.writer }) else { throw NotOpen() }
        try await writer.write { try $0.execute(sql: "INSERT INTO entry(text) VALUES (?)", arguments: [text]) }
    }

    /// This node has no database yet.
    struct NotOpen: Error {}
}
