import GRDB
import Replication
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The SQLite file of a witness: what is in it, and how it is opened.
///
/// It is held alone: SQLite's exclusive lock ends with the process, however that ends. The write-ahead log with
/// `synchronous` FULL is durable at each commit; a rollback journal with FULL is not, as its removal may be undone by a
/// power cut.
enum WitnessFile {
    /// `SRWI`, in the header of the file.
    static let applicationID = 0x5352_5749
    static let version = 1

    /// Opens the file, and makes it where there is none. Blocks.
    ///
    /// - Returns: The file, and the number that names it.
    /// - Throws: ``WitnessError``.
    static func open(_ path: FilePath) throws(WitnessError) -> (DatabaseQueue, identity: UInt64) {
        do {
            // SQLite has names that stand for no file, such as ":memory:"; none of them is a whole path.
            let path = FilePath(FileManager.default.currentDirectoryPath).pushing(path)
            let isNew = try create(path)
            let queue = try DatabaseQueue(path: path.string, configuration: configuration(path))
            let identity = try queue.inDatabase { database in
                try prepare(database, path, isNew: isNew)
                return try Int64.fetchOne(database, sql: "SELECT id FROM state") ?? 0
            }
            return (queue, UInt64(bitPattern: identity))
        } catch let error as WitnessError {
            throw error
        } catch let error as DatabaseError {
            throw WitnessError(opening: path, error)
        } catch {
            throw .fileUnusable(path, "\(error)")
        }
    }

    /// Makes an empty file that its owner alone reads, where there is none.
    private static func create(_ path: FilePath) throws(WitnessError) -> Bool {
        do {
            let file = try FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
            try file.close()
            let folder = path.removingLastComponent()
            try Disk.syncFolder(folder.isEmpty ? "." : folder)
            return true
        } catch let error as Errno {
            if error == .fileExists { return false }
            throw .fileUnusable(path, "\(error)")
        } catch {
            throw .fileUnusable(path, "\(error)")
        }
    }

    private static func configuration(_ path: FilePath) -> Configuration {
        var configuration = Configuration()
        configuration.label = "witness"
        // Long enough for one that is just ending.
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            // Before anything is changed: the file may be somebody else's.
            try inspect(database, path)
            try database.execute(
                sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 256"
            )
            // Where a plain sync stops at the disk's cache; elsewhere nothing.
            try database.execute(sql: "PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1")
        }
        return configuration
    }

    /// Refuses a file of something else, or of a later version.
    private static func inspect(_ database: Database, _ path: FilePath) throws {
        let objects = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        let id = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        if objects == 0, id == 0 { return }
        guard id == applicationID else { throw WitnessError.foreignFile(path, "it is a database of something else") }
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= version else {
            throw WitnessError.foreignFile(path, "its version is \(found), and this program knows \(version)")
        }
    }

    private static func prepare(_ database: Database, _ path: FilePath, isNew: Bool) throws {
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode") ?? ""
        let level = try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? 0
        guard mode == "wal", level == 2 else {
            throw WitnessError.fileUnusable(path, "SQLite gives it journal_mode \(mode), synchronous \(level)")
        }
        if !isNew {
            let words = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
            guard words == "ok" else { throw WitnessError.damagedFile(path, words) }
        }
        try database.inTransaction(.immediate) {
            try database.execute(sql: schema, arguments: [UInt64.random(in: .min ... .max).signed])
            try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// `state` has one row. `id` names the file for people; `revision` only grows; `checks` is written by health checks.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS state(
            one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL, revision INTEGER NOT NULL,
            checks INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS cells(
            name TEXT PRIMARY KEY, revision INTEGER NOT NULL, nonce INTEGER NOT NULL, changed INTEGER NOT NULL,
            body BLOB NOT NULL);
        INSERT OR IGNORE INTO state VALUES (1, ?, 0, 0)
        """
}

extension WitnessFile {
    /// What went wrong, without the statement that met it.
    static func words(_ error: any Error) -> String {
        (error as? DatabaseError).map { $0.message ?? "\($0.resultCode)" } ?? "\(error)"
    }
}

extension UInt64 {
    /// The same bits as SQLite keeps them.
    var signed: Int64 { Int64(bitPattern: self) }
}
