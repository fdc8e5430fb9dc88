import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What the engine says to databases that it cannot, or can no longer, follow.
@Suite("Attaching") struct AttachTests {
    private func failure(_ path: FilePath, _ adjust: (inout CaptureSettings) -> Void = { _ in }) async -> CaptureError?
    {
        let session = CaptureSession(path) { settings in
            settings.busyTimeout = .milliseconds(200)
            adjust(&settings)
        }
        do {
            try await session.engine.attach()
            await session.engine.abandon()
            return nil
        } catch {
            return error as? CaptureError
        }
    }

    @Test("A missing, an empty, a foreign and a cut file, and a folder, are each told in words")
    func notADatabase() async throws {
        try await withTemporaryFolder("attach") { folder in
            let cases: [(name: String, bytes: [UInt8]?, code: CaptureError.Code)] = [
                ("missing.db", nil, .noDatabase), ("empty.db", [], .noDatabase),
                ("text.db", Array(repeating: 65, count: 9000), .notADatabase), ("one.db", [7], .notADatabase),
                ("magic.db", Array("SQLite format 3\0".utf8) + Array(repeating: 0, count: 500), .notADatabase),
            ]
            for (name, bytes, code) in cases {
                let path = folder.appending(name)
                if let bytes { _ = FileManager.default.createFile(atPath: path.string, contents: Data(bytes)) }
                let error = try #require(await failure(path), "\(name)")
                #expect(error.code == code && error.message.contains(path.string), "\(name): \(error)")
            }
            let error = try #require(await failure(folder))
            #expect(error.code == .notADatabase, "\(error)")
        }
    }

    @Test("A database in another journal mode is refused, naming the pragma, or switched if that was asked for")
    func journalMode() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile(path)
            try application.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB)")
            let error = try #require(await failure(path) { $0.switchesToWAL = false })
            #expect(error.code == .notInWALMode && error.message.contains("PRAGMA journal_mode=WAL"))
            #expect(await failure(path) == nil)
            #expect(try SQLiteFile(path).scalar("PRAGMA journal_mode")?.text == "wal")
            application.close()
        }
    }

    @Test("A database in exclusive locking mode is told as locked, and attached once it is free")
    func exclusive() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            try application.execute("PRAGMA locking_mode = EXCLUSIVE")
            try application.write()
            let error = try #require(await failure(path))
            #expect(error.code == .databaseBusy && error.message.contains("locking_mode=EXCLUSIVE"), "\(error)")
            application.close()
            #expect(await failure(path) == nil)
        }
    }

    @Test("Another engine on the same database is refused")
    func twoEngines() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            let session = CaptureSession(path)
            try await session.engine.attach()
            #expect(await failure(path)?.code == .alreadyReplicated)
            try application.write()
            try await session.check()
            await session.engine.abandon()
            #expect(await failure(path) == nil)
        }
    }

    private static func canWrite(_ path: FilePath) -> Bool {
        do {
            let other = try SQLiteFile(path, .init(creates: false, busyTimeout: .zero))
            try other.execute("BEGIN IMMEDIATE; ROLLBACK")
            return true
        } catch {
            return false
        }
    }

    @Test("Two copies of SQLite in one process are noticed: by their descriptors, and by a write that should wait")
    func twoLibraries() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            defer { application.close() }
            #expect(await failure(path) { $0.isInProcess = true } == nil)
            let canAlways: @Sendable () -> Bool = { FileManager.default.fileExists(atPath: path.string) }
            let error = await failure(path) { settings in
                settings.isInProcess = true
                settings.applicationCanWrite = canAlways
            }
            #expect(error?.code == .twoLibraries)
            let blocked = await failure(path) { settings in
                settings.isInProcess = true
                settings.applicationCanWrite = { Self.canWrite(path) }
            }
            #expect(blocked == nil)
            // What a second library does: it opens the index by itself.
            let index = try FileDescriptor.open(FilePath(path.string + "-shm"), .readOnly)
            let second = try FileDescriptor.open(FilePath(path.string + "-shm"), .readOnly)
            #expect(await failure(path) { $0.isInProcess = true }?.code == .twoLibraries)
            try index.close()
            try second.close()
        }
    }

    @Test("A database that the engine may not read or write is told so, by a program of another user")
    func unreadable() async throws {
        guard geteuid() == 0 else { return }
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            try SQLiteFile.makeDatabase(path).close()
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path.string)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.string)
            let host = try BuiltProduct.path(of: "engine-host")
            let copy = folder.appending("engine-host")
            try FileManager.default.copyItem(atPath: host.string, toPath: copy.string)
            let (program, arguments) = ChildProcess.unprivileged(copy, [path.string])
            let child = try ChildProcess(program, arguments, hasInput: true)
            try await child.waitForOutput(containing: "not-attached notReadable")
        }
    }

    @Test("A page size that changed while the engine was away begins anew with a whole copy")
    func pageSizeChange() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: 512, rows: 60)
            let session = CaptureSession(path)
            try await session.engine.attach()
            try await session.check()
            await session.engine.abandon()
            try application.execute(
                "PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM; PRAGMA journal_mode = WAL"
            )
            try application.write()
            session.restart()
            try await session.engine.attach()
            try await session.check()
            #expect(session.events.copies.map(\.kind) == [.whole, .whole])
            await session.engine.abandon()
        }
    }

    @Test("A long WAL is captured at attach in little memory, and a process that died is gone on from")
    func longLog() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: 4096)
            let reader = try SQLiteFile(path, .init(creates: false))
            let session = CaptureSession(path) { $0.captureLimit = 1 << 20 }
            try await session.engine.attach()
            try application.write()
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try await session.check()
            await session.engine.abandon()
            for _ in 0..<40 { try application.write(rows: 20, bytes: 20_000) }
            session.restart()
            try await session.engine.attach()
            #expect(session.events.proofs.last == "chain")
            try await session.check()
            #expect(session.events.copies.count == 1)
            reader.close()
            await session.engine.abandon()
        }
    }

    @Test("After a restart of the machine the log proves continuity, and the file is compared once")
    func reboot() async throws {
        try await withTemporaryFolder("attach") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, rows: 200)
            let reader = try SQLiteFile(path, .init(creates: false))
            let session = CaptureSession(path)
            try await session.engine.attach()
            try application.write()
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try await session.check()
            await session.engine.abandon()
            try forgetBoot(of: path)
            try application.write()
            let files = session.replay.pageCounts.count
            session.restart()
            try await session.engine.attach()
            #expect(session.events.proofs.last == "chain")
            try await session.check()
            #expect(session.events.copies.last?.cause == .rebooted)
            let shipped = session.replay.pageCounts.dropFirst(files)
            #expect(!shipped.isEmpty && shipped.allSatisfy { $0 < 30 }, "only what differs is shipped: \(shipped)")
            reader.close()
            await session.engine.abandon()
        }
    }
}
