import Logging
import ObjectStorage
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import SQLiteReplicate

@Suite(.timeLimit(.minutes(1))) struct AppDatabaseTests {
    @Test("A new database has its tables and pragmas, and keeps what is added")
    func create() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            let database = try await AppDatabase(at: path, creates: true)
            #expect(try await database.users().isEmpty)
            let ada = try await database.addUser(name: "Ada", email: "ada@example.org")
            try await database.addUser(name: "Bob", email: "bob@example.org")
            #expect(ada.id == 1)
            try await database.addEvent(at: .now)
            try await database.check()
            // Its commits stay in the log: checkpoints are the engine's.
            let file = try SQLiteFile(path, .init(creates: false))
            #expect(try file.scalar("PRAGMA journal_mode") == .text("wal"))
            #expect(try file.query("SELECT name, email FROM users").count == 2)
            file.close()
            try await database.close()

            let again = try await AppDatabase(at: path, creates: false)
            #expect(try await again.users().map(\.name) == ["Ada", "Bob"])
            #expect(try await again.eventCount() == 1)
            try await again.close()
        }
    }

    @Test("A database that is missing, or is none, is refused in words")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let missing = await #expect(throws: AppDatabaseError.self) {
                try await AppDatabase(at: folder.appending("none.db"), creates: false)
            }
            #expect(missing?.message.contains("sqlite-replicate init") == true)
            let path = folder.appending("text.db")
            try FileDescriptor.open(path, .writeOnly, options: .create, permissions: .ownerReadWrite).closeAfter {}
            let descriptor = try FileDescriptor.open(path, .writeOnly)
            try descriptor.closeAfter {
                _ = try descriptor.writeAll(Array("this is no database at all, but some text".utf8))
            }
            let other = await #expect(throws: AppDatabaseError.self) { try await AppDatabase(at: path, creates: true) }
            #expect(other?.message.contains("text.db cannot be opened") == true)
        }
    }

    @Test("The writer writes at its interval, stops and starts")
    func writer() async throws {
        try await withTemporaryFolder { folder in
            let database = try await AppDatabase(at: folder.appending("app.db"), creates: true)
            let writer = EventWriter(database, interval: .milliseconds(5), logger: Logger(label: "test"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await writer.run() }
                try await eventually("three events") { writer.count >= 3 }
                writer.stop()
                let count = try await database.eventCount()
                #expect(count >= 3 && !writer.isStarted)
                writer.start()
                try await eventually("more events") { writer.count > count }
                group.cancelAll()
            }
            #expect(try await database.eventCount() == writer.count)
            try await database.close()
        }
    }
}
