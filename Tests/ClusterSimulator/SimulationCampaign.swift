package import Cluster
import Dispatch
import Synchronization

/// Many runs, on all processors.
package struct SimulationCampaign: Sendable {
    /// What came of it.
    package struct Outcome: Sendable {
        /// The runs in which something broke, ascending.
        package var failures: [(seed: UInt64, what: String)] = []
        package var runCount = 0
        package var eventCount = 0
        package var duration: Duration = .zero

        /// The first in which something broke that must hold at every instant; without any, the first of all.
        package var worst: (seed: UInt64, what: String)? { failures.first(where: Outcome.isUnsafe) ?? failures.first }

        /// Whether a run broke more than what must be well in the end (failover-review H, 8).
        static func isUnsafe(_ failure: (seed: UInt64, what: String)) -> Bool { !failure.what.hasPrefix("I8") }

        /// Runs a second.
        package var rate: Double { Double(runCount) / max(1e-9, duration / .seconds(1)) }
    }

    let model: Model
    let seeds: ClosedRange<UInt64>
    let rule: ProtocolRule?
    let isHard: Bool
    let stopsAtFirst: Bool

    /// Prepares a campaign.
    ///
    /// - Parameters:
    ///   - model: What is simulated.
    ///   - seeds: The seeds of its runs.
    ///   - rule: A rule to be left out.
    ///   - isHard: Whether what is rare goes wrong in most runs, instead of in a few.
    ///   - stopsAtFirst: Whether it ends with the first run in which something breaks; where that is only what must be well
    ///     in the end, something worse is sought for a while.
    package init(
        _ model: Model = .log,
        seeds: ClosedRange<UInt64>,
        leavingOut rule: ProtocolRule? = nil,
        isHard: Bool = false,
        stopsAtFirst: Bool = false
    ) {
        (self.model, self.seeds, self.rule, self.isHard, self.stopsAtFirst) = (model, seeds, rule, isHard, stopsAtFirst)
    }

    /// For so many runs something is sought that is worse than what was found.
    private static let patience = 1024

    private func isEnough(_ failures: [(seed: UInt64, what: String)], _ runCount: Int) -> Bool {
        guard stopsAtFirst, !failures.isEmpty else { return false }
        return runCount >= Self.patience || failures.contains(where: Outcome.isUnsafe)
    }

    /// Runs it; blocks until it is over.
    package func run(_ progress: @Sendable (Int) -> Void = { _ in }) -> Outcome {
        let start = ContinuousClock.now
        let block: UInt64 = 64
        let blocks = Int((seeds.upperBound - seeds.lowerBound) / block) + 1
        let outcome = Mutex(Outcome())
        DispatchQueue.concurrentPerform(iterations: blocks) { index in
            if outcome.withLock({ isEnough($0.failures, $0.runCount) }) { return }
            let first = seeds.lowerBound + UInt64(index) * block
            var found: [(seed: UInt64, what: String)] = []
            var (runs, events) = (0, 0)
            for seed in first...min(seeds.upperBound, first + block - 1) {
                let run = model.run(seed, leavingOut: rule, isHard: isHard)
                if let what = run.violation { found.append((seed, what)) }
                runs += 1
                events += run.eventCount
                if isEnough(found, 0) { break }
            }
            let total = outcome.withLock { outcome in
                outcome.failures += found
                outcome.runCount += runs
                outcome.eventCount += events
                return outcome.runCount
            }
            progress(total)
        }
        var result = outcome.withLock { $0 }
        result.failures.sort { $0.seed < $1.seed }
        result.duration = ContinuousClock.now - start
        return result
    }
}
