import Foundation
import LTX
import Logging
import NIOCore
import ObjectStorage
import Replication
import ServiceLifecycle
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What a replicator makes of stores that are away, or that answer wrongly, and of an end meanwhile.
@Suite("Replicators and outages", .timeLimit(.minutes(3))) struct ReplicatorOutageTests {
    /// A replicator with a small spool, on a store that may be away.
    private final class Session: Sendable {
        let database: FilePath
        let store: FilePath
        let isAway = Mutex(false)
        let replicator: DatabaseReplicator
        private let services: ServiceGroup
        private let running: Task<Void, any Error>

        init(in folder: FilePath, isAway: Bool = false, shutdown: Duration = .seconds(20)) throws {
            (database, store) = (folder.appending("app.db"), folder.appending("store"))
            try SQLiteFile.makeDatabase(database, rows: 20).close()
            self.isAway.withLock { $0 = isAway }
            var settings = DatabaseSettings(database: database)
            (settings.spoolLimit, settings.captureLimit) = (1, 16 << 10)
            (settings.syncInterval, settings.isInProcess) = (.milliseconds(20), false)
            settings.shutdownTimeout = shutdown
            let away = Away()
            let probe = ProbeStore(store) { (request) throws(ObjectStoreError) in
                if away.session.withLock({ $0?.isAway.withLock(\.self) ?? isAway }) {
                    throw ObjectStoreError(.unreachable, "\(request): the store does not answer.")
                }
            }
            let logger = Logger(label: "replicator") { _ in SwiftLogNoOpLogHandler() }
            replicator = DatabaseReplicator(settings, replica: Replica(store: probe, layout: .folder), logger: logger)
            let services = ServiceGroup(services: [replicator], logger: logger)
            self.services = services
            running = Task { try await services.run() }
            away.session.withLock { $0 = self }
        }

        private final class Away: Sendable {
            let session = Mutex<Session?>(nil)
        }

        /// Writes until capture is suspended, and then some more.
        func fillSpool() async throws {
            let application = try SQLiteFile(database, .init(creates: false, autocheckpoint: 0))
            defer { application.close() }
            try await eventually("the spool is full", within: .seconds(30)) {
                if await replicator.status().phase == .suspended { return true }
                try application.write(rows: 10, bytes: 500)
                return false
            }
            try application.write(rows: 40, bytes: 500)
        }

        /// Asks it to end; `end()` waits.
        func beginToEnd() async { await services.triggerGracefulShutdown() }
        func end() async throws { try await running.value }

        /// What the replica restores to is what the database holds.
        func check() async throws {
            let path = FilePath("\(database)-restored-\(UInt32.random(in: .min ... .max))")
            try await Restorer(Replica(store: FolderStore(root: store), layout: .folder)).restore(.latest, to: path)
            let (mine, theirs) = (try SQLiteFile(database), try SQLiteFile(path))
            let all = "SELECT * FROM item ORDER BY id"
            #expect(try "\(mine.query(all))" == "\(theirs.query(all))")
            #expect(try theirs.integrityCheck() == "ok")
        }
    }

    @Test("R-60 A spool that is full before the store was ever reached empties once it is")
    func fullBeforeFirstAnswer() async throws {
        try await withTemporaryFolder("outage") { folder in
            let session = try Session(in: folder, isAway: true)
            try await session.fillSpool()
            session.isAway.withLock { $0 = false }
            try await session.replicator.sync(timeout: .seconds(30))
            try await session.check()
            await session.beginToEnd()
            try await session.end()
        }
    }

    @Test("What was committed while the spool was full is captured and shipped at the end")
    func endsWithFullSpool() async throws {
        try await withTemporaryFolder("outage") { folder in
            let session = try Session(in: folder)
            try await session.replicator.sync(timeout: .seconds(30))
            session.isAway.withLock { $0 = true }
            try await session.fillSpool()
            await session.beginToEnd()
            session.isAway.withLock { $0 = false }
            try await session.end()
            try await session.check()
        }
    }

    @Test("An end with a full spool and no store says that not all is captured")
    func endsWithoutStore() async throws {
        try await withTemporaryFolder("outage") { folder in
            let session = try Session(in: folder, shutdown: .milliseconds(300))
            try await session.replicator.sync(timeout: .seconds(30))
            session.isAway.withLock { $0 = true }
            try await session.fillSpool()
            await session.beginToEnd()
            let error = await #expect(throws: ReplicationIncomplete.self) { try await session.end() }
            #expect(error?.isCaptured == false && error?.fileCount ?? 0 > 0)
        }
    }

    @Test(
        "On a store without conditions a file whose answer was lost is known again; another writer's is not taken for it"
    )
    func lostAnswer() async throws {
        try await withTemporaryFolder("outage") { folder in
            let database = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(database, rows: 20)
            defer { application.close() }
            let (loses, logged) = (Flag(), Flag())
            let store = ProbeStore(folder.appending("store"), honoursConditions: false) {
                (request) throws(ObjectStoreError) in
                guard case .put = request, loses.value else { return }
                (loses.value, logged.value) = (false, true)
                throw ObjectStoreError(.unreachable, "The answer is lost.")
            }
            var settings = DatabaseSettings(database: database)
            settings.isInProcess = false
            let replica = Replica(store: store, layout: .folder)
            let logger = Logger(label: "replicator") { _ in SwiftLogNoOpLogHandler() }
            let replicator = DatabaseReplicator(settings, replica: replica, logger: logger)
            let services = ServiceGroup(services: [replicator], logger: logger)
            let running = Task { try await services.run() }
            let first = try #require(try await replicator.sync(timeout: .seconds(30)))
            loses.value = true
            try application.write(rows: 5)
            let id = try #require(try await replicator.sync(timeout: .seconds(30)))
            #expect(id > first && logged.value)
            #expect(await replicator.status().phase == .attached)
            // What somebody else has written under the next number is no answer that was lost.
            let other = replica.layout.key(level: 0, min: id.next, max: id.next)
            let bytes = ObjectBody.bytes(.init(string: "something else"))
            _ = try await FolderStore(root: folder.appending("store")).put(
                other,
                bytes,
                metadata: .init(),
                condition: .none
            )
            try application.write(rows: 5)
            try await eventually("it halts", within: .seconds(20)) { await replicator.status().phase == .halted }
            running.cancel()
            _ = try? await running.value
        }
    }

    private final class Flag: Sendable {
        private let flag = Mutex(false)
        var value: Bool {
            get { flag.withLock(\.self) }
            set { flag.withLock { $0 = newValue } }
        }
    }

    @Test("A database whose metadata is gone goes on from the replica's newest file, which is there again")
    func withoutMetadata() async throws {
        try await withTemporaryFolder("outage") { folder in
            let database = folder.appending("app.db")
            try SQLiteFile.makeDatabase(database, rows: 200).close()
            var settings = DatabaseSettings(database: database)
            settings.isInProcess = false
            let replica = Replica(store: FolderStore(root: folder.appending("store")), layout: .folder)
            let quiet = Logger(label: "replicator") { _ in SwiftLogNoOpLogHandler() }
            try await DatabaseReplicator(settings, replica: replica, logger: quiet).runOnce()
            let newest = try #require(try await replica.list().highest)
            let metadata = MetadataFolder.defaultPath(for: database)
            try FileManager.default.removeItem(atPath: metadata.string)
            try await DatabaseReplicator(settings, replica: replica, logger: quiet).runOnce()
            #expect(try await replica.list().highest == newest)
            let file = MetadataFolder(root: metadata).transactionFile(newest)
            #expect(FileManager.default.fileExists(atPath: file.string))
        }
    }

    @Test("A database that was given another page size restores to its newest state, and to earlier ones")
    func pageSizeChange() async throws {
        try await withTemporaryFolder("outage") { folder in
            let database = folder.appending("app.db")
            try SQLiteFile.makeDatabase(database, pageSize: 512, rows: 60).close()
            var settings = DatabaseSettings(database: database)
            settings.isInProcess = false
            let replica = Replica(store: FolderStore(root: folder.appending("store")), layout: .folder)
            let quiet = Logger(label: "replicator") { _ in SwiftLogNoOpLogHandler() }
            try await DatabaseReplicator(settings, replica: replica, logger: quiet).runOnce()
            let before = try #require(try await replica.list().highest)
            let application = try SQLiteFile(database)
            try application.execute(
                "PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM; PRAGMA journal_mode = WAL"
            )
            try application.write(rows: 5)
            try await DatabaseReplicator(settings, replica: replica, logger: quiet).runOnce()
            try application.write(rows: 5)
            try await DatabaseReplicator(settings, replica: replica, logger: quiet).runOnce()
            for (point, rows, size) in [(RestoreTarget.latest, 70, 4096), (.transaction(before), 60, 512)] {
                let path = folder.appending("restored-\(rows).db")
                try await Restorer(replica).restore(point, to: path)
                let restored = try SQLiteFile(path)
                #expect(try restored.integer("SELECT count(*) FROM item") == Int64(rows))
                #expect(try restored.integer("PRAGMA page_size") == Int64(size))
                #expect(try restored.integrityCheck() == "ok")
            }
        }
    }

    @Test("A history is not given up where no database is attached")
    func notAttached() async throws {
        try await withTemporaryFolder("outage") { folder in
            let engine = CaptureSession(folder.appending("app.db")).engine
            await #expect(throws: CaptureError.self) {
                try await engine.restartHistory(above: nil, cause: .foreignHistory, detail: "")
            }
        }
    }
}
