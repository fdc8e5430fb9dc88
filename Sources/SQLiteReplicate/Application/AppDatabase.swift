import GRDB
import NIOPosix
public import ObjectStorage
public import SystemPackage

/// The database of a small application: who uses it, and what happened.
///
/// It shows how an application is to open a database that is replicated: in WAL mode, with a busy timeout of 5 s,
/// `synchronous` NORMAL, and without checkpoints of its own, which the engine does. One connection writes, some read; all
/// methods may be called from any task.
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
    private let pool: DatabasePool

    /// Opens the database, and makes the tables that are missing.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - creates: Whether the file is made where there is none.
    /// - Throws: ``AppDatabaseError`` where it cannot be opened or is none of ours.
    public init(at path: FilePath, creates: Bool) async throws {
        self.path = path
        do {
            pool = try await NIOThreadPool.singleton.runIfActive {
                if !creates, (try? path.stat()) == nil {
                    throw AppDatabaseError("\(path) does not exist: make it with 'sqlite-replicate init \(path)'.")
                }
                let pool = try DatabasePool(path: path.string, configuration: Self.configuration)
                try pool.write { database in
                    try database.execute(
                        sql: """
                            CREATE TABLE IF NOT EXISTS users(
                                id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
                            CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, ts TEXT NOT NULL)
                            """
                    )
                }
                return pool
            }
        } catch let error as DatabaseError {
            throw AppDatabaseError("\(path) cannot be opened: \(error.message ?? error.description).")
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "application"
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            guard !database.configuration.readonly else { return }
            try database.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0")
        }
        return configuration
    }

    /// Adds a user.
    ///
    /// - Throws: ``AppDatabaseError`` where the database refuses, as on a node that may not write.
    @discardableResult
    public func addUser(name: String, email: String) async throws -> User {
        try await explaining {
            try await pool.write { database in
                try database.execute(sql: "INSERT INTO users(name, email) VALUES (?, ?)", arguments: [name, email])
                return User(id: database.lastInsertedRowID, name: name, email: email)
            }
        }
    }

    /// All users, by their numbers.
    public func users() async throws -> [User] {
        try await explaining {
            try await pool.read { database in
                try Row.fetchAll(database, sql: "SELECT id, name, email FROM users ORDER BY id").map { row in
                    User(id: row["id"], name: row["name"], email: row["email"])
                }
            }
        }
    }

    /// Adds an event.
    ///
    /// - Parameter moment: When it happened, UTC.
    public func addEvent(at moment: Timestamp) async throws {
        try await explaining {
            try await pool.write { database in
                try database.execute(sql: "INSERT INTO events(ts) VALUES (?)", arguments: ["\(moment)"])
            }
        }
    }

    /// How many events there are.
    public func eventCount() async throws -> Int {
        try await explaining {
            try await pool.read { database in
                try Int.fetchOne(database, sql: "SELECT count(*) FROM events") ?? 0
            }
        }
    }

    /// Reads something, to see that the database can be read.
    public func check() async throws {
        try await explaining {
            try await pool.read { database in
                _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1)")
            }
        }
    }

    /// Closes all connections; the last one closes the file. Blocks no thread of the cooperative pool.
    public func close() async throws {
        let pool = pool
        try await NIOThreadPool.singleton.runIfActive { try pool.close() }
    }

    private func explaining<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as DatabaseError {
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
