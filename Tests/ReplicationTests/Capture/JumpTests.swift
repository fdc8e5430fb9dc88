import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

/// A history that goes on under higher numbers, in a store that gets a whole copy of it (failover-review G3).
@Suite("Jumping numbers", .serialized) struct JumpTests {
    private static let node: UInt64 = 5

    private func attached(
        pageSize: Int = 512,
        _ adjust: (inout CaptureSettings) -> Void = { _ in },
        _ body: (CaptureSession, SQLiteFile, FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("jump") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: pageSize, rows: 20)
            defer { application.close() }
            let session = CaptureSession(path) { settings in
                (settings.node, settings.epoch) = (Self.node, 1)
                adjust(&settings)
            }
            try await session.engine.attach()
            await session.engine.storeIsKnown(shippedThrough: nil)
            try await session.flush()
            try await body(session, application, folder)
            await session.engine.abandon()
        }
    }

    private func jump(_ session: CaptureSession, from number: UInt64) async throws -> HistoryJump {
        let id = try #require(TransactionID(exactly: number))
        for _ in 0..<2000 {
            if let jump = try await session.engine.jump(from: id) { return jump }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw TestSupportError("the numbers did not jump")
    }

    private func local(_ session: CaptureSession) -> MetadataFolder {
        MetadataFolder(root: MetadataFolder.defaultPath(for: session.database))
    }

    @Test(
        "G3 The copy is the state at its number, page for page, while commits and checkpoints go on; what follows fits it",
        arguments: [512, 4096]
    )
    func copies(pageSize: Int) async throws {
        try await attached(pageSize: pageSize) { session, application, folder in
            try application.write(rows: 300, bytes: 2000)
            let path = session.database
            let writer = Task {
                let file = try SQLiteFile(path, .init(creates: false, busyTimeout: .seconds(20)))
                while !Task.isCancelled {
                    try file.write(rows: 3)
                    if Int.random(in: 0..<10) == 0 { _ = try file.checkpoint(.passive) }
                    try await Task.sleep(for: .milliseconds(1))
                }
                file.close()
            }
            let store = Replica(store: FolderStore(root: folder.appending("store")), layout: .folder)
            for start: UInt64 in [50, 51, 300] {
                let jump = try await jump(session, from: start)
                #expect(jump.header.maxTXID.rawValue >= start)
                try await Task.sleep(for: .milliseconds(30))
                let copy = try jump.write(to: folder.appending("copy-\(start)"), mode: 0o600) { true }
                #expect(try copy.holdsEveryPage() && copy.header == jump.header)
                // A snapshot of it, and the local files behind it, are a replica.
                let snapshot = folder.appending("snapshot-\(start)")
                let summary = try copy.writeSnapshot(to: copy.header.maxTXID, at: snapshot, mode: 0o600)
                _ = try await store.put(snapshot, header: summary.header, byteCount: summary.byteCount, level: 9)
            }
            writer.cancel()
            _ = try? await writer.value
            let last = try await session.flush()
            let files = local(session)
            for id in try files.transactionIDs() {
                let file = try #require(try LocalTransaction(files.transactionFile(id)))
                _ = try await store.put(file.path, header: file.header, byteCount: file.byteCount, level: 0)
            }
            let restored = folder.appending("restored.db")
            let result = try await Restorer(store).restore(.latest, to: restored)
            #expect(result.plan.max == last && result.plan.files.contains { $0.level == 9 })
            let fresh = try SQLiteFile(path, .init(creates: false))
            #expect(try DatabaseImage(file: restored).differences(from: try fresh.image()).isEmpty)
            fresh.close()
            let counters = await session.engine.status().counters
            #expect(counters.wholeCopies == 1 && counters.unexpectedCopies == 0, "nothing was read as a whole for it")
        }
    }

    @Test("G3 The numbers jump beside an open transaction, too, and what it holds is not in the copy")
    func jumpsBesideTransaction() async throws {
        try await attached { session, application, folder in
            try application.write(rows: 10)
            let committed = try application.image()
            let other = try SQLiteFile(session.database, .init(creates: false))
            defer { other.close() }
            // What spills into the log before it is committed is there for nobody.
            try other.execute("PRAGMA cache_size = 5; BEGIN IMMEDIATE")
            for _ in 0..<200 { try other.execute("INSERT INTO item(owner, body) VALUES (1, randomblob(2000))") }
            let jump = try await jump(session, from: 40)
            let copy = try jump.write(to: folder.appending("copy"), mode: 0o600) { true }
            let snapshot = folder.appending("snapshot")
            let summary = try copy.writeSnapshot(to: copy.header.maxTXID, at: snapshot, mode: 0o600)
            let store = Replica(store: FolderStore(root: folder.appending("store")), layout: .folder)
            _ = try await store.put(snapshot, header: summary.header, byteCount: summary.byteCount, level: 9)
            let restored = folder.appending("restored.db")
            try await Restorer(store).restore(.latest, to: restored)
            #expect(try DatabaseImage(file: restored).differences(from: committed).isEmpty)
            try other.execute("COMMIT")
            let last = try await session.flush()
            #expect(last.rawValue == copy.header.maxTXID.rawValue + 1)
        }
    }

    @Test("G3 A process that dies behind a jump knows its database again: the jump is a place of its own history")
    func survives() async throws {
        try await attached { session, application, _ in
            let settings = DatabaseSettings(database: session.database)
            let first = try await session.flush()
            let file = try #require(try LocalTransaction(local(session).transactionFile(first)))
            do {
                let follower = try FollowerDatabase(settings)
                try follower.note(file.state)
                follower.close()
            }
            // As long as somebody reads the log is not begun anew, and proves what has followed.
            let reader = try SQLiteFile(session.database, .init(creates: false))
            defer { reader.close() }
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try application.write(rows: 5)
            try await session.flush()
            let number = try await jump(session, from: 90).header.maxTXID.rawValue
            try application.write(rows: 5)
            let last = try await session.flush()
            #expect(number == 90 && last.rawValue == 91)
            await session.engine.abandon()
            // Not captured any more.
            try application.write(rows: 5)

            let follower = try FollowerDatabase(settings)
            defer { follower.close() }
            #expect(try follower.lock())
            let finding = try #require(try follower.examine(node: Self.node))
            #expect(finding.recorded == file.state)
            #expect(finding.ahead.map(\.state.number).suffix(3) == [90, 91, 92])
            #expect(finding.ahead.last?.state.checksum == finding.checksum)
            let jump = try #require(finding.ahead.firstIndex { $0.state.number == 90 })
            #expect(finding.ahead[jump].state.checksum == finding.ahead[jump - 1].state.checksum)
        }
    }

    @Test("G3 A process that dies right behind a jump with an empty log knows its database again, too")
    func survivesWithEmptyLog() async throws {
        try await withTemporaryFolder("jump") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, rows: 20)
            defer { application.close() }
            #expect(!(try application.checkpoint(.truncate).isBusy))
            let session = CaptureSession(path) { settings in (settings.node, settings.epoch) = (Self.node, 1) }
            try await session.engine.attach()
            await session.engine.storeIsKnown(shippedThrough: nil)
            let first = try await session.flush()
            let settings = DatabaseSettings(database: path)
            do {
                let follower = try FollowerDatabase(settings)
                try follower.note(try #require(try LocalTransaction(local(session).transactionFile(first))).state)
                follower.close()
            }
            #expect(await session.engine.status().lastFrame == 0, "nothing but the file tells where it stands")
            _ = try await jump(session, from: 90)
            await session.engine.abandon()
            try application.write(rows: 5)

            let follower = try FollowerDatabase(settings)
            defer { follower.close() }
            #expect(try follower.lock())
            let finding = try #require(try follower.examine(node: Self.node))
            #expect(finding.ahead.map(\.state.number) == [90, 91])
            #expect(finding.ahead.last?.state.checksum == finding.checksum)
        }
    }

    @Test("G3 An engine that starts anew behind a jump goes on without reading the database as a whole")
    func restarts() async throws {
        try await attached { session, application, _ in
            try application.write(rows: 5)
            _ = try await jump(session, from: 90)
            try application.write(rows: 5)
            try await session.flush()
            let copies = session.events.copies.count
            await session.engine.abandon()
            session.restart()
            try await session.engine.attach()
            let id = try #require(TransactionID(exactly: 90))
            await session.engine.storeIsKnown(shippedThrough: id)
            try application.write(rows: 5)
            #expect(try await session.flush().rawValue == 92)
            #expect(session.events.copies.count == copies)
            #expect(try await session.engine.unshippedTransactions().map(\.rawValue) == [91, 92])
        }
    }

    @Test("A copy that is not wanted any more leaves nothing behind")
    func givenUp() async throws {
        try await attached { session, application, folder in
            try application.write(rows: 600, bytes: 3000)
            let jump = try await jump(session, from: 7)
            let path = folder.appending("copy")
            #expect(throws: CancellationError.self) { try jump.write(to: path, mode: 0o600) { false } }
            #expect(!FileStatus.exists(path))
        }
    }
}
