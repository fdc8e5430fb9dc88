import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Random histories of a database, with everything that applications do, against the pages that the engine captured.
@Suite("Random histories", .serialized) struct HistoryTests {
    @Test("At every noted commit of random histories the captured files give the source page for page")
    func histories() async throws {
        let seeds = try SeedRange.from("HISTORY_SEEDS", standard: 1...24)
        print("random histories: seeds \(seeds.lowerBound)..\(seeds.upperBound) (HISTORY_SEEDS=a..b takes others)")
        var total = HistoryCounts()
        for seed in seeds {
            do {
                total.add(try await History(seed: seed).play())
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        print("random histories: \(total)")
        #expect(total.checks > seeds.count)
        #expect(total.unexpected == 0)
    }
}

/// What many histories came to.
struct HistoryCounts: CustomStringConvertible {
    var histories = 0, checks = 0, withOthers = 0, reattached = 0, transactions = 0, frames = 0, moves = 0
    var rotations = 0, ungated = 0, restarts = 0, differences = 0, unexpected = 0, gatesBusy = 0, fencesBusy = 0
    var longestHold = Duration.zero

    mutating func add(_ other: Self) {
        histories += other.histories
        checks += other.checks
        withOthers += other.withOthers
        reattached += other.reattached
        transactions += other.transactions
        frames += other.frames
        moves += other.moves
        rotations += other.rotations
        ungated += other.ungated
        restarts += other.restarts
        differences += other.differences
        unexpected += other.unexpected
        gatesBusy += other.gatesBusy
        fencesBusy += other.fencesBusy
        longestHold = max(longestHold, other.longestHold)
    }

    mutating func add(_ counters: CaptureCounters) {
        frames += counters.framesCaptured
        moves += counters.moves
        rotations += counters.rotations
        ungated += counters.rotationsWithoutGate
        restarts += counters.restarts
        differences += counters.differences
        unexpected += counters.unexpectedCopies
        gatesBusy += counters.gatesBusy
        fencesBusy += counters.fencesBusy
        longestHold = max(longestHold, counters.longestHold)
    }

    var description: String {
        """
        \(histories) histories (\(withOthers) with other processes, \(reattached) attached anew), \(checks) comparisons \
        page for page, \(transactions) transaction files, \(frames) frames, \(moves) moves, \(rotations) rotations under \
        the gate (busy \(gatesBusy), longest hold \(longestHold)), \(ungated) without, \(restarts) restarts of the WAL, \
        fence busy \(fencesBusy), differences after an attach \(differences), unexpected copies \(unexpected)
        """
    }
}

/// One history, all of whose choices come from its seed.
private struct History {
    let seed: UInt64

    func play() async throws -> HistoryCounts {
        try await withTemporaryFolder("history") { folder in
            let path = folder.appending("app.db")
            var random = SeededGenerator(seed: seed ^ 0x5eed)
            let workload = try RandomWorkload(at: path, seed: seed)
            defer { workload.close() }
            let session = CaptureSession(path, checksEachMark: random.happens(0.2)) { settings in
                settings.softLimitFrames = random.pick([(2, 20), (2, 200), (1, 4000)])
                settings.captureLimit = random.pick([(1, 64 << 10), (2, 16 << 20)])
                settings.syncInterval = random.pick([(1, .milliseconds(1)), (1, .milliseconds(50)), (1, .seconds(1))])
            }
            var counts = HistoryCounts()
            try await session.engine.attach()
            if random.happens(0.7) { await session.engine.storeIsKnown(shippedThrough: nil) }
            let others = random.happens(0.2) ? try startOthers(path, &random) : []
            for _ in 0..<Int.random(in: 20...70, using: &random) {
                let step = try workload.step()
                if random.happens(0.1) { try await Task.sleep(for: .milliseconds(.random(in: 0..<90, using: &random))) }
                if random.happens(0.2), let last = await session.engine.status().transaction {
                    await session.engine.shipped(through: last)
                }
                if step.committed, random.happens(0.25) { try await session.check(workload.summary) }
                if random.happens(0.02) {
                    if random.happens(0.5) {
                        try await session.engine.detach()
                    } else {
                        await session.engine.abandon()
                    }
                    counts.add(await session.engine.status().counters)
                    session.restart()
                    for _ in 0..<Int.random(in: 0..<4, using: &random) { try workload.step() }
                    try await session.engine.attach()
                    counts.reattached += 1
                }
            }
            try await end(others)
            try await session.check(workload.summary)
            counts.add(await session.engine.status().counters)
            try await session.engine.detach()
            try #require(session.events.unexpected.isEmpty, "seed \(seed): \(session.events.unexpected)")
            try #require(session.events.failures.isEmpty, "seed \(seed): \(session.events.failures)")
            (counts.histories, counts.checks, counts.withOthers) = (1, session.checks, others.isEmpty ? 0 : 1)
            counts.transactions = Int(session.replay.last?.rawValue ?? 0)
            return counts
        }
    }

    private func startOthers(_ path: FilePath, _ random: inout SeededGenerator) throws -> [ChildProcess] {
        let kinds = ["writer", "plain", "opener", "checkpointer", "reader"].shuffled(using: &random).prefix(2)
        return try kinds.map { kind in
            // Without any pause SQLite starves the other writers for many seconds, engine or not.
            // Blocking checkpoints without a pause hold the write lock most of the time.
            let rate = kind == "checkpointer" ? "20" : random.pick([(1, "1000"), (2, "50")])
            return try ChildProcess(BuiltProduct.path(of: "workload"), [path.string, kind, "\(seed)", rate])
        }
    }

    private func end(_ others: [ChildProcess]) async throws {
        for other in others {
            // Before that it does not know yet what SIGTERM is to mean.
            try await other.waitForOutput(containing: "ready")
            let exit = try await other.terminate()
            try #require(exit.isSuccess, "seed \(seed): \(other.outputForMessages)")
        }
    }
}
