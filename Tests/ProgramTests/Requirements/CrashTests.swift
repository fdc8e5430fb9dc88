import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

extension OneAtATime {
    @Suite("Requirements: crashes", .timeLimit(.minutes(5)))
    struct CrashTests {
        /// How often the program is killed; `CRASH_ROUNDS` sets it.
        private static let rounds = ProcessInfo.processInfo.environment["CRASH_ROUNDS"].flatMap { Int($0) } ?? 10

        @Test(
            "R-63: killed at random moments under load, it goes on, and what it shipped restores to what was committed"
        )
        func killed() async throws {
            try await withTemporaryFolder { folder in
                var generator = SeededGenerator.announced(for: "kill -9 of replicate")
                let database = folder.appending("app.db")
                let replica = ReplicaFolder(folder.appending("replica"))
                let configuration = Litestream.configuration(
                    of: database,
                    to: replica.url,
                    global: [
                        "levels:", "  - interval: 1s", "snapshot:", "  interval: 3s", "l0-retention: 2s",
                        "l0-retention-check-interval: 1s",
                    ]
                )
                let workload = try BuiltProduct.path(of: "workload")
                let writer = try ChildProcess(workload, [database.string, "writer", "\(generator.seed)", "150"])
                try await writer.waitForOutput(containing: "ready")
                for round in 0..<Self.rounds {
                    let process = try Ours.replicate(configuration, in: folder)
                    // The moment itself is what is random.
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...1500, using: &generator)))
                    try await process.kill()
                    guard !replica.names().isEmpty else { continue }
                    let output = folder.appending("out\(round).db")
                    try await Ours.restore(replica.url, to: output, options: ["-integrity-check", "full"])
                    DatabaseFiles.remove(output)
                }
                let last = try Ours.replicate(configuration, in: folder)
                try await last.waitForOutput(containing: "msg=Attached")
                #expect(try await writer.terminate().isSuccess)
                #expect(writer.standardOutput.contains("failures=0"), "\(writer.outputForMessages)")
                try await last.stopShipped()
                let source = try SQLiteFile(database, .init(creates: false))
                for restore in [Ours.restoring, Litestream.restoring] {
                    let output = folder.appending("final.db")
                    DatabaseFiles.remove(output)
                    try await restore(replica.url, output)
                    #expect(try SQLiteFile.contentDigest(of: output) == source.contentDigest())
                    #expect(try RandomWorkload.commitNumber(of: output) == source.integer("PRAGMA user_version"))
                }
                let verified = try await Ours.run(["verify", replica.url])
                #expect(verified.exit.isSuccess, "\(verified.standardOutput)")
                // In the replica such names, which no listing counts, stay for an hour: they could be somebody else's.
                let names = ReplicaFolder(DatabaseFiles.metadata(of: database)).everything()
                #expect(names.allSatisfy { !$0.hasSuffix(".tmp") }, "\(names.filter { $0.hasSuffix(".tmp") })")
            }
        }
    }
}
