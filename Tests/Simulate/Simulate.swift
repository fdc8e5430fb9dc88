import Cluster
import ClusterSimulator
import Foundation

/// The simulator of the failover protocol, for `make simulate` and `make simulate-variants`.
///
///     simulate [FIRST..LAST]               every invariant holds in every run
///     simulate --variants [FIRST..LAST]    each rule left out is noticed within these seeds
///     simulate --trace SEED [RULE]         what happens in one run
@main
enum Simulate {
    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "--variants":
            arguments.removeFirst()
            guard let seeds = range(arguments.first ?? "1..5000"), arguments.count < 2 else { usage() }
            exit(variants(seeds) ? 0 : 1)
        case "--trace":
            guard arguments.count > 1, let seed = UInt64(arguments[1]) else { usage() }
            let rule = arguments.count > 2 ? ProtocolRule(rawValue: arguments[2]) : nil
            guard arguments.count == 2 || rule != nil else { usage() }
            exit(trace(seed, rule) ? 0 : 1)
        default:
            guard let seeds = range(arguments.first ?? "1..2000"), arguments.count < 2 else { usage() }
            exit(simulate(seeds) ? 0 : 1)
        }
    }

    private static func simulate(_ seeds: ClosedRange<UInt64>) -> Bool {
        let isLong = seeds.count > 20_000
        let outcome = SimulationCampaign(seeds: seeds).run { count in
            if isLong, count.isMultiple(of: 64_000) { print("\(count) runs") }
        }
        for failure in outcome.failures.prefix(20) {
            print("seed \(failure.seed): \(failure.what)\n    see it with: simulate --trace \(failure.seed)")
        }
        let rate = String(format: "%.0f", outcome.rate)
        print(
            "simulator: seeds \(seeds.lowerBound)..\(seeds.upperBound), \(outcome.runCount) runs, \(rate) a second, "
                + "\(outcome.eventCount / max(1, outcome.runCount)) events each: \(outcome.failures.count) failures"
        )
        return outcome.failures.isEmpty
    }

    private static func variants(_ seeds: ClosedRange<UInt64>) -> Bool {
        var missed = 0
        for rule in ProtocolRule.allCases {
            let outcome = SimulationCampaign(seeds: seeds, leavingOut: rule, stopsAtFirst: true).run()
            let name = rule.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
            if let first = outcome.failures.first {
                print("\(name) seed \(first.seed): \(first.what.prefix(120))")
            } else {
                missed += 1
                print("\(name) NOT NOTICED in \(outcome.runCount) runs")
            }
        }
        print("simulator: \(ProtocolRule.allCases.count) rules left out, one at a time: \(missed) not noticed")
        return missed == 0
    }

    private static func trace(_ seed: UInt64, _ rule: ProtocolRule?) -> Bool {
        var simulation = Simulation(seed: seed, leavingOut: rule, traced: true)
        let what = simulation.run()
        for line in simulation.log ?? [] { print(line) }
        print(what ?? "Nothing broke.")
        return what == nil
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let bounds = text.split(separator: "..", omittingEmptySubsequences: false).map { UInt64($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first <= last else { return nil }
        return first...last
    }

    private static func usage() -> Never {
        print("usage: simulate [FIRST..LAST] | --variants [FIRST..LAST] | --trace SEED [RULE]")
        exit(2)
    }
}
