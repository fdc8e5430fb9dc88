import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// SQLite's WAL-reset bug (3.7.0 to 3.51.2): a checkpointer that read the header of the wal-index, slept while the log
/// began anew, and goes on, takes frames for backfilled that are not. The rows of a commit are gone.
@Suite("Fault: WAL reset", .timeLimit(.minutes(2))) struct WALResetTests {
    @Test("R-10 With an engine attached a checkpointer that sleeps at the wrong moment loses no committed row")
    func fence() async throws {
        try await withTemporaryFolder("reset") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path, pageSize: 1024, rows: 3000)
            try application.execute("UPDATE item SET body = randomblob(800)")
            try application.checkpoint(.truncate)
            let shim = try await FaultShim(in: folder)
            let host = try BuiltProduct.path(of: "engine-host")
            let sleeper = try ChildProcess(
                host,
                [path.string, "role=checkpointer"],
                environment: shim.environment,
                hasInput: true
            )
            try await sleeper.waitForOutput(containing: "ready")
            // So long that the bug can bite: the new generation is shorter than what the sleeper takes for backfilled.
            let session = CaptureSession(path) { $0.softLimitFrames = 1_000_000 }
            try await session.engine.attach()
            try await session.flush()
            for _ in 0..<2 { try application.execute("UPDATE item SET body = randomblob(800)") }
            // Quiet: everything is backfilled, and the engine stands on READ0.
            let end = ContinuousClock.now + .seconds(20)
            while try application.checkpoint(.passive).done < 4000, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await session.flush()
            try await Task.sleep(for: .milliseconds(1500))
            let gate = folder.appending("gate")
            try Data().write(to: URL(filePath: gate.string))
            try shim.set([.init(.hold(gate: gate), calls: ["munmap"])])
            sleeper.write("go\n")
            let here = gate.string + ".here"
            while !FileManager.default.fileExists(atPath: here) { try await Task.sleep(for: .milliseconds(5)) }
            try application.execute("UPDATE item SET owner = 77777 WHERE id BETWEEN 2001 AND 2020")
            // Longer than the engine waits for a checkpoint that waits for it.
            try await Task.sleep(for: .milliseconds(600))
            #expect(await session.engine.status().counters.fencesBusy > 0)
            try remove(gate.string)
            try await sleeper.waitForOutput(containing: "checkpointed")
            try await Task.sleep(for: .milliseconds(300))
            let fresh = try SQLiteFile(path, .init(creates: false))
            #expect(try fresh.integer("SELECT count(*) FROM item WHERE owner = 77777") == 20)
            fresh.close()
            try await session.check()
            #expect(session.events.unexpected.isEmpty)
            try await sleeper.kill()
            await session.engine.abandon()
        }
    }
}
