import LTX
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

    private let host = HostRecord(newest: 6, holds: 1, epoch: Epoch(rawValue: 2))

    @Test("Behind foreign files the chain begins anew with this host's database; its node alone may claim")
    func adopt() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let repair = ClusterRepair(place, by: founder())
            var begun: [UInt64] = []
            await refusal(.needsOperator, "There is no lease") {
                _ = try await repair.adopt(with: host) { begun.append($0) }
            }
            var before = lease(.free)
            before.other = ["later": .bool(true)]
            try await write(before, place)
            #expect(try await repair.adopt(with: host) { begun.append($0) } == nil)
            try await place.put(level: 0, 1...1, epoch: 3)
            #expect(try await repair.adopt(with: host) { begun.append($0) } == nil)
            try await place.put(level: 0, 2...2, epoch: 0, isOurs: false)
            try await place.put(level: 1, 1...3, epoch: 0, isOurs: false)
            await refusal(.refused, "has not taken part") {
                _ = try await ClusterRepair(place, by: nil).adopt(with: host) { begun.append($0) }
            }
            await refusal(.failed, "disk") {
                _ = try await repair.adopt(with: host) { _ in throw TestSupportError("the disk is full") }
            }
            // What cannot be written on this host comes before the lease.
            #expect(await read(place).lease == before && begun.isEmpty)
            let adopted = try #require(try await repair.adopt(with: host) { begun.append($0) })
            #expect(begun == [3] && adopted.begin == 3 && adopted.head == ChainPoint(number: 3, checksum: 0))
            #expect(adopted.epoch == Epoch(rawValue: 4) && adopted.state == .free && adopted.node == .one)
            #expect(
                adopted.eligible == [.one] && adopted.continues == Lease.Continuation(since: 0, through: 1)
                    && adopted.cluster == cluster
            )
            #expect(adopted.other == before.other)
            #expect(await read(place).lease == adopted)
            #expect(try await repair.adopt(with: host) { begun.append($0) } == nil)
            // It went on writing: once more.
            try await place.put(level: 0, 4...4, epoch: 0, isOurs: false)
            #expect(try await repair.adopt(with: host) { begun.append($0) }?.continues?.since == 3)
            #expect(begun == [3, 4])
        }
    }

    @Test("A host that was chosen and never wrote its copy can be replaced by another one")
    func adoptElsewhere() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            try await write(lease(.free), place)
            try await place.put(level: 0, 2...2, epoch: 0, isOurs: false)
            let first = try #require(try await ClusterRepair(place, by: founder()).adopt(with: host) { _ in })
            var other = founder()
            other.node = .two
            let second = try #require(try await ClusterRepair(place, by: other).adopt(with: host) { _ in })
            #expect(second.eligible == [.two] && second.begin == 2 && second.epoch == first.epoch.next)
            try await place.put(level: 0, 3...3, epoch: 6)
            #expect(try await ClusterRepair(place, by: founder()).adopt(with: host) { _ in } == nil)
        }
    }

    @Test("A lease that is written again goes on behind what was adopted before")
    func recreateAdopted() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            try await place.put(.sample(epoch: 1, first: 5))
            try await place.put(level: 0, 20...20, epoch: 0, isOurs: false)
            try await place.put(level: 0, 21...21, epoch: 3, checksum: 99)
            #expect(try await ClusterRepair(place, by: founder()).recreateLease().begin == 20)
        }
    }

    @Test("An object among the files that is no transaction file is another program's too")
    func adoptGarbage() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            try await write(lease(.free), place)
            let id = TransactionID(rawValue: 2)
            let body = ObjectBody.bytes(ByteBuffer(repeating: 7, count: 500))
            let key = place.replica.layout.key(level: 0, min: id, max: id)
            try await place.leases.put(key, body, metadata: ObjectMetadata(), condition: .none)
            let adopted = try await ClusterRepair(place, by: founder()).adopt(with: host) { _ in }
            #expect(adopted?.begin == 2)
        }
    }

    @Test("A lease that is renewed is left alone; one that is only held is not")
    func liveHolder() async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let repair = ClusterRepair(place, by: founder())
            try await write(lease(.held), place)
            try await place.put(level: 0, 1...1, epoch: 0, isOurs: false)
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
                await refusal(.refused, "renews it") { _ = try await repair.adopt(with: host) { _ in } }
                await refusal(.refused, "renews it") { _ = try await repair.reseed(with: host) { _ in } }
                group.cancelAll()
                try? await group.waitForAll()  // it was cancelled
            }
            guard case .body(let there, _) = await read(place) else {
                Issue.record("the lease is gone")
                return
            }
            #expect(there.begin == 0 && there.epoch == Epoch(rawValue: 3))
            #expect(try await repair.adopt(with: host) { _ in }?.begin == 1)
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
            #expect(new.begin == (records > 0 ? 9 : 0))
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
            let repair = ClusterRepair(place, by: founder())
            await refusal(.needsOperator, "recreate-lease") { _ = try await repair.adopt(with: host) { _ in } }
            await refusal(.needsOperator, "recreate-lease") { _ = try await repair.reseed(with: host) { _ in } }
            let new = try await ClusterRepair(place, by: founder()).recreateLease()
            #expect(await read(place).lease == new && new.epoch == Epoch(rawValue: 3))
        }
    }

    @Test(
        "After a store went back in time the chain goes on beyond whatever is known, wherever that is known",
        arguments: ["files", "lease", "node", "epoch", "host"]
    )
    func reseed(_ highest: String) async throws {
        try await withTemporaryFolder { folder in
            let place = ClusterFounding.folder(folder)
            let number = { (source: String) -> UInt64 in source == highest ? 900 : 5 }
            var there = lease(.held)
            there.head.number = number("lease")
            try await write(there, place)
            try await place.put(level: 0, 5...number("files"), epoch: 2, checksum: 50)
            var node = NodeRecord.sample(.two, "b")
            node.position.number = number("node")
            try await place.put(node)
            try await place.put(.sample(epoch: highest == "epoch" ? 900 : 2, first: number("epoch")))
            let host = HostRecord(newest: number("host"), holds: 4, epoch: Epoch(rawValue: number("host")))
            var begun: [UInt64] = []
            let new = try await ClusterRepair(place, by: founder(won: 9)).reseed(with: host) { begun.append($0) }
            let begin = 900 + ClusterRepair.transactionMargin
            #expect(begun == [begin] && new.begin == begin && new.head == ChainPoint(number: begin, checksum: 0))
            let epoch: UInt64 = highest == "epoch" || highest == "host" ? 900 : 9
            #expect(new.epoch == Epoch(rawValue: epoch + ClusterRepair.epochMargin))
            #expect(
                new.state == .free && new.eligible == [.one]
                    && new.continues?.holds(ChainPoint(number: 4, checksum: 50)) == false && new.cluster == cluster
            )
            #expect(await read(place).lease == new)
            var other = founder()
            other.cluster = ClusterID(rawValue: 8)
            await refusal(.refused, "is of cluster") {
                _ = try await ClusterRepair(place, by: other).reseed(with: host) { _ in }
            }
        }
    }

    @Test("Where no numbers are left, nothing is reseeded")
    func exhausted() async throws {
        try await withTemporaryFolder { folder in
            let host = HostRecord(newest: .max - 1, holds: 0, epoch: .zero)
            await refusal(.failed, "none are left") {
                _ = try await ClusterRepair(.folder(folder), by: founder()).reseed(with: host) { _ in }
            }
        }
    }
}
