import Foundation
import SystemPackage
import TestDatabases
import TestSupport

/// Plays one application: a round is one transaction, checkpoint or read.
final class Player {
    enum Kind: String, CaseIterable {
        case writer, plain, opener, checkpointer, reader, vacuum
    }

    private(set) var commits = 0
    private(set) var failures = 0
    /// The longest time from the beginning of a write to its commit.
    private(set) var worst = Duration.zero

    private let kind: Kind
    private let database: FilePath
    private let autocheckpoint: Int
    private var generator: SeededGenerator
    private var connection: SQLiteFile?

    init(_ kind: Kind, database: FilePath, seed: UInt64) throws {
        (self.kind, self.database) = (kind, database)
        generator = SeededGenerator(seed: seed)
        autocheckpoint = kind == .writer ? generator.pick([(1, 0), (1, 30), (1, 1000)]) : kind == .plain ? 0 : 30
        let first = try open()
        // Several may begin at once: the first one makes the table.
        try first.execute(
            """
            PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB);
            CREATE INDEX IF NOT EXISTS item_owner ON item(owner); COMMIT
            """
        )
        connection = first
    }

    func close() {
        connection?.close()
        connection = nil
    }

    func round() throws {
        let open = try connection ?? open()
        connection = open
        switch kind {
        case .writer, .plain: write(on: open)
        case .opener:
            for _ in 0..<Int.random(in: 1...4, using: &generator) { write(on: open) }
            close()
        case .checkpointer:
            try open.setBusyTimeout(.milliseconds(100))
            let mode = SQLiteFile.CheckpointMode.allCases.randomElement(using: &generator) ?? .passive
            try expectingBusy { try open.checkpoint(mode) }
        case .reader:
            try open.execute("BEGIN; SELECT max(id) FROM item")
            usleep(.random(in: 0..<20_000, using: &generator))
            try open.execute("SELECT count(*) FROM item; COMMIT")
        case .vacuum: counted { try open.execute("VACUUM") }
        }
    }

    private func open() throws -> SQLiteFile {
        let connection = try SQLiteFile(database, .init(busyTimeout: .seconds(5), autocheckpoint: autocheckpoint))
        try connection.execute("PRAGMA synchronous = NORMAL")
        return connection
    }

    private func write(on connection: SQLiteFile) {
        let spills = generator.happens(0.03)
        let rows = spills ? Int.random(in: 0..<40, using: &generator) : Int.random(in: 1...3, using: &generator)
        let rollsBack = spills && generator.happens(0.5)
        let vacuums = generator.happens(0.02)
        counted {
            if spills { try connection.execute("PRAGMA cache_size = 5") }
            try connection.execute("BEGIN IMMEDIATE")
            for _ in 0..<rows { try insert(on: connection) }
            try connection.query(
                "UPDATE item SET body = ? WHERE id = (SELECT max(id) - ? FROM item)",
                [
                    .blob(generator.bytes(.random(in: 0..<900, using: &generator))),
                    .integer(.random(in: 0..<300, using: &generator)),
                ]
            )
            try connection.execute(
                "DELETE FROM item WHERE id IN (SELECT id FROM item WHERE id < (SELECT max(id) - 400 FROM item) LIMIT 5)"
            )
            if vacuums { try connection.execute("PRAGMA incremental_vacuum(20)") }
            let number = try connection.integer("PRAGMA user_version")
            try connection.execute("PRAGMA user_version = \(number + 1)")
            try connection.execute(rollsBack ? "ROLLBACK" : "COMMIT")
            if spills { try connection.execute("PRAGMA cache_size = 200") }
        }
        if connection.isInTransaction { _ = try? connection.execute("ROLLBACK") }  // The failure was told already.
    }

    private func insert(on connection: SQLiteFile) throws {
        let body = generator.bytes(.random(in: 0..<900, using: &generator))
        let owner = Int64.random(in: 0...1000, using: &generator)
        try connection.query("INSERT INTO item(owner, body) VALUES (?, ?)", [.integer(owner), .blob(body)])
    }

    /// Runs a write that an application expects to succeed; counts it, and tells when it does not.
    private func counted(_ body: () throws -> Void) {
        let start = ContinuousClock.now
        do {
            try body()
            commits += 1
        } catch {
            failures += 1
            FileHandle.standardError.write(Data("write failed: \(error)\n".utf8))
        }
        worst = max(worst, start.duration(to: .now))
    }

    private func expectingBusy(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let failure as SQLiteFailure where failure.isBusy {
            // A checkpoint that finds others in its way is ordinary.
        }
    }
}
