import Foundation
import LTX
import Replication
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What happens to an engine while it is attached, and when it ends.
@Suite("An engine's life") struct LifeTests {
    private func attached(
        _ adjust: (inout CaptureSettings) -> Void = { _ in },
        _ body: (CaptureSession, SQLiteFile) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("life") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            let session = CaptureSession(path, adjust)
            try await session.engine.attach()
            try await session.check()
            try await body(session, application)
            await session.engine.abandon()
        }
    }

    @Test("A full spool suspends capture; once it is shipped the engine goes on where it was")
    func fullSpool() async throws {
        try await attached({
            $0.spoolLimit = 40_000; $0.captureLimit = 16 << 10
        }) { session, application in
            await session.engine.storeIsKnown(shippedThrough: nil)
            if let id = await session.engine.status().transaction { await session.engine.shipped(through: id) }
            for _ in 0..<40 {
                guard await session.engine.status().phase == .attached else { break }
                try application.write(rows: 40)
                try await Task.sleep(for: .milliseconds(10))
            }
            try await session.wait("suspended") { $0.phase == .suspended }
            for _ in 0..<20 { try application.write(rows: 10) }
            try application.checkpoint(.truncate)
            if let id = try await session.engine.unshippedTransactions().last {
                await session.engine.shipped(through: id)
            }
            await session.engine.resumeFromSuspension()
            try await session.engine.attach()
            try await session.check()
            #expect(session.events.unexpected.isEmpty)
        }
    }

    @Test(
        "R-13 While a reader stands in the way of a long log, checkpoints are tried now and then, not at every commit"
    )
    func noLoop() async throws {
        let passes = Mutex(0)
        try await attached({ settings in
            settings.softLimitFrames = 40
            settings.faultPoint = { point in if point == .beforePassive { passes.withLock { $0 += 1 } } }
        }) { session, application in
            let reader = try SQLiteFile(session.database, .init(creates: false))
            defer { reader.close() }
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            for _ in 0..<60 { try application.write(rows: 5) }
            try await session.check("long")
            passes.withLock { $0 = 0 }
            let before = await session.engine.status().counters.captures
            for _ in 0..<200 {
                try application.write()
                try await Task.sleep(for: .milliseconds(12))
            }
            try await session.check("longer")
            let captures = await session.engine.status().counters.captures - before
            #expect(captures > 50)
            let tried = passes.withLock(\.self)
            #expect(tried < captures / 2, "\(tried) checkpoints were tried at \(captures) looks that found something")
        }
    }

    @Test("A log that has grown long gives its room back once the database is quiet, and nothing is lost by that")
    func shrinks() async throws {
        try await attached({ $0.softLimitFrames = 40 }) { session, application in
            let log = session.database.string + "-wal"
            let reader = try SQLiteFile(session.database, .init(creates: false))
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            for _ in 0..<60 { try application.write(rows: 5) }
            try await session.check("long")
            let long = byteCount(of: log)
            #expect(long > 40 * 4 * 536)
            reader.close()
            try await session.wait("shortened") { $0.counters.shrinks > 0 }
            #expect(byteCount(of: log) < long)
            for _ in 0..<5 { try application.write() }
            try await session.check("after that")
            // Also for an engine that was killed while the log was empty.
            try await session.wait("quiet") { !$0.hasOpenCapture }
            await session.engine.abandon()
            try application.write()
            session.restart { $0.softLimitFrames = 40 }
            try await session.engine.attach()
            try await session.check("another engine")
            #expect(session.events.unexpected.isEmpty && session.events.copies.filter { $0.kind == .whole }.count == 1)
        }
    }

    /// A burst of which no turn of the engine's sees anything before it is flushed.
    private func burst(_ engine: isolated CaptureEngine, _ database: FilePath) throws {
        let application = try SQLiteFile(database, .init(creates: false, autocheckpoint: 0))
        defer { application.close() }
        for _ in 0..<60 { try application.write(rows: 5) }
        _ = try engine.flush()
    }

    @Test("A long log gives its room back also where all of it was captured by a flush")
    func shrinksAfterFlush() async throws {
        try await attached({ $0.softLimitFrames = 40 }) { session, _ in
            try await burst(session.engine, session.database)
            #expect(byteCount(of: session.database.string + "-wal") > 40 * 4 * 536)
            try await session.wait("shortened") { $0.counters.shrinks > 0 }
            try await session.check("after that")
        }
    }

    @Test("A transaction file that somebody else writes into our folder stops the engine with an alarm")
    func foreignFile() async throws {
        try await attached { session, application in
            let folder = MetadataFolder(root: MetadataFolder.defaultPath(for: session.database))
            let last = try #require(await session.engine.status().transaction)
            let foreign = folder.transactionFile(TransactionID(rawValue: last.rawValue + 2))
            try Data([1, 2, 3]).write(to: URL(filePath: foreign.string))
            try application.write()
            await #expect(throws: CaptureError.self) { try await session.engine.flush() }
            #expect(await session.engine.status().phase == .detached)
            #expect(session.events.failures.contains { $0.contains(foreign.string) })
            let error = await #expect(throws: CaptureError.self) { try await session.engine.attach() }
            #expect(error?.code == .secondWriter)
        }
    }

    @Test("An unshipped file that is lost ends in a whole copy above what was shipped")
    func lostFile() async throws {
        try await attached { session, application in
            await session.engine.storeIsKnown(shippedThrough: nil)
            let first = try #require(await session.engine.status().transaction)
            await session.engine.shipped(through: first)
            for _ in 0..<3 {
                try application.write()
                try await session.flush()
            }
            let folder = MetadataFolder(root: MetadataFolder.defaultPath(for: session.database))
            let lost = try await session.engine.unshippedTransactions()[1]
            try remove(folder.transactionFile(lost).string)
            #expect(try await session.engine.unshippedTransactions().isEmpty)
            let id = try await session.flush()
            #expect(id.rawValue == first.rawValue + 1)
            session.replay = LocalReplay(of: session.database)
            #expect(session.events.copies.last?.cause == .localFilesLost && session.events.copies.last?.kind == .whole)
            #expect(try await session.engine.localTransactions() == [id])
        }
    }

    @Test(
        "Locks that were dropped by a raw close in this process are noticed before the next gate; no checkpoint follows"
    )
    func lostLocks() async throws {
        try await withTemporaryFolder("life") { folder in
            // In a process of its own: the locks of this one must stay.
            let session = HostSession(folder.appending("app.db"))
            let application = try SQLiteFile.makeDatabase(session.database)
            try await session.start(["soft=30", "known=1", "close-raw=3"])
            for _ in 0..<30 {
                try application.write(rows: 10)
                try await Task.sleep(for: .milliseconds(20))
            }
            try await session.wait(for: "are gone")
            let rotations = session.lines.filter { $0.hasPrefix("rotated") }.count
            for _ in 0..<10 { try application.write(rows: 10) }
            try await Task.sleep(for: .milliseconds(200))
            #expect(session.lines.filter { $0.hasPrefix("rotated") }.count == rotations)
            application.close()
            try await session.kill()
        }
    }

    @Test("A file replaced in the application's process stops the engine; attached anew it copies")
    func replacedInProcess() async throws {
        try await attached({ $0.isInProcess = true }) { session, application in
            let path = session.database.string
            let other = FilePath(path + ".new")
            let new = try SQLiteFile.makeDatabase(other, rows: 90)
            try new.checkpoint(.truncate)
            new.close()
            application.close()
            try rename(other.string, path)
            try await session.wait("noticed") { $0.phase == .detached }
            for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try remove(path + suffix)
            }
            session.restart()
            try await session.engine.attach()
            try await session.check()
        }
    }

    @Test("A -wal that is removed under the engine is noticed")
    func removedLog() async throws {
        try await attached { session, application in
            try remove(session.database.string + "-wal")
            try application.write()
            try await session.wait("noticed", within: .seconds(5)) { $0.phase == .detached }
            application.close()
        }
    }

    @Test("At the end nothing is checkpointed for an application that stays; everything is for one that has gone")
    func detaching() async throws {
        for stays in [true, false] {
            try await withTemporaryFolder("life") { folder in
                let session = HostSession(folder.appending("app.db"))
                let application = try SQLiteFile.makeDatabase(session.database, rows: 40)
                try await session.start(["known=1"])
                try application.write(rows: 5)
                try await session.check()
                // Not backfilled while a reader is there: the end may not do it either.
                let reader = try SQLiteFile(session.database, .init(creates: false))
                try reader.execute("BEGIN; SELECT count(*) FROM item")
                try application.write(rows: 5)
                if !stays {
                    reader.close()
                    application.close()
                }
                session.send("stop")
                _ = try await session.host?.waitForExit()
                let record = MetadataFolder.defaultPath(for: session.database)
                    .appending("sqlite-replicate").appending("position")
                let text = try String(contentsOfFile: record.string, encoding: .utf8)
                if !stays { #expect(text.contains("\nquiet "), "\(text)") }
                if stays { #expect(!text.contains("\nquiet "), "\(text)") }
                reader.close()
                try await session.kill()
                let again = stays ? application : try SQLiteFile(session.database)
                try again.write()
                try await session.start(["known=1"])
                #expect(session.lines.contains { $0.hasPrefix("continued ") }, "\(session.lines)")
                try await session.check()
                #expect(session.allLines.filter { $0.hasPrefix("copy-began") }.count == 1)
                try await session.kill()
            }
        }
    }

    @Test("An engine that is stopped for ten seconds captures what was written meanwhile; the log shrinks again")
    func stoppedProcess() async throws {
        try await withTemporaryFolder("life") { folder in
            let session = HostSession(folder.appending("app.db"))
            try SQLiteFile.makeDatabase(session.database, rows: 40).close()
            try await session.start(["soft=100", "known=1"])
            try await session.check()
            let log = session.database.string + "-wal"
            let before = byteCount(of: log)
            session.host?.signal(SIGSTOP)
            try session.startOther("writer", rate: 100)
            // A stretch of time, not a wait for something.
            try await Task.sleep(for: .seconds(10))
            let grown = byteCount(of: log)
            #expect(grown > before + 1_000_000)
            session.host?.signal(SIGCONT)
            try await session.check("while the writer goes on")
            try await session.endOthers()
            try await session.check("after the writer")
            try await eventually("the log shrinks") { byteCount(of: log) < grown / 2 }
            try await session.check("after that")
            #expect(session.unexpected.isEmpty && session.applicationFailures.isEmpty)
            try await session.end()
        }
    }

    @Test("A log that grows past the length to be told of is told of once, and again after it was begun anew")
    func longLog() async throws {
        try await attached({ settings in
            settings.softLimitFrames = 40
            settings.longLogFrames = 200
        }) { session, application in
            func told() -> Int { session.events.all.count { if case .logIsLong = $0 { true } else { false } } }
            for round in 1...2 {
                let reader = try SQLiteFile(session.database, .init(creates: false))
                try reader.execute("BEGIN; SELECT count(*) FROM item")
                for _ in 0..<150 { try application.write(rows: 5) }
                try await session.check("long")
                #expect(told() == round)
                reader.close()
                let salts = try logSalts(of: session.database)
                try await eventually("the log begins anew") {
                    try application.write()
                    return try logSalts(of: session.database) != salts
                }
                try await session.check("anew")
            }
        }
    }
}

/// The salts in the header of a database's write-ahead log.
private func logSalts(of database: FilePath) throws -> [UInt8] {
    // SQLite holds no locks on this file, so that it may be opened and closed in its process.
    let file = try FileDescriptor.open(database.string + "-wal", .readOnly)
    return try file.closeAfter {
        try [UInt8](unsafeUninitializedCapacity: 8) { buffer, count in
            count = try file.read(fromAbsoluteOffset: 16, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
