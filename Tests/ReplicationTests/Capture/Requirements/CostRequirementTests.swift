import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// No needless copies, no self-made work, and an application that does not suffer (engine-behaviour 4.2 to 4.4).
@Suite("Requirements: costs", .serialized) struct CostRequirementTests {
    /// Attaches to a small database and runs `body`.
    private func attached(
        rows: Int = 20,
        pageSize: Int = 4096,
        autocheckpoint: Int = 0,
        _ adjust: (inout CaptureSettings) -> Void = { _ in },
        _ body: (CaptureSession, SQLiteFile) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("cost") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(
                path,
                pageSize: pageSize,
                rows: rows,
                autocheckpoint: autocheckpoint
            )
            let session = CaptureSession(path, adjust)
            try await session.engine.attach()
            await session.engine.storeIsKnown(shippedThrough: nil)
            try await session.flush()
            try await ship(session)
            try await body(session, application)
            await session.engine.abandon()
        }
    }

    /// A debug build captures a tenth as fast as a release build, in which the writer takes no pause.
    private static func pause() async throws {
        #if DEBUG
            try await Task.sleep(for: .microseconds(300))
        #endif
    }

    private func ship(_ session: CaptureSession) async throws {
        if let id = await session.engine.status().transaction { await session.engine.shipped(through: id) }
    }

    @Test("R-20 Our own checkpoints are not taken for foreign ones: each change is captured once")
    func ownCheckpoints() async throws {
        try await attached({ $0.softLimitFrames = 20 }) { session, application in
            for _ in 0..<30 {
                try application.write(rows: 5)
                try await Task.sleep(for: .milliseconds(20))
                try await ship(session)
            }
            try await session.check()
            let status = await session.engine.status()
            #expect(status.counters.wholeCopies == 1 && status.counters.differences == 0)
            #expect(session.replay.pageCounts.dropFirst().allSatisfy { $0 < Int(status.databaseSize) })
        }
    }

    @Test("R-21 After bulk writes there is at most one more file, then silence")
    func bulkThenSilence() async throws {
        try await attached { session, application in
            for _ in 0..<2000 { try application.execute("INSERT INTO item(owner) VALUES (1)") }
            try await session.flush()
            try await ship(session)
            let before = try await session.engine.localTransactions().count
            try await Task.sleep(for: .milliseconds(1500))
            #expect(try await session.engine.localTransactions().count <= before + 1)
        }
    }

    @Test("R-22 An idle database makes no files and no work, over many looks")
    func idle() async throws {
        try await attached({ $0.slowPoll = .milliseconds(100) }) { session, _ in
            try await Task.sleep(for: .milliseconds(400))
            let before = await session.engine.status()
            try await Task.sleep(for: .milliseconds(1500))
            let after = await session.engine.status()
            #expect(after.transaction == before.transaction && after.counters == before.counters)
            #expect(!after.hasOpenCapture)
        }
    }

    @Test("R-23 No copies while attached, whatever the load", .timeLimit(.minutes(1)))
    func noCopiesUnderLoad() async throws {
        try await attached({ $0.softLimitFrames = 60 }) { session, _ in
            let workload = try BuiltProduct.path(of: "workload")
            let others = try ["writer", "opener", "checkpointer", "reader", "vacuum"].enumerated().map { index, kind in
                try ChildProcess(workload, [session.database.string, kind, "\(index)", kind == "vacuum" ? "3" : "200"])
            }
            for _ in 0..<8 {
                try await Task.sleep(for: .milliseconds(250))
                try await session.check()
            }
            for other in others { try await other.terminate() }
            let counters = await session.engine.status().counters
            #expect(counters.wholeCopies == 1 && counters.differences == 0, "\(session.events.copies)")
        }
    }

    @Test("R-24 A file that ends at the WAL's header is gone on from")
    func endAtHeader() async throws {
        try await withTemporaryFolder("r24") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            try application.checkpoint(.truncate)
            let session = CaptureSession(path)
            try await session.engine.attach()
            try await session.check()
            await session.engine.abandon()
            for _ in 0..<3 {
                session.restart()
                try await session.engine.attach()
                try application.write()
                try await session.check()
                await session.engine.abandon()
                try application.checkpoint(.truncate)
            }
        }
    }

    @Test("R-25 A checkpoint that writes nothing behind it does not cost the position")
    func positionSurvivesCheckpoint() async throws {
        for isLast in [false, true] {
            try await withTemporaryFolder("r25") { folder in
                let path = folder.appending("app.db")
                let application = try SQLiteFile.makeDatabase(path)
                let session = CaptureSession(path)
                try await session.engine.attach()
                try application.write(rows: 10)
                try await session.check()
                if isLast { application.close() }
                // Everything is backfilled, and the file's time is a while ago: the quiet mark is written.
                try await Task.sleep(for: .milliseconds(300))
                try await session.engine.detach()
                let again = try SQLiteFile(path, .init(creates: false, busyTimeout: .seconds(5), autocheckpoint: 0))
                session.restart()
                try await session.engine.attach()
                try again.write()
                try await session.check()
                #expect(session.events.copies.count == 1, "last \(isLast): \(session.events.copies)")
                await session.engine.abandon()
                application.close()
            }
        }
    }

    @Test("R-30 With a reader that stays open no write waits long because of us", .timeLimit(.minutes(1)))
    func longReader() async throws {
        try await attached({ $0.softLimitFrames = 100 }) { session, application in
            let reader = try SQLiteFile(session.database, .init(creates: false))
            try application.write()
            try reader.execute("BEGIN; SELECT count(*) FROM item")
            var worst = Duration.zero
            let end = ContinuousClock.now + .seconds(4)
            while ContinuousClock.now < end {
                let start = ContinuousClock.now
                try application.write()
                worst = max(worst, start.duration(to: .now))
                try await Self.pause()
            }
            let counters = await session.engine.status().counters
            print("R-30: worst commit \(worst), longest hold \(counters.longestHold), rotations \(counters.rotations)")
            #expect(counters.longestHold < .milliseconds(120) && worst < .seconds(1))
            try await session.check()
            // Once the reader is gone the WAL begins anew.
            let before = counters.restarts
            reader.close()
            let limit = ContinuousClock.now + .seconds(10)
            while await session.engine.status().counters.restarts == before, ContinuousClock.now < limit {
                try application.write()
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(await session.engine.status().counters.restarts > before)
        }
    }

    @Test("R-31 R-32 While the database is copied, commits and the application's checkpoints go on")
    func copyHoldsNobody() async throws {
        try await withTemporaryFolder("r32") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: 4096)
            for _ in 0..<12 { try application.write(rows: 4, bytes: 1 << 20) }
            try application.checkpoint(.truncate)
            try application.write(rows: 3)
            let session = CaptureSession(path)
            try await session.engine.attach()
            var (commits, worst, checkpoint) = (0, Duration.zero, Duration.zero)
            while await session.engine.status().isCopying {
                let start = ContinuousClock.now
                try application.write()
                worst = max(worst, start.duration(to: .now))
                commits += 1
                if commits.isMultiple(of: 20) {
                    let start = ContinuousClock.now
                    do {
                        try application.checkpoint(.truncate)
                    } catch {
                        try #require((error as? TestDatabases.SQLiteFailure)?.isBusy == true)
                    }
                    checkpoint = max(checkpoint, start.duration(to: .now))
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            print("R-32: \(commits) commits during the copy, worst \(worst), worst checkpoint \(checkpoint)")
            #expect(commits > 5 && worst < .seconds(1) && checkpoint < .seconds(2))
            try await session.check()
            await session.engine.abandon()
        }
    }

    @Test("R-33 The WAL does not grow without bound under steady writes", .timeLimit(.minutes(1)))
    func boundedLog() async throws {
        // How fast a rotation is depends on who else uses the machine, so no number of bytes would be a bound: that the
        // log begins anew as long as somebody writes is one.
        try await attached({ $0.softLimitFrames = 500 }) { session, application in
            let log = FilePath(session.database.string + "-wal")
            var salts: Set<UInt32> = []
            var (commits, longest) = (0, 0)
            // Not asked of the engine, which the writer must not wait for.
            while salts.count < 20 {
                for _ in 0..<20 {
                    try application.write()
                    try await Self.pause()
                }
                commits += 20
                longest = max(longest, byteCount(of: log.string))
                try salts.insert(salt(of: log))
            }
            let written = await session.engine.status().counters.framesCaptured * (4096 + 24)
            print("R-33: \(commits) commits, \(written >> 10) KiB, WAL at most \(longest >> 10) KiB")
            #expect(longest * 2 < written, "\(longest) of \(written)")
            try await session.check()
        }
    }

    /// The number that each generation of a write-ahead log has of its own.
    private func salt(of log: FilePath) throws -> UInt32 {
        let file = try FileHandle(forReadingFrom: URL(filePath: log.string))
        defer { try? file.close() }  // Nothing was written.
        return try #require(try file.read(upToCount: 20)).dropFirst(16).reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test("R-34 A write lock that others hold is ordinary: no failure is told, nothing is lost")
    func busyIsOrdinary() async throws {
        try await attached({ $0.softLimitFrames = 20 }) { session, application in
            for _ in 0..<5 {
                try application.write(rows: 100)
                try application.execute("BEGIN IMMEDIATE")
                try await Task.sleep(for: .milliseconds(60))
                try application.execute("ROLLBACK")
            }
            try await session.check()
            #expect(session.events.failures.isEmpty && session.events.unexpected.isEmpty)
        }
    }

    @Test("R-40 A commit that overwrites old frames, at the same size of the WAL, is noticed at once")
    func overwrittenFrames() async throws {
        try await attached { session, application in
            try application.write(rows: 100)
            try await session.flush()
            try await ship(session)
            let size = byteCount(of: session.database.string + "-wal")
            for _ in 0..<3 {
                // All is backfilled by then: the next commit begins the log anew.
                try await Task.sleep(for: .milliseconds(1200))
                let captures = await session.engine.status().counters.captures
                try application.write()
                try await session.wait("the commit is captured", within: .seconds(2)) {
                    $0.counters.captures > captures
                }
                try await ship(session)
                #expect(byteCount(of: session.database.string + "-wal") == size)
            }
            #expect(await session.engine.status().counters.restarts >= 2)
            try await session.check()
        }
    }

    @Test("R-10 A version of SQLite with the WAL-reset bug is warned of")
    func versionWarning() async throws {
        try await attached { session, _ in
            let warnings = session.events.all.filter { if case .sqliteVersionWarning = $0 { true } else { false } }
            let version = try SQLiteFile(":memory:").scalar("SELECT sqlite_version()")?.text ?? ""
            let numbers = version.split(separator: ".").compactMap { Int($0) }
            try #require(numbers.count == 3)
            let number = numbers[0] * 1_000_000 + numbers[1] * 1000 + numbers[2]
            let isRepaired =
                number >= 3_051_003 || (3_050_007..<3_051_000).contains(number)
                || (3_044_006..<3_045_000).contains(number)
            #expect(warnings.count == (isRepaired ? 0 : 1))
        }
    }
}
