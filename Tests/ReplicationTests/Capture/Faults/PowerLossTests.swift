import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What a power cut leaves behind (capture-review F): the log lacks what was not synced, while the local files, and the
/// store, may already hold it.
@Suite("Fault: power loss", .serialized) struct PowerLossTests {
    /// What became of the log.
    enum Damage: String, CaseIterable, Sendable {
        case tailCut = "tail cut"
        case applicationFirst = "tail cut, and the application started first"
        case hole
        case headerBefore = "header of the generation before"
        case logGone = "log gone"
    }

    @Test(
        "The engine notices, ships the difference under a new id, and replay equals the source",
        arguments: Damage.allCases
    )
    func loss(_ damage: Damage) async throws {
        try await withTemporaryFolder("power") { folder in
            let path = folder.appending("app.db")
            let session = CaptureSession(path) { $0.softLimitFrames = 30 }
            let disk = try await run(session, upTo: damage)
            let before = try #require(session.replay.last)
            try disk.putBack(damage)
            try forgetBoot(of: path)
            if damage == .applicationFirst {
                let first = try SQLiteFile(path, .init(creates: false))
                for _ in 0..<20 { try first.write(rows: 3) }
                try await attachAndCheck(session, after: before, damage)
                first.close()
            } else {
                try await attachAndCheck(session, after: before, damage)
            }
            await session.engine.abandon()
        }
    }

    /// Commits, captured and closed, whose log was never backfilled, since a reader stood in the way; then everything
    /// ends at once. Returns what is on the disk.
    private func run(_ session: CaptureSession, upTo damage: Damage) async throws -> Disk {
        let application = try SQLiteFile.makeDatabase(session.database, pageSize: 4096, rows: 60)
        defer { application.close() }
        try await session.engine.attach()
        try await session.check()
        // A generation that ends, and whose header the log may turn back to.
        try application.write()
        try await session.check()
        let headerBefore = try Data(contentsOf: URL(filePath: session.database.string + "-wal")).prefix(32)
        let deadline = ContinuousClock.now + .seconds(20)
        while try Data(contentsOf: URL(filePath: session.database.string + "-wal")).prefix(32) == headerBefore {
            guard ContinuousClock.now < deadline else { throw TestSupportError("the log did not begin anew") }
            try application.write()
            try await Task.sleep(for: .milliseconds(5))
        }
        let reader = try SQLiteFile(session.database, .init(creates: false))
        defer { reader.close() }
        try reader.execute("BEGIN; SELECT count(*) FROM item")
        for _ in 0..<6 {
            try application.write(rows: 4)
            try await session.flush()
        }
        try session.replay.follow()
        await session.engine.abandon()
        return try Disk(session.database, headerBefore: headerBefore)
    }

    private func attachAndCheck(_ session: CaptureSession, after before: TransactionID, _ damage: Damage) async throws {
        session.restart()
        try await session.engine.attach()
        try await session.check(damage.rawValue)
        #expect(session.events.copies.map(\.kind) == [.whole, .difference], "\(session.events.proofs)")
        #expect(session.events.unexpected.isEmpty)
        #expect(try #require(session.replay.last) > before)
        // And on it goes.
        let application = try SQLiteFile(session.database, .init(creates: false))
        try application.write()
        try await session.check("\(damage.rawValue), later")
        application.close()
    }

    /// The files as they were when the power went.
    private struct Disk {
        private let path: String
        private let database: Data
        private let log: Data
        private let headerBefore: Data
        private static let frame = 24 + 4096

        init(_ path: FilePath, headerBefore: Data) throws {
            self.path = path.string
            database = try Data(contentsOf: URL(filePath: self.path))
            log = try Data(contentsOf: URL(filePath: self.path + "-wal"))
            self.headerBefore = headerBefore
        }

        /// Puts the files back as a power cut would have left them; the shared memory is gone with the machine.
        func putBack(_ damage: Damage) throws {
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.write(contentsOf: database)
            try file.truncate(atOffset: UInt64(database.count))
            try file.close()
            var log = log
            // The frames of the last two transactions are more than three.
            let last = (log.count - 32) / Self.frame
            switch damage {
            case .tailCut, .applicationFirst: log = log.prefix(32 + (last - 3) * Self.frame)
            case .hole:
                log.replaceSubrange(
                    32 + (last - 4) * Self.frame..<32 + (last - 3) * Self.frame,
                    with: Data(count: Self.frame)
                )
            case .headerBefore: log.replaceSubrange(0..<32, with: headerBefore)
            case .logGone: log = Data()
            }
            try? FileManager.default.removeItem(atPath: path + "-shm")
            try log.write(to: URL(filePath: path + "-wal"))
        }
    }
}
