import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

extension OneAtATime {
    @Suite("Merging, snapshots and retention under load", .timeLimit(.minutes(30)))
    struct SoakTests {
        /// How long each direction runs; `SOAK_SECONDS` sets it.
        private static let seconds = ProcessInfo.processInfo.environment["SOAK_SECONDS"].flatMap { Double($0) } ?? 20
        /// At how many random times a frozen replica is restored.
        private static let timeCount = seconds > 100 ? 20 : 5
        /// Intervals of seconds, for both programs.
        private static let intervals = [
            "levels:", "  - interval: 1s", "  - interval: 2s", "  - interval: 5s", "snapshot:", "  interval: 4s",
            "  retention: 10s", "l0-retention: 2s", "l0-retention-check-interval: 1s",
        ]

        /// - Parameter checkpoints: Whether the application checkpoints by itself, which Litestream does not survive
        ///   always: its own restores are malformed then.
        private func workload(in folder: FilePath, seed: UInt64, checkpoints: Bool = true) throws -> RandomWorkload {
            var options = WorkloadOptions()
            if !checkpoints { options.checkpointWeight = 0 }
            (options.connections, options.maximumBytes) = (2, 256 << 10)
            return try RandomWorkload(at: folder.appending("app.db"), seed: seed, options: options)
        }

        @Test(
            "What this program merges and drops can be restored at every moment: by it while it goes on, by Litestream frozen"
        )
        func ours() async throws {
            try await withTemporaryFolder { folder in
                let generator = SeededGenerator.announced(for: "soak")
                let (history, replica) = (History(), ReplicaFolder(folder.appending("replica")))
                let workload = try workload(in: folder, seed: generator.seed)
                let process = try Ours.replicate(
                    Litestream.configuration(of: workload.path, to: replica.url, global: Self.intervals),
                    in: folder
                )
                try await replica.waitForTransaction(above: 0, of: process)
                let end = ContinuousClock.now + .seconds(Self.seconds)
                let live = LiveRestores(replica: replica, history: history, folder: folder, seed: generator.seed)
                let restoring = Task { try await live.run { ContinuousClock.now >= end } }
                try await history.record(workload, pace: .milliseconds(15)) { ContinuousClock.now >= end }
                let count = try await restoring.value
                print("soak: \(count) restores while it went on, \(workload.commitNumber) commits")
                #expect(count > 0)

                // Stopped, so that the copy is of one moment.
                process.signal(SIGSTOP)
                let frozen = try replica.frozen(at: folder.appending("frozen"))
                process.signal(SIGCONT)
                try await checkFrozen(frozen, history, in: folder, generator)
                #expect(!frozen.names(level: 1).isEmpty && !frozen.names(level: 9).isEmpty, "\(frozen.everything())")
                #expect(frozen.names(level: 9).count <= 6, "retention drops old snapshots: \(frozen.names(level: 9))")
                try await process.stopShipped()
                let output = folder.appending("out.db")
                try await Ours.restore(replica.url, to: output)
                let complaint = try DatabaseImage(file: output).complaint(comparedWith: workload.image())
                #expect(complaint == nil, "\(workload.summary)")
                let verified = try await Ours.run(["verify", replica.url])
                #expect(verified.exit.isSuccess, "\(verified.standardOutput)")
                let errors = process.standardOutput.split(separator: "\n").filter { $0.contains("level=ERROR") }
                #expect(errors.isEmpty, "\(errors.prefix(5))")
            }
        }

        @Test(
            "What Litestream merges and drops this program restores at every moment",
            .enabled(if: Litestream.isExpected)
        )
        func theirs() async throws {
            try await withTemporaryFolder { folder in
                let generator = SeededGenerator.announced(for: "soak of Litestream")
                let (history, replica) = (History(), ReplicaFolder(folder.appending("replica")))
                let workload = try workload(in: folder, seed: generator.seed, checkpoints: false)
                let process = try Litestream.replicate(
                    configuration: Litestream.configuration(of: workload.path, to: replica.url, global: Self.intervals),
                    in: folder
                )
                try await process.sync(workload.path)
                let end = ContinuousClock.now + .seconds(Self.seconds / 2)
                try await history.record(workload, pace: .milliseconds(15)) { ContinuousClock.now >= end }
                try await process.sync(workload.path)
                process.child.signal(SIGSTOP)
                let frozen = try replica.frozen(at: folder.appending("frozen"))
                process.child.signal(SIGCONT)
                try await checkFrozen(frozen, history, in: folder, generator)
                #expect(try await process.stop().isSuccess)
            }
        }

        /// Both programs restore a replica that does not change any more, at its end and at random times, to the same
        /// commit: one that was over before the time asked, and the newest that the replica offers.
        private func checkFrozen(
            _ frozen: ReplicaFolder,
            _ history: History,
            in folder: FilePath,
            _ generator: SeededGenerator
        ) async throws {
            var generator = generator
            let files = try await ListedRow.all(of: frozen.url)
            let output = folder.appending("frozen.db")
            let programs: [(String, [String]) async throws -> Void] = [
                { try await Ours.restore($0, to: output, options: $1) },
                { url, options in
                    if Litestream.isExpected { try await Litestream.restore(url, to: output, options: options) }
                },
            ]
            // The first state that is left is that of the oldest file which is a whole database.
            let first = try #require(files.filter { $0.minTxid == "0000000000000001" }.map(\.milliseconds).min())
            let times = (0..<Self.timeCount).map { _ in
                Int64.random(in: (first + 1)...max(first + 1, history.span.upperBound), using: &generator)
            }
            for time in [nil] + times.map(Optional.init) {
                var commits: [Int64] = []
                for restore in programs {
                    DatabaseFiles.remove(output)
                    try await restore(frozen.url, time.map { ["-timestamp", ListedRow.text($0)] } ?? [])
                    guard FileManager.default.fileExists(atPath: output.string) else { continue }
                    let restored = try RestoredDatabase(output)
                    let commit = try await history.commit(restored.commits)
                    #expect(restored.digest == commit.digest, "commit \(restored.commits), asked for \(time ?? 0)")
                    if let time { #expect(commit.began <= time) }
                    commits.append(restored.commits)
                }
                #expect(Set(commits).count == 1, "both programs choose the same: \(commits) at \(time ?? 0)")
                guard let time else { continue }
                let plan = try await Ours.run(
                    [
                        "restore", "-dry-run", "-json", "-timestamp", ListedRow.text(time), "-o", output.string + "2",
                        frozen.url,
                    ]
                ).checked()
                let newest = files.filter { $0.milliseconds < time }.map(\.maxTxid).max() ?? ""
                #expect(plan.standardOutput.contains("\"max_txid\" : \"\(newest)\""), "\(time): \(plan.standardOutput)")
            }
        }
    }
}
