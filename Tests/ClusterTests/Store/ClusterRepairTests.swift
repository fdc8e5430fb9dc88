import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// The ways out of a halt, and what they refuse.
@Suite(.timeLimit(.minutes(2))) struct ClusterRepairTests {
    private let cluster = ClusterID(rawValue: 7)

    private func founder(won: UInt64 = 2) -> ClusterFounding.Founder {
        var founder = ClusterFounding.Founder.sample
        (founder.cluster, founder.won) = (cluster, Epoch(rawValue: won))
        return founder
    }

    /// The sample lease of epoch 3, with a time to live that tests can wait for.
    private func lease(_ state: Lease.State) -> Lease {
        var lease = Lease.sample(state: state)
        lease.ttl = .milliseconds(600)
        return lease
    }

    private func write(_ lease: Lease, _ place: ClusterFounding, over version: LeaseVersion? = nil) async throws {
        let answer = await LeaseStore(place.leases, layout: place.layout).swap(lease, condition: version).answer
        guard case .swapped = answer else { throw TestSupportError("the lease was not written: \(answer)") }
    }

    private func read(_ place: ClusterFounding) async -> LeaseReading {
        await LeaseStore(place.leases, layout: place.layout).read().reading
    }

    private func refusal(
        _ code: NodeCommandError.Code,
        _ words: String,
        _ body: () async throws -> Void
    ) async {
        let error = await #expect(throws: NodeCommandError.self) { try await body() }
        #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("Foreign files are taken over by a lease that begins behind them; nothing else of it changes")
    func adopt() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let repair = ClusterRepair(place, by: nil)
            await refusal(.needsOperator, "There is no lease") { _ = try await repair.adopt() }
            let before = lease(.free)
            try await write(before, place)
            #expect(try await repair.adopt() == nil)
            try await place.put(level: 0, 1...1, epoch: 3)
            try await place.put(level: 0, 2...2, epoch: 0, isOurs: false)
            let adopted = try await repair.adopt()
            var expected = before
            (expected.begin, expected.counter, expected.nonce) = (2, 2, adopted?.nonce ?? before.nonce)
            #expect(adopted == expected && adopted?.nonce != before.nonce)
            #expect(await read(place).lease == expected)
            #expect(try await repair.adopt() == nil)
        }
    }

    @Test("A lease that is renewed is left alone; one that is only held is not")
    func liveHolder() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let repair = ClusterRepair(place, by: founder())
            try await write(lease(.held), place)
            try await place.put(level: 0, 1...1, epoch: 3)
            await withThrowingTaskGroup { group in
                group.addTask {
                    var renewed = lease(.held)
                    while !Task.isCancelled {
                        guard case .body(let there, let version) = await read(place), there.counter < 1000 else {
                            return
                        }
                        (renewed.counter, renewed.nonce) = (there.counter + 1, .random())
                        try await write(renewed, place, over: version)
                        try await Pause.sleep(for: .milliseconds(20))
                    }
                }
                await refusal(.refused, "renews it") { _ = try await repair.adopt() }
                await refusal(.refused, "renews it") { _ = try await repair.reseed() }
                group.cancelAll()
                try? await group.waitForAll()  // it was cancelled
            }
            guard case .body(let there, _) = await read(place) else {
                Issue.record("the lease is gone")
                return
            }
            #expect(there.begin == 0 && there.epoch == Epoch(rawValue: 3))
            #expect(try await repair.adopt()?.begin == 1)
        }
    }

    @Test(
        "A new lease stands above every epoch that is known, and for the same cluster",
        arguments: [(records: 5, mark: 3, won: 2, epoch: 6), (2, 8, 2, 9), (1, 1, 4, 5), (0, 0, 2, 3)]
            as [(
                records: UInt64, mark: UInt64, won: UInt64, epoch: UInt64
            )]
    )
    func recreate(records: UInt64, mark: UInt64, won: UInt64, epoch: UInt64) async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            try await place.put(level: 0, 40...40, epoch: mark, checksum: 99)
            for record in 0..<records { try await place.put(.sample(epoch: record + 1, first: 10 + record)) }
            try await place.put(.sample(.two, "b"))
            let new = try await ClusterRepair(place, by: founder(won: won)).recreateLease()
            #expect(new.epoch == Epoch(rawValue: epoch) && new.state == .free && new.cluster == cluster)
            #expect(new.head == ChainPoint(number: 40, checksum: 99) && new.eligible == [.one, .two])
            #expect(new.begin == (records > 0 ? 9 : 40))
            #expect(await read(place).lease == new)
            await refusal(.refused, "The lease is there") {
                _ = try await ClusterRepair(place, by: founder(won: won)).recreateLease()
            }
        }
    }

    @Test("Something else in the place of the lease is replaced; a node of no cluster may not do it")
    func overwritten() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let body = ObjectBody.bytes(ByteBuffer(string: "hello"))
            try await place.leases.put(place.layout.lease, body, metadata: ObjectMetadata(), condition: .none)
            await refusal(.refused, "has not taken part") {
                _ = try await ClusterRepair(place, by: .sample).recreateLease()
            }
            await refusal(.refused, "has not taken part") {
                _ = try await ClusterRepair(place, by: nil).recreateLease()
            }
            await refusal(.needsOperator, "recreate-lease") { _ = try await ClusterRepair(place, by: nil).adopt() }
            await refusal(.needsOperator, "recreate-lease") {
                _ = try await ClusterRepair(place, by: founder()).reseed()
            }
            let new = try await ClusterRepair(place, by: founder()).recreateLease()
            #expect(await read(place).lease == new && new.epoch == Epoch(rawValue: 3))
        }
    }

    @Test("After a store went back in time this node alone may claim, above every epoch that is known")
    func reseed() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            try await write(lease(.held), place)
            try await place.put(level: 0, 5...5, epoch: 2, checksum: 50)
            let new = try await ClusterRepair(place, by: founder(won: 9)).reseed()
            #expect(new.epoch == Epoch(rawValue: 10) && new.state == .free && new.eligible == [.one])
            #expect(new.head == ChainPoint(number: 5, checksum: 50) && new.begin == 5 && new.cluster == cluster)
            #expect(await read(place).lease == new)
            var other = founder()
            other.cluster = ClusterID(rawValue: 8)
            await refusal(.refused, "is of cluster") { _ = try await ClusterRepair(place, by: other).reseed() }
        }
    }
}
