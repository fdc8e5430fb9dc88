import Cluster
import ClusterSimulator
import Foundation

/// The simulator of the failover protocol, for `make simulate` and `make simulate-variants`.
///
///     simulate [MODEL] [FIRST..LAST]               every invariant holds in every run
///     simulate [MODEL] --hard [FIRST..LAST]        the same, and what is rare goes wrong in most runs
///     simulate [MODEL] --variants [FIRST..LAST]    each rule left out is noticed within these seeds
///     simulate [MODEL] --trace SEED [RULE]         what happens in one run; `--hard --trace SEED` in such a one
///
/// The models: `log`, nodes that share a store (if none is named); `duo`, two hosts with a store each and a witness;
/// `pair`, the same without one.
@main
enum Simulate {
    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let model = arguments.first.flatMap { SimulationCampaign.Model(rawValue: $0) }
        if model != nil { arguments.removeFirst() }
        run(model ?? .log, arguments)
    }

    private static func run(_ model: SimulationCampaign.Model, _ arguments: [String]) -> Never {
        var arguments = arguments
        let isHard = arguments.first == "--hard"
        if isHard { arguments.removeFirst() }
        switch arguments.first {
        case "--variants" where !isHard:
            arguments.removeFirst()
            guard let seeds = range(arguments.first ?? "1..5000"), arguments.count < 2 else { usage() }
            exit(variants(model, seeds) ? 0 : 1)
        case "--trace":
            guard arguments.count > 1, let seed = UInt64(arguments[1]) else { usage() }
            let rule = arguments.count > 2 ? ProtocolRule(rawValue: arguments[2]) : nil
            guard arguments.count == 2 || rule != nil else { usage() }
            exit(trace(model, seed, rule, isHard) ? 0 : 1)
        default:
            guard let seeds = range(arguments.first ?? "1..2000"), arguments.count < 2 else { usage() }
            exit(simulate(model, seeds, isHard) ? 0 : 1)
        }
    }

    private static func simulate(
        _ model: SimulationCampaign.Model,
        _ seeds: ClosedRange<UInt64>,
        _ isHard: Bool
    ) -> Bool {
        let isLong = seeds.count > 20_000
        let outcome = SimulationCampaign(model, seeds: seeds, isHard: isHard).run { count in
            if isLong, count.isMultiple(of: 64_000) { print("\(count) runs") }
        }
        let mode = isHard ? " --hard" : ""
        for failure in outcome.failures.prefix(20) {
            print("seed \(failure.seed): \(failure.what)")
            print("    see it with: simulate \(model)\(mode) --trace \(failure.seed)")
        }
        let rate = String(format: "%.0f", outcome.rate)
        print(
            "simulator, \(model)\(mode): seeds \(seeds.lowerBound)..\(seeds.upperBound), \(outcome.runCount) runs, \(rate) a second, "
                + "\(outcome.eventCount / max(1, outcome.runCount)) events each: \(outcome.failures.count) failures"
        )
        return outcome.failures.isEmpty
    }

    private static func variants(_ model: SimulationCampaign.Model, _ seeds: ClosedRange<UInt64>) -> Bool {
        var missed = 0
        for rule in model.rules + model.rulesOfOurs {
            let outcome = SimulationCampaign(model, seeds: seeds, leavingOut: rule, stopsAtFirst: true).run()
            let name = rule.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
            if let first = outcome.worst {
                print("\(name) seed \(first.seed): \(first.what.prefix(120))")
            } else {
                missed += 1
                print("\(name) NOT NOTICED in \(outcome.runCount) runs")
            }
        }
        let ours = model.rulesOfOurs.isEmpty ? "" : " of the model and \(model.rulesOfOurs.count) of ours"
        print("simulator, \(model): \(model.rules.count) rules\(ours) left out, one at a time: \(missed) not noticed")
        return missed == 0
    }

    private static func trace(
        _ model: SimulationCampaign.Model,
        _ seed: UInt64,
        _ rule: ProtocolRule?,
        _ isHard: Bool
    ) -> Bool {
        let run = model.run(seed, leavingOut: rule, isHard: isHard, traced: true)
        for line in run.log ?? [] { print(line) }
        print(run.violation ?? "Nothing broke.")
        return run.violation == nil
    }

    private static func range(_ text: String) -> ClosedRange<UInt64>? {
        let bounds = text.split(separator: "..", omittingEmptySubsequences: false).map { UInt64($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first <= last else { return nil }
        return first...last
    }

    private static func usage() -> Never {
        print("usage: simulate [log|duo|pair] [--hard] [FIRST..LAST] | --variants [FIRST..LAST] | --trace SEED [RULE]")
        exit(2)
    }
}
