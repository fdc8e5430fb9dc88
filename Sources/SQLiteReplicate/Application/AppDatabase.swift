public import Cluster
import GRDB
import NIOPosix
public import ObjectStorage
public import SystemPackage

/// The database of a small application: who uses it, and what happened.
///
/// It shows how an application is to open a database that is replicated: in WAL mode, with a busy timeout of 5 s,
/// `synchronous` NORMAL, and without checkpoints of its own, which the engine does. One connection writes, some read; all
/// methods may be called from any task. On a node of a cluster it is given the node's gate, and writes only while that
/// is open; it may be opened before, and stays open whatever role the node has.
///
///     users(id INTEGER PRIMARY KEY, name TEXT, email TEXT)
///     events(id INTEGER PRIMARY KEY, ts TEXT)
///
/// ```swift
/// let database = try await AppDatabase(at: "/data/app.db", creates: true)
/// let user = try await database.addUser(name: "Ada", email: "ada@example.org")
/// ```
public final class AppDatabase: Sendable {
    /// Somebody who uses the application.
    public struct User: Hashable, Sendable, Codable {
        /// The number that the database has given.
        public var id: Int64
        public var name: String
        public var email: String
    }

    /// Where the file is.
    public let path: FilePath
    /// Writes. No pool: one that writes begins with a commit of its own, which a node that follows must not have.
    private let queue: DatabaseQueue
    private let readers: DatabasePool
    private let observer: WriteGateObserver?

    /// Opens the database, and makes the tables that are missing, unless a gate forbids it: ``makeTables()`` does it
    /// later.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - creates: Whether the file is made where there is none.
    ///   - gate: Whether the node may write; `nil` where nobody else does.
    /// - Throws: ``AppDatabaseError`` where it cannot be opened or is none of ours.
    public init(at path: FilePath, creates: Bool, gate: WriteGateControl? = nil) async throws {
        self.path = path
        let observer = gate.map { WriteGateObserver($0) }
        self.observer = observer
        do {
            (queue, readers) = try await NIOThreadPool.singleton.runIfActive {
                if !creates, (try? path.stat()) == nil {
                    throw AppDatabaseError("\(path) does not exist: make it with 'sqlite-replicate init \(path)'.")
                }
                let queue = try DatabaseQueue(path: path.string, configuration: Self.configuration(observer))
                // Makes the log and its index where they are missing: readers cannot.
                try queue.inDatabase { _ = try Int.fetchOne($0, sql: "PRAGMA schema_version") }
                var reading = Self.configuration(nil)
                reading.readonly = true
                return (queue, try DatabasePool(path: path.string, configuration: reading))
            }
        } catch let error as DatabaseError {
            throw AppDatabaseError("\(path) cannot be opened: \(error.message ?? error.description).")
        }
        if observer?.gate.isOpen ?? true { try await makeTables() }
    }

    private static func configuration(_ observer: WriteGateObserver?) -> Configuration {
        var configuration = Configuration()
        configuration.label = "application"
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            guard !database.configuration.readonly else { return }
            try database.execute(
                sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0"
            )
        }
        observer?.watch(&configuration)
        return configuration
    }

    /// Makes the tables that are missing.
    ///
    /// - Throws: ``WriteRefused`` where some are and the node may not write; ``AppDatabaseError``.
    public func makeTables() async throws {
        let count = try await reading { database in
            try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('users', 'events')"
            )
        }
        guard count != 2 else { return }
        try await writing { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS users(
                        id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
                    CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, ts TEXT NOT NULL)
                    """
            )
        }
    }

    /// Adds a user.
    ///
    /// - Throws: ``WriteRefused`` on a node that may not write, ``AppDatabaseError`` where the database refuses.
    @discardableResult
    public func addUser(name: String, email: String) async throws -> User {
        try await writing { database in
            try database.execute(sql: "INSERT INTO users(name, email) VALUES (?, ?)", arguments: [name, email])
            return User(id: database.lastInsertedRowID, name: name, email: email)
        }
    }

    /// All users, by their numbers.
    public func users() async throws -> [User] {
        try await reading { database in
            try Row.fetchAll(database, sql: "SELECT id, name, email FROM users ORDER BY id").map { row in
                User(id: row["id"], name: row["name"], email: row["email"])
            }
        }
    }

    /// Adds an event.
    ///
    /// - Parameter moment: When it happened, UTC.
    /// - Throws: ``WriteRefused`` on a node that may not write, ``AppDatabaseError`` where the database refuses.
    public func addEvent(at moment: Timestamp) async throws {
        try await writing { database in
            try database.execute(sql: "INSERT INTO events(ts) VALUES (?)", arguments: [moment.text])
        }
    }

    /// How many events there are.
    public func eventCount() async throws -> Int {
        try await reading { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") ?? 0 }
    }

    /// Reads something, to see that the database can be read.
    public func check() async throws {
        try await reading { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1)") }
    }

    /// Closes all connections; the last one closes the file. Blocks no thread of the cooperative pool.
    public func close() async throws {
        let (queue, readers) = (queue, readers)
        try await NIOThreadPool.singleton.runIfActive {
            try readers.close()
            try queue.close()
        }
    }

    private func reading<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        do {
            return try await readers.read(body)
        } catch let error as DatabaseError {
            throw AppDatabaseError("\(path): \(error.message ?? error.description).")
        }
    }

    private func writing<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        try observer?.check()
        do {
            return try await queue.write(body)
        } catch let error as DatabaseError {
            // A node that has lost its right holds the write lock.
            if error.resultCode == .SQLITE_BUSY { try observer?.check() }
            throw AppDatabaseError("\(path): \(error.message ?? error.description).")
        }
    }
}

/// What went wrong with the application's database, in words.
public struct AppDatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which file, what happened, and what can be done.
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}
