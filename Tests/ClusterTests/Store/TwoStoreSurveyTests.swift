import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// What two stores and a witness tell of a cluster from outside.
@Suite(.timeLimit(.minutes(2))) struct TwoStoreSurveyTests {
    private static func lease(head: UInt64, origin: NodeID?, eligible: [NodeID]) -> Lease {
        var lease = ClusterFounding.Founder.sample.freeLease(
            ClusterID(rawValue: 7),
            epoch: Epoch(rawValue: 2),
            head: ChainPoint(number: head, checksum: 1),
            begin: 0,
            eligible: eligible
        )
        lease.origin = origin.map { Lease.Origin(epoch: Epoch(rawValue: 2), node: $0, first: 3) }
        return lease
    }

    @Test("A store's standing follows from who ships to it, how far it leads, and who may take over")
    func standing() {
        let both = Self.lease(head: 10, origin: .one, eligible: [.one, .two])
        let alone = Self.lease(head: 10, origin: .one, eligible: [.one])
        let fresh = Self.lease(head: 0, origin: nil, eligible: [.one])
        func standing(_ end: UInt64?, _ host: NodeID?, _ other: NodeID?, _ lease: Lease) -> StoreStanding {
            StoreStanding(end, host: host, other: other, lease)
        }
        #expect(standing(nil, .two, .one, both) == .unknown)
        #expect(standing(0, .two, .one, fresh) == .unused)
        #expect(standing(3, .one, .two, both) == .earlier)
        #expect(standing(12, .two, .one, both) == .current)
        #expect(standing(10, nil, .one, both) == .current)
        #expect(standing(9, .two, .one, both) == .behind)
        #expect(standing(9, .two, .one, alone) == .behind)
        #expect(standing(12, .two, .one, alone) == .pending)
        #expect(standing(12, nil, nil, both) == .unknown)
    }

    private func survey(_ founding: TwoStoreFounding, _ node: NodeID?, _ cluster: ClusterID?) async -> TwoStoreSurvey {
        await TwoStoreSurvey(of: founding, node: node, cluster: cluster)
    }

    @Test("Nothing, a beginning, and a cluster that writes are shown as they are")
    func life() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            var found = await survey(stores.first, nil, nil)
            #expect(found.cluster == nil && found.survey.lease == .absent && found.advice == nil)
            #expect(found.witnessTrouble == nil && found.own.end == 0 && found.own.record == nil)

            _ = try await stores.first.found(by: .sample) { _ in }
            _ = try await stores.second.find(.two, of: nil)
            for (node, name, place) in [
                (NodeID.one, "one", stores.a), (.two, "two", stores.a), (.two, "two", stores.b),
            ] {
                let record = NodeRecord.sample(node, name)
                try await TwoStores.put(record.encoded, place.layout.record(of: node), place)
            }
            try await TwoStores.put(
                EpochRecord.sample(epoch: 1, first: 1).encoded(at: "now"),
                stores.a.layout.record(of: Epoch(rawValue: 1)),
                stores.a
            )
            found = await survey(stores.second, .two, nil)
            let cluster = try #require(found.cluster)
            guard case .body(let lease) = found.survey.lease else {
                Issue.record("no lease was found")
                return
            }
            #expect(lease.cluster == cluster && found.advice == nil)
            #expect(found.survey.nodes.map(\.record.name) == ["one", "two"] && found.survey.epochs.count == 1)
            #expect(found.own.record?.host == .two && found.peer.record?.host == .one)
            #expect(found.own.standing == .unused && found.peer.standing == .unused)
        }
    }

    @Test("Where people have to do something it is said in a sentence")
    func advice() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            guard case .founded(var lease) = try await stores.first.found(by: .sample, isAboutTo: { _ in }) else {
                Issue.record("it was there already")
                return
            }
            _ = try await stores.second.find(.two, of: nil)
            let cell = LeaseStore(stores.witness.cell(of: lease.cluster))
            guard case .body(_, let version) = await cell.read().reading else {
                Issue.record("no lease was found")
                return
            }
            (lease.state, lease.epoch, lease.nonce) = (.held, Epoch(rawValue: 1), .random())
            lease.origin = Lease.Origin(epoch: lease.epoch, node: .one, first: 1)
            _ = await cell.swap(lease, condition: version)
            var found = await survey(stores.second, .two, lease.cluster)
            #expect(found.advice?.contains("'promote -accept-loss' on the other host") == true, "\(found.advice ?? "")")
            #expect(found.own.standing == .pending && found.peer.standing == .earlier)

            guard case .body(_, let older) = await cell.read().reading else {
                Issue.record("no lease was found")
                return
            }
            (lease.head.number, lease.nonce) = (9, .random())
            _ = await cell.swap(lease, condition: older)
            found = await survey(stores.second, .two, lease.cluster)
            #expect(found.own.standing == .behind)
            #expect(found.advice?.contains("'promote -accept-loss'") == true, "\(found.advice ?? "")")

            found = await survey(stores.second, .one, lease.cluster)
            #expect(found.advice?.contains("Exchange the two") == true, "\(found.advice ?? "")")

            try await stores.witness.store.delete([stores.witness.layout.cell(of: lease.cluster)])
            found = await survey(stores.first, .one, lease.cluster)
            #expect(found.advice?.contains("has lost the lease") == true, "\(found.advice ?? "")")
        }
    }

    /// A witness whose lease is renewed behind a file of the primary's, just before it is read.
    private struct BusyWitness: Witness, LeaseCell {
        let stores: TwoStores
        let lease: Lease

        var description: String { "busy" }

        func cell(of cluster: ClusterID) -> any LeaseCell { self }

        func read() async throws(ObjectStoreError) -> (bytes: [UInt8], version: LeaseVersion?) {
            let place = ClusterFounding(replica: stores.b.replica, leases: stores.b.leases, layout: stores.b.layout)
            do {
                try await place.put(level: 0, 5...5, epoch: 1)
            } catch {
                throw ObjectStoreError(.unreachable, "\(error)")
            }
            return (lease.encoded, LeaseVersion(rawValue: "1"))
        }

        func put(
            _ bytes: [UInt8],
            replacing version: LeaseVersion?
        ) async throws(ObjectStoreError) -> LeaseVersion? { nil }
    }

    @Test("A store that goes on while it is looked at is not taken for one that has lost something")
    func busy() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            guard case .founded(var lease) = try await stores.first.found(by: .sample, isAboutTo: { _ in }) else {
                Issue.record("it was there already")
                return
            }
            _ = try await stores.second.find(.two, of: nil)
            (lease.state, lease.epoch, lease.eligible) = (.held, Epoch(rawValue: 1), [.one, .two])
            lease.origin = Lease.Origin(epoch: lease.epoch, node: .one, first: 1)
            lease.head.number = 5
            let witness = BusyWitness(stores: stores, lease: lease)
            let found = await survey(
                TwoStoreFounding(own: stores.a, peer: stores.b, witness: witness, name: "one"),
                .one,
                lease.cluster
            )
            #expect(found.peer.standing == .current && found.peer.end == 5)
        }
    }

    @Test("What does not answer is left out, and named")
    func away() async throws {
        try await withTemporaryFolder { folder in
            let (stores, away) = (TwoStores(in: folder), TwoStores(in: folder, fault: StoreFault(after: -1, .before)))
            _ = try await stores.first.found(by: .sample) { _ in }
            let half = TwoStoreFounding(own: stores.a, peer: away.b, witness: away.witness, name: "one")
            let found = await survey(half, .one, nil)
            #expect(found.own.trouble == nil && found.own.end == 0)
            #expect(found.peer.trouble?.contains("has ended") == true && found.peer.end == nil)
            #expect(found.witnessTrouble?.contains("has ended") == true && found.advice == nil)
            #expect(found.cluster != nil && found.own.standing == .unknown)
        }
    }
}
