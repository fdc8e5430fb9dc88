import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// No lost and no foreign pages (engine-behaviour 4.1).
@Suite("Requirements: pages") struct PageRequirementTests {
    @Test("R-01 Commits around every checkpoint are captured, while writers run at speed", .timeLimit(.minutes(1)))
    func commitsAroundCheckpoints() async throws {
        try await withTemporaryFolder("r01") { folder in
            let path = folder.appending("app.db")
            try SQLiteFile.makeDatabase(path).close()
            let session = CaptureSession(path) { $0.softLimitFrames = 100 }
            try await session.engine.attach()
            let workload = try BuiltProduct.path(of: "workload")
            let writer = try ChildProcess(workload, [path.string, "plain", "1", "1500"])
            let checkpointer = try ChildProcess(workload, [path.string, "checkpointer", "2", "30"])
            try await writer.waitForOutput(containing: "ready")
            for _ in 0..<12 {
                try await Task.sleep(for: .milliseconds(150))
                try await session.check()
            }
            try await writer.terminate()
            try await checkpointer.terminate()
            try await session.check()
            let counters = await session.engine.status().counters
            #expect(counters.rotations + counters.rotationsWithoutGate > 3, "\(counters)")
            #expect(session.events.unexpected.isEmpty && counters.wholeCopies == 1 && counters.differences == 0)
            try await session.engine.detach()
        }
    }

    @Test("R-02 A growing transaction has all its pages in the file", arguments: [512, 4096, 65536])
    func growth(pageSize: Int) async throws {
        try await withTemporaryFolder("r02") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: pageSize)
            let session = CaptureSession(path, checksEachMark: true) { $0.captureLimit = 256 << 10 }
            try await session.engine.attach()
            try await session.check()
            for rows in [1, 60, 3] {
                // Grows, shrinks and grows within one capture, and within one transaction; the replay refuses holes.
                try application.write(rows: rows, bytes: pageSize * 2)
                try application.execute("BEGIN; DELETE FROM item WHERE id % 3 = 0; PRAGMA incremental_vacuum; COMMIT")
                try application.write(rows: rows * 2, bytes: pageSize)
                try await session.check()
            }
            #expect(session.events.unexpected.isEmpty)
            try await session.engine.detach()
        }
    }

    @Test("R-03 Checkpoints while the engine is away are noticed, whatever they leave of the WAL")
    func awayCheckpoints() async throws {
        for mode in SQLiteFile.CheckpointMode.allCases {
            for rows in [0, 1, 30, 200] {
                for closes in [false, true] {
                    try await playAway("R-03 \(mode), \(rows) rows, closes \(closes)") { session, application in
                        for _ in 0..<rows { try application.write() }
                        try application.checkpoint(mode)
                        try application.write(rows: rows / 2)
                        if closes { application.close() }
                    }
                }
            }
        }
    }

    @Test("R-04 A checkpoint and few frames after it, while the engine was away, do not pass for continuity")
    func fewFramesAfterRestart() async throws {
        try await playAway("R-04") { session, application in
            for _ in 0..<50 { try application.execute("UPDATE item SET body = randomblob(200) WHERE id = 7") }
            try application.checkpoint(.passive)
            try application.write()
        }
    }

    @Test("R-06 A database file that is replaced while attached is noticed, larger or smaller", arguments: [5, 400])
    func replaced(rows: Int) async throws {
        try await withTemporaryFolder("r06") { folder in
            let path = folder.appending("app.db")
            try SQLiteFile.makeDatabase(path, rows: 60).close()
            let other = folder.appending("new.db")
            let new = try SQLiteFile.makeDatabase(other, rows: rows)
            try new.checkpoint(.truncate)
            new.close()
            let session = CaptureSession(path)
            try await session.engine.attach()
            try await session.check()
            for suffix in ["-wal", "-shm"] { try remove(path.string + suffix) }
            try rename(other.string, path.string)
            try await session.wait("noticed") { $0.phase == .detached }
            #expect(session.events.all.contains { if case .fileReplaced = $0 { true } else { false } })
            try await session.engine.attach()
            try await session.check()
            #expect(session.events.copies.last?.cause == .anotherFile)
            try await session.engine.detach()
        }
    }

    @Test("R-07 VACUUM, shrinking and growing in one capture leave no stale page")
    func shrinkAndGrow() async throws {
        try await withTemporaryFolder("r07") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, rows: 300)
            // A small limit: images of pages that are cut off later lie in spill files.
            let session = CaptureSession(path, checksEachMark: true) { $0.captureLimit = 32 << 10 }
            try await session.engine.attach()
            try await session.check()
            for round in 0..<4 {
                try application.execute("DELETE FROM item WHERE id % 4 <> \(round); VACUUM")
                try application.write(rows: 200, bytes: 500)
                try application.execute("DELETE FROM item WHERE id % 5 <> \(round); PRAGMA incremental_vacuum")
                if round.isMultiple(of: 2) { try application.write(rows: 20) }
                try await session.check("round \(round)")
            }
            #expect(session.events.unexpected.isEmpty)
            try await session.engine.detach()
        }
    }

    /// Kills the engine, lets the application act, and attaches again: whatever was proven, the pages must be right.
    private func playAway(
        _ name: String,
        _ act: (CaptureSession, SQLiteFile) throws -> Void
    ) async throws {
        try await withTemporaryFolder("away") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            let session = CaptureSession(path)
            try await session.engine.attach()
            // A reader above READ0 keeps the WAL from beginning anew before the engine is gone.
            let reader = try SQLiteFile(path, .init(creates: false))
            for _ in 0..<40 { try application.write() }
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            try await session.check(name)
            await session.engine.abandon()
            reader.close()
            try act(session, application)
            session.restart()
            try await session.engine.attach()
            try await session.check(name)
            try await session.engine.detach()
            try #require(session.events.failures.isEmpty, "\(name): \(session.events.failures)")
        }
    }
}
