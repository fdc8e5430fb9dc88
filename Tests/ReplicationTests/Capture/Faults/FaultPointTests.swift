import Foundation
import SystemPackage
import TestSupport
import Testing

/// Every fault point of the protocol with every kind of fault: a short share by default, all of it with `FAULTS=all`,
/// those whose description contains a text with `FAULTS=text`.
@Suite("Fault points") struct FaultPointTests {
    static let scenarios: [FaultScenario] = {
        let wanted = ProcessInfo.processInfo.environment["FAULTS"] ?? ""
        if wanted.isEmpty { return FaultScenario.short }
        return wanted == "all" ? FaultScenario.all : FaultScenario.all.filter { $0.description.contains(wanted) }
    }()

    @Test("After a fault at any point the engine continues, and the captured files give the source page for page")
    func all() async throws {
        let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 1...1 << 32)
        print("fault points: \(Self.scenarios.count) scenarios, seed \(seed) (repeat with SEED=\(seed), FAULTS=all)")
        var (checks, unreached) = (0, [String]())
        await withTaskGroup(of: (FaultScenario, FaultScenario.Outcome?).self) { group in
            func note(_ result: (scenario: FaultScenario, outcome: FaultScenario.Outcome?)?) {
                guard let result, let outcome = result.outcome else { return }
                checks += outcome.checks
                if outcome.passings == 0 { unreached.append(result.scenario.description) }
            }
            for (index, scenario) in Self.scenarios.enumerated() {
                // Three at a time: most of a scenario's time is waiting.
                if index >= 3 { note(await group.next()) }
                group.addTask { (scenario, await Self.play(scenario, seed: seed &+ UInt64(index))) }
            }
            for await result in group { note(result) }
        }
        print("fault points: \(checks) comparisons page for page; not passed in time: \(unreached)")
        #expect(unreached.count <= Self.scenarios.count / 5, "\(unreached)")
    }

    private static func play(_ scenario: FaultScenario, seed: UInt64) async -> FaultScenario.Outcome? {
        do {
            return try await withTemporaryFolder("fault") { try await scenario.play(seed: seed, in: $0) }
        } catch {
            Issue.record("\(scenario), seed \(seed): \(error)")
            return nil
        }
    }
}
