package import Cluster

/// One run, when it is over.
package struct SimulationRun: Hashable, Sendable {
    /// What broke; `nil`: all invariants held.
    package var violation: String?
    /// How many events there were.
    package var eventCount: Int
    /// What happened, if that was wanted.
    package var log: [String]?
}

extension SimulationCampaign {
    /// What is simulated, under the names of the design's models.
    package enum Model: String, Sendable, CaseIterable {
        /// Nodes that share a store.
        case log
        /// Two hosts, a store each, and a witness.
        case duo
        /// The same without a witness.
        case pair

        /// The rules that can be left out, under the names of the design's model.
        package var rules: [ProtocolRule] {
            switch self {
            case .log: ProtocolRule.shared
            case .duo: ProtocolRule.crossed
            case .pair: ProtocolRule.paired
            }
        }
        /// Those that the design's model does not know.
        package var rulesOfOurs: [ProtocolRule] { self == .duo ? ProtocolRule.ours : [] }

        /// Runs it once.
        ///
        /// - Parameters:
        ///   - seed: What everything follows from.
        ///   - rule: A rule of the protocol to be left out.
        ///   - isHard: Whether what is rare goes wrong in most runs, instead of in a few: the same seed is another run.
        ///   - traced: Whether the run tells what happened.
        package func run(
            _ seed: UInt64,
            leavingOut rule: ProtocolRule? = nil,
            isHard: Bool = false,
            traced: Bool = false
        ) -> SimulationRun {
            switch self {
            case .log: Self.run(SharedSimulation(seed: seed, leavingOut: rule, isHard: isHard, traced: traced))
            case .duo: Self.run(CrossedSimulation(seed: seed, leavingOut: rule, isHard: isHard, traced: traced))
            case .pair: Self.run(PairedSimulation(seed: seed, leavingOut: rule, isHard: isHard, traced: traced))
            }
        }

        private static func run(_ simulation: consuming some Simulation) -> SimulationRun {
            let violation = simulation.run()
            return SimulationRun(
                violation: violation,
                eventCount: simulation.world.eventCount,
                log: simulation.world.log
            )
        }
    }
}
