import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

/// Commits, merges, snapshots and retention together, on a clock of the test's own.
@Suite struct LifeOfAReplicaTests {
    /// One replica that lives through a random history.
    private struct Life {
        let replica: Replica
        let folder: FilePath
        let levels: LevelSettings
        let retention: RetentionSettings
        var history: TestHistory
        var listing = ReplicaListing()
        var verified: Set<String> = []
        var now: Timestamp

        private var compactor: Compactor { Compactor(replica, workspace: folder.appending("work")) }

        /// Does all that is due, as an engine does; returns when the next is.
        mutating func maintain() async throws -> Timestamp? {
            guard !listing.isEmpty else { return nil }
            let runner = RetentionRunner(replica, workspace: folder.appending("work"))
            while true {
                let plan = CompactionPlan(listing: listing, settings: levels, now: now, acceptedThrough: history.last)
                if let step = plan.steps.first {
                    let result = try await compactor.carryOut(step)
                    listing.insert(result.file)
                    verified.insert(result.file.key)
                    continue
                }
                let drop = RetentionPlan(
                    listing: listing,
                    settings: retention,
                    levelCount: levels.intervals.count,
                    verified: verified,
                    licence: .singleWriter(acceptedThrough: history.last, isAnswered: true),
                    now: now
                )
                if !drop.unverified.isEmpty {
                    verified.formUnion(try await runner.verify(drop))
                    continue
                }
                for file in try await runner.delete(drop) { listing.remove(file) }
                return [plan.nextDue, drop.nextDue].compactMap(\.self).min()
            }
        }

        /// Puts the newest transaction into the replica.
        mutating func ship() async throws {
            let last = history.last
            try await history.put([(0, last.rawValue...last.rawValue)], into: replica)
            listing = try await replica.list()
        }
    }

    @Test("Whatever is merged and dropped, the newest state is there, levels have no gap, and idle replicas rest")
    func randomLives() async throws {
        var random = SeededGenerator.announced(for: "lives of replicas")
        for round in 0..<6 {
            try await withReplicaFolder { folder in
                let history = TestHistory(seed: random.next())
                let root = folder.appending("replica")
                var life = Life(
                    replica: Replica(store: FolderStore(root: root), layout: .folder),
                    folder: folder,
                    levels: LevelSettings(
                        intervals: [.seconds(5), .seconds(20), .seconds(60)].dropLast(
                            Int.random(in: 0...2, using: &random)
                        ),
                        snapshotInterval: random.happens(0.8) ? .seconds(90) : nil
                    ),
                    retention: RetentionSettings(
                        snapshots: .seconds(120),
                        level0: .seconds(12),
                        level0CheckInterval: .seconds(3)
                    ),
                    history: history,
                    now: history.start
                )
                for _ in 0..<Int.random(in: 30...80, using: &random) {
                    // Times of the history are a second apart; sometimes the clock moves on without commits.
                    life.history.commit()
                    life.now = max(life.now, life.history.timestamp(of: life.history.last))
                    try await life.ship()
                    if random.happens(0.4) { _ = try await life.maintain() }
                    check(life, "round \(round)")
                }
                try await checkRestores(life, in: folder, &random, "round \(round)")

                // Idle: every due moment leads to another, and in the end to none.
                var moments = 0
                while let due = try await life.maintain() {
                    #expect(due > life.now, "round \(round)")
                    life.now = max(due, life.now.advanced(by: .milliseconds(1)))
                    moments += 1
                    if moments > 100 { break }
                }
                #expect(moments < 30, "R-50: round \(round)")
                let rest = try await life.replica.list()
                #expect(rest == life.listing, "round \(round)")
                check(life, "round \(round)")
                try await checkRestores(life, in: folder, &random, "round \(round)")
                let report = try await ReplicaVerifier(life.replica, workspace: folder.appending("work")).verify()
                #expect(report.findings.isEmpty, "round \(round): \(report.findings)")
                #expect(try fileNames(in: folder.appending("work")) == [])
            }
        }
    }

    @Test("Real Litestream restores what was merged and dropped here", .enabled(if: Litestream.isExpected))
    func litestreamRestores() async throws {
        var random = SeededGenerator.announced(for: "lives of replicas for Litestream")
        try await withReplicaFolder { folder in
            let history = TestHistory(pageSize: 4096, seed: random.next())
            let root = folder.appending("replica")
            var life = Life(
                replica: Replica(store: FolderStore(root: root), layout: .folder),
                folder: folder,
                levels: LevelSettings(intervals: [.seconds(5), .seconds(20)], snapshotInterval: .seconds(60)),
                retention: RetentionSettings(
                    snapshots: .seconds(70),
                    level0: .seconds(12),
                    level0CheckInterval: .seconds(3)
                ),
                history: history,
                now: history.start
            )
            for _ in 0..<100 {
                life.history.commit()
                life.now = life.history.timestamp(of: life.history.last)
                try await life.ship()
                if random.happens(0.5) { _ = try await life.maintain() }
            }
            #expect((0...9).filter { !life.listing[$0].isEmpty } == [0, 1, 2, 9])
            let output = folder.appending("litestream.db")
            let reachable = (1...100).map { TransactionID(rawValue: $0) }.filter { transaction in
                (try? RestorePlan(listing: life.listing, target: .transaction(transaction))) != nil
            }
            #expect(reachable.count > 10)
            for transaction in reachable.shuffled(using: &random).prefix(8) + [life.history.last] {
                let options = ["-txid", "\(transaction)"]
                try await Litestream.restore("file://\(root)", to: output, options: options)
                let bytes = [UInt8](try Data(contentsOf: URL(filePath: output.string)))
                let isRight = bytes == life.history.database(after: transaction)
                #expect(isRight, "transaction \(transaction)")
                try FileManager.default.removeItem(atPath: output.string)
            }
        }
    }

    private func check(_ life: Life, _ comment: Comment) {
        let listing = life.listing
        #expect(listing.highestContiguous == life.history.last, comment)
        #expect(listing.files.count { $0.level < 9 && $0.isSnapshot } <= 1, "R-53: \(comment)")
        for level in 1..<9 {
            for (file, next) in zip(listing[level], listing[level].dropFirst()) {
                #expect(file.max.next == next.min, "level \(level): \(comment)")
            }
        }
    }

    private func checkRestores(
        _ life: Life,
        in folder: FilePath,
        _ random: inout SeededGenerator,
        _ comment: Comment
    ) async throws {
        let restorer = Restorer(life.replica)
        let output = folder.appending("app.db")
        var targets: [RestoreTarget] = [.latest]
        for _ in 0..<4 {
            let number = UInt64.random(in: 1...life.history.last.rawValue, using: &random)
            targets.append(.transaction(TransactionID(rawValue: number)))
            targets.append(
                .timestamp(life.history.timestamp(of: TransactionID(rawValue: number)).advanced(by: .milliseconds(1)))
            )
        }
        for target in targets {
            guard let plan = try? RestorePlan(listing: life.listing, target: target) else { continue }
            let result = try await restorer.restore(plan, to: output, options: RestoreOptions(replacesOutput: true))
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: output.string)))
            let isRight = bytes == life.history.database(after: plan.max)
            #expect(isRight && result.isMarkVerified, "\(target), \(comment)")
        }
    }
}
