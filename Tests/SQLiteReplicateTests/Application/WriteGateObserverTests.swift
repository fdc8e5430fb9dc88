import GRDB
import ObjectStorage
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Cluster
@testable import SQLiteReplicate

@Suite(.timeLimit(.minutes(1))) struct WriteGateObserverTests {
    @Test("A commit is refused while the gate is closed, and nothing of it stays")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let gate = WriteGateControl()
            gate.set(.open)
            let queue = try Self.queue(folder.appending("app.db"), gate)
            try await queue.write { try $0.execute(sql: "CREATE TABLE note(body TEXT); INSERT INTO note VALUES ('a')") }

            gate.set(WriteGate())
            let refused = await #expect(throws: WriteRefused.self) {
                try await queue.write { try $0.execute(sql: "INSERT INTO note VALUES ('b')") }
            }
            #expect(refused?.reason == .notPrimary && refused?.description.contains("/status") == true)
            // A statement by itself is a transaction, and so is one that changes the schema.
            for statement in ["INSERT INTO note VALUES ('c')", "CREATE TABLE other(x)", "PRAGMA user_version = 7"] {
                await #expect(throws: WriteRefused.self) {
                    try await queue.writeWithoutTransaction { try $0.execute(sql: statement) }
                }
            }
            gate.set(.open)
            try await queue.write { try $0.execute(sql: "INSERT INTO note VALUES ('d')") }
            let notes = try await queue.read { try String.fetchAll($0, sql: "SELECT body FROM note ORDER BY rowid") }
            #expect(notes == ["a", "d"])
            #expect(try await queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 0)
            try queue.close()
        }
    }

    @Test("The answer at the commit counts: time closes the gate in the middle of a transaction")
    func expires() async throws {
        try await withTemporaryFolder { folder in
            let gate = WriteGateControl()
            gate.set(.open)
            let queue = try Self.queue(folder.appending("app.db"), gate)
            try await queue.write { try $0.execute(sql: "CREATE TABLE note(body TEXT)") }
            let refused = await #expect(throws: WriteRefused.self) {
                try await queue.write { database in
                    #expect(gate.isOpen)
                    try database.execute(sql: "INSERT INTO note VALUES ('a')")
                    gate.set(WriteGate(openUntil: NodeClock.now))
                }
            }
            #expect(refused?.reason == .expired && refused?.description.contains("lease") == true)
            #expect(try await queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM note") } == 0)
            try queue.close()
        }
    }

    @Test("An application opens, reads and stays open on a node that follows; its writes are refused at once")
    func follower() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            let before = try await AppDatabase(at: path, creates: true)
            try await before.addUser(name: "Ada", email: "ada@example.org")
            try await before.close()
            // As the node does it: the log is empty, and nobody else gets the write lock.
            let node = try SQLiteFile(path, .init(creates: false, autocheckpoint: 0))
            try node.execute("BEGIN IMMEDIATE")

            let gate = WriteGateControl()
            let database = try await AppDatabase(at: path, creates: false, gate: gate)
            try await database.check()
            #expect(try await database.users().map(\.name) == ["Ada"])
            let refused = await #expect(throws: WriteRefused.self) { try await database.addEvent(at: .now) }
            #expect(refused?.reason == .notPrimary)

            try node.execute("ROLLBACK")
            gate.set(.open)
            try await database.makeTables()
            try await database.addEvent(at: .now)
            #expect(try await database.eventCount() == 1)
            node.close()
            try await database.close()
        }
    }

    @Test("The tables of an empty database are made once the node may write")
    func tables() async throws {
        try await withTemporaryFolder { folder in
            let gate = WriteGateControl()
            let database = try await AppDatabase(at: folder.appending("app.db"), creates: true, gate: gate)
            await #expect(throws: WriteRefused.self) { try await database.makeTables() }
            await #expect(throws: AppDatabaseError.self) { try await database.users() }
            gate.set(.open)
            try await database.makeTables()
            #expect(try await database.users().isEmpty)
            try await database.close()
        }
    }

    /// What the documentation says of it: this test tells when SQLite changes that.
    @Test("SQLite asks nobody when it commits a VACUUM, which changes no content")
    func vacuum() async throws {
        try await withTemporaryFolder { folder in
            let gate = WriteGateControl()
            gate.set(.open)
            let queue = try Self.queue(folder.appending("app.db"), gate)
            try await queue.write { try $0.execute(sql: "CREATE TABLE note(body TEXT); INSERT INTO note VALUES ('a')") }
            gate.set(WriteGate())
            try await queue.vacuum()
            let notes = try await queue.read { try String.fetchAll($0, sql: "SELECT body FROM note") }
            #expect(notes == ["a"])
            try queue.close()
        }
    }

    private static func queue(_ path: FilePath, _ gate: WriteGateControl) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        WriteGateObserver(gate).watch(&configuration)
        return try DatabaseQueue(path: path.string, configuration: configuration)
    }
}

extension WriteGate {
    /// Open for as long as a test may take.
    fileprivate static var open: Self { WriteGate(openUntil: NodeClock.now + .seconds(3600)) }
}
