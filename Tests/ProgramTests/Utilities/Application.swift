import Foundation
import SystemPackage
import TestDatabases
import TestSupport

/// An application with one connection that writes; every commit adds one to `PRAGMA user_version`.
///
/// Use it from one task at a time.
final class Application {
    let path: FilePath
    let connection: SQLiteFile
    private(set) var commits: Int64
    private var generator: SeededGenerator

    /// Opens a database, or makes one in WAL mode with `rows` rows of about 1,000 bytes.
    init(
        _ path: FilePath,
        rows: Int = 20,
        pageSize: Int = 4096,
        autocheckpoint: Int = 0,
        seed: UInt64 = 1
    ) throws {
        self.path = path
        generator = SeededGenerator(seed: seed)
        connection = try SQLiteFile(path, .init(busyTimeout: .seconds(10), autocheckpoint: autocheckpoint))
        commits = 0
        try connection.execute("PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        commits = try connection.integer("PRAGMA user_version")
        guard commits == 0 else { return }
        try connection.execute("CREATE TABLE note(id INTEGER PRIMARY KEY, body BLOB)")
        try write(rows: rows)
    }

    /// Commits one transaction that inserts rows.
    func write(rows: Int = 1, bytes: Int = 1000) throws {
        try connection.transaction {
            for _ in 0..<rows {
                try connection.query("INSERT INTO note(body) VALUES (?)", [.blob(generator.bytes(bytes))])
            }
            try connection.execute("PRAGMA user_version = \(commits + 1)")
        }
        commits += 1
    }

    /// What the tables hold, once `integrity_check` has passed.
    func digest() throws -> String { try connection.contentDigest() }

    func image() throws -> DatabaseImage { try connection.image() }

    func close() { connection.close() }
}

/// What a restored database is like.
struct RestoredDatabase {
    let commits: Int64
    let digest: String

    /// Opens it, and checks its integrity.
    init(_ path: FilePath) throws {
        commits = try RandomWorkload.commitNumber(of: path)
        digest = try SQLiteFile.contentDigest(of: path)
    }
}
