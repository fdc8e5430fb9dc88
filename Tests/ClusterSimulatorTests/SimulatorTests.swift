import Cluster
import ClusterSimulator
import Testing

/// A short share; `make test` runs 2,000 seeds in release mode besides, and `make simulate` as many as wanted.
@Suite struct SimulatorTests {
    @Test("No fault breaks an invariant: a share of the seeds", arguments: SimulationCampaign.Model.allCases)
    func seeds(_ model: SimulationCampaign.Model) {
        let outcome = SimulationCampaign(model, seeds: 1...100).run()
        print("simulator, \(model): 100 seeds, \(outcome.eventCount) events")
        #expect(outcome.runCount == 100)
        #expect(outcome.failures.isEmpty, "\(outcome.failures.map { "seed \($0.seed): \($0.what)" })")
    }

    @Test("A run follows from its seed alone", arguments: SimulationCampaign.Model.allCases)
    func repeats(_ model: SimulationCampaign.Model) {
        let (first, second) = (model.run(4711, traced: true), model.run(4711, traced: true))
        let isSame = first == second
        #expect(isSame, "two runs of one seed differ")
        #expect(first.eventCount > 100)
    }

    @Test(
        "A rule left out is noticed",
        arguments: [ProtocolRule.unverified, .unknownIsSuccess, .queue, .snapshotLive, .wallClock, .dropTail]
    )
    func variant(_ rule: ProtocolRule) {
        let outcome = SimulationCampaign(seeds: 1...200, leavingOut: rule, stopsAtFirst: true).run()
        #expect(!outcome.failures.isEmpty)
    }
}
