import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Large captures become files aside, and a steady stream is looked at only now and then.
@Suite("Closing and resting", .serialized) struct ClosingTests {
    private func attached(
        _ adjust: (inout CaptureSettings) -> Void,
        _ body: (CaptureSession, SQLiteFile) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("closing") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, rows: 20)
            defer { application.close() }
            let session = CaptureSession(path, adjust)
            try await session.engine.attach()
            await session.engine.storeIsKnown(shippedThrough: nil)
            try await session.flush()
            try await body(session, application)
            await session.engine.abandon()
        }
    }

    @Test("Large captures are closed aside while commits go on, and every file follows the one before")
    func aside() async throws {
        try await attached { settings in
            settings.captureLimit = 2 << 20
            settings.softLimitFrames = 200
        } _: { session, application in
            for round in 0..<5 {
                for _ in 0..<6 { try application.write(rows: 20, bytes: 20_000) }
                try await session.check("round \(round)")
            }
            let status = await session.engine.status()
            #expect(status.counters.unexpectedCopies == 0 && status.counters.wholeCopies == 1)
        }
    }

    @Test("A capture that is being closed when the engine ends is closed by then")
    func detaches() async throws {
        try await attached {
            $0.captureLimit = 2 << 20
        } _: { session, application in
            for _ in 0..<8 { try application.write(rows: 20, bytes: 20_000) }
            try await session.engine.detach()
            let before = try application.image()
            try session.replay.follow()
            try session.replay.check(against: before, "detached")
            session.restart()
            try await session.engine.attach()
            try await session.check("attached again")
            #expect(session.events.copies.count == 1, "nothing was lost")
        }
    }

    @Test("A steady stream that uploads cannot follow is captured in one go, and no checkpoint waits in vain")
    func rests() async throws {
        try await attached {
            $0.syncInterval = .seconds(1)
        } _: { session, application in
            let engine = session.engine
            let ship = Task {
                while !Task.isCancelled {
                    if let id = await engine.status().transaction { await engine.shipped(through: id) }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            defer { ship.cancel() }
            let before = await session.engine.status().counters
            for _ in 0..<100 {
                try application.write()
                try await Task.sleep(for: .milliseconds(40))
            }
            let after = await session.engine.status().counters
            let captures = after.captures - before.captures
            #expect(after.commitsCaptured - before.commitsCaptured > 50)
            #expect(captures < 60, "\(captures) looks found something")
            // The stream goes on; an application's own checkpoint of the whole log gets its turn.
            try application.write()
            try application.setBusyTimeout(.seconds(5))
            let checkpoint = try application.checkpoint(.truncate)
            #expect(!checkpoint.isBusy)
            try await session.check()
            #expect(await session.engine.status().counters.unexpectedCopies == 0)
        }
    }
}
