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

        /// Runs a second.
        package var rate: Double { Double(runCount) / max(1e-9, duration / .seconds(1)) }
    }

    /// What is simulated, under the names of the design's models.
    package enum Model: String, Sendable, CaseIterable {
        /// Nodes that share a store.
        case log
        /// Two hosts, a store each, and a witness.
        case duo

        /// The rules that can be left out.
        package var rules: [ProtocolRule] { self == .log ? ProtocolRule.shared : ProtocolRule.crossed }
    }

    let model: Model
    let seeds: ClosedRange<UInt64>
    let rule: ProtocolRule?
    let stopsAtFirst: Bool

    /// Prepares a campaign.
    ///
    /// - Parameters:
    ///   - model: What is simulated.
    ///   - seeds: The seeds of its runs.
    ///   - rule: A rule to be left out.
    ///   - stopsAtFirst: Whether it ends with the first run in which something breaks.
    package init(
        _ model: Model = .log,
        seeds: ClosedRange<UInt64>,
        leavingOut rule: ProtocolRule? = nil,
        stopsAtFirst: Bool = false
    ) {
        (self.model, self.seeds, self.rule, self.stopsAtFirst) = (model, seeds, rule, stopsAtFirst)
    }

    /// One run: what broke, and how many events there were.
    private func runOnce(_ seed: UInt64) -> (what: String?, events: Int) {
        switch model {
        case .log:
            var simulation = Simulation(seed: seed, leavingOut: rule)
            return (simulation.run(), simulation.eventCount)
        case .duo:
            var simulation = CrossedSimulation(seed: seed, leavingOut: rule)
            return (simulation.run(), simulation.eventCount)
        }
    }

    /// Runs it; blocks until it is over.
    package func run(_ progress: @Sendable (Int) -> Void = { _ in }) -> Outcome {
        let start = ContinuousClock.now
        let block: UInt64 = 64
        let blocks = Int((seeds.upperBound - seeds.lowerBound) / block) + 1
        let outcome = Mutex(Outcome())
        DispatchQueue.concurrentPerform(iterations: blocks) { index in
            if stopsAtFirst, outcome.withLock({ !$0.failures.isEmpty }) { return }
            let first = seeds.lowerBound + UInt64(index) * block
            var found: [(seed: UInt64, what: String)] = []
            var (runs, events) = (0, 0)
            for seed in first...min(seeds.upperBound, first + block - 1) {
                let run = runOnce(seed)
                if let what = run.what { found.append((seed, what)) }
                runs += 1
                events += run.events
                if stopsAtFirst, !found.isEmpty { break }
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
