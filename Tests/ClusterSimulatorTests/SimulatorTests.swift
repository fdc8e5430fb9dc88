import Cluster
import ClusterSimulator
import Testing

/// A short share; `make test` runs 2,000 seeds in release mode besides, and `make simulate` as many as wanted.
@Suite struct SimulatorTests {
    @Test("No fault breaks an invariant: a share of the seeds")
    func seeds() {
        let outcome = SimulationCampaign(seeds: 1...100).run()
        print("simulator: 100 seeds, \(outcome.eventCount) events")
        #expect(outcome.runCount == 100)
        #expect(outcome.failures.isEmpty, "\(outcome.failures.map { "seed \($0.seed): \($0.what)" })")
    }

    @Test("A run follows from its seed alone")
    func repeats() {
        var (first, second) = (Simulation(seed: 4711, traced: true), Simulation(seed: 4711, traced: true))
        #expect(first.run() == second.run())
        let isSame = first.log == second.log
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
