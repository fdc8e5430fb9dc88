import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// What two stores without a witness tell of a cluster from outside, and what a person has to do (failover-review W9, W10).
@Suite(.timeLimit(.minutes(2))) struct PairedSurveyTests {
    private struct Pair {
        let stores: TwoStores
        let first: TwoStoreFounding
        let second: TwoStoreFounding

        init(in folder: FilePath) {
            stores = TwoStores(in: folder)
            first = TwoStoreFounding(own: stores.a, peer: stores.b, name: "one")
            second = TwoStoreFounding(own: stores.b, peer: stores.a, name: "two")
        }

        /// A cluster that the first node has begun; the right lies in the second one's store.
        func begun() async throws -> ClusterID {
            guard case .founded(let lease) = try await first.found(by: .sample, isAboutTo: { _ in }) else {
                throw ObjectStoreError(.conditionFailed, "it was there already")
            }
            _ = try await second.find(.two, of: nil)
            return lease.cluster
        }

        /// Puts another body into a store's cell.
        func change(_ place: ClusterPlace, _ edit: (inout Lease) -> Void) async throws {
            let cell = LeaseStore(place.leases, layout: place.layout)
            guard case .body(var lease, let version) = await cell.read().reading else {
                Issue.record("there is no cell in \(place.words)")
                return
            }
            edit(&lease)
            lease.nonce = .random()
            guard case .swapped = await cell.swap(lease, condition: version).answer else {
                Issue.record("the cell in \(place.words) was not changed")
                return
            }
        }

        func survey(_ founding: TwoStoreFounding, _ node: NodeID) async -> TwoStoreSurvey {
            await TwoStoreSurvey(of: founding, node: node, cluster: nil)
        }
    }

    @Test("Each host sees who has the right, and what both stores hold")
    func right() async throws {
        try await withTemporaryFolder { folder in
            let pair = Pair(in: folder)
            let cluster = try await pair.begun()
            for (founding, node, site) in [(pair.first, NodeID.one, ChainSite.peer), (pair.second, .two, .own)] {
                let found = await pair.survey(founding, node)
                #expect(found.cluster == cluster && found.advice == nil && found.right?.site == site)
                #expect(found.holder?.node == .one)
                guard case .body(let lease) = found.survey.lease else {
                    Issue.record("nobody has the right")
                    continue
                }
                #expect(lease.state == .held && lease.node == .one)
                let (holders, others) = node == .one ? (found.own, found.peer) : (found.peer, found.own)
                #expect(holders.standing == .unused && others.standing == .unused)
                #expect(holders.trouble == nil && others.trouble == nil)
            }
        }
    }

    @Test("Who ships where tells what a store holds")
    func standing() throws {
        var body = ClusterFounding.Founder.sample.freeLease(
            ClusterID(rawValue: 7),
            epoch: Epoch(rawValue: 2),
            head: ChainPoint(number: 10, checksum: 1),
            begin: 0,
            eligible: [.one]
        )
        body.state = .held
        func standing(_ end: UInt64?, _ host: NodeID?, hasRight: Bool) -> StoreStanding {
            StoreStanding(end, host: host, body, hasRight: hasRight)
        }
        let holder = body.node
        #expect(standing(nil, .two, hasRight: true) == .unknown)
        #expect(standing(3, holder, hasRight: false) == .earlier && standing(0, holder, hasRight: false) == .unused)
        #expect(standing(12, .two, hasRight: true) == .current)
        #expect(standing(9, .two, hasRight: true) == .behind)
        #expect(standing(12, .two, hasRight: false) == .pending)
        body.copyAt = 15
        #expect(standing(14, .two, hasRight: true) == .pending && standing(15, .two, hasRight: true) == .current)
    }

    @Test("What a person has to do is said in a sentence, with what to type")
    func need() async throws {
        try await withTemporaryFolder { folder in
            let pair = Pair(in: folder)
            let cluster = try await pair.begun()
            // The second host looks at a holder that is well, one that is gone, and one of which it knows nothing.
            var found = await pair.survey(pair.second, .two)
            #expect(found.need(of: .two, isHolderUp: true) == nil && found.need(of: .two, isHolderUp: nil) == nil)
            let word = try #require(found.need(of: .two, isHolderUp: false))
            #expect(word.sentence.contains("nobody takes over before"))
            #expect(word.command == "sqlite-replicate promote -peer-is-down")
            // The holder's own host.
            found = await pair.survey(pair.first, .one)
            #expect(found.need(of: .one, isHolderUp: false)?.command == "sqlite-replicate service")

            try await pair.change(pair.stores.b) { ($0.state, $0.successor) = (.handoff, .two) }
            found = await pair.survey(pair.first, .one)
            #expect(found.need(of: .one, isHolderUp: false)?.command == "sqlite-replicate service")
            found = await pair.survey(pair.second, .two)
            #expect(found.need(of: .two, isHolderUp: true) == nil)

            // Its cell is gone.
            try await pair.stores.b.leases.delete([pair.stores.b.layout.lease])
            found = await pair.survey(pair.first, .one)
            #expect(found.advice?.contains("has lost its cell") == true, "\(found.advice ?? "")")
            #expect(found.need(of: .one, isHolderUp: false) == nil)
            found = await pair.survey(pair.second, .two)
            #expect(found.advice?.contains("This host's store") == true, "\(found.advice ?? "")")

            // Something else lies there.
            try await TwoStores.put(Array("{}".utf8), pair.stores.b.layout.lease, pair.stores.b)
            found = await pair.survey(pair.first, .one)
            #expect(found.advice?.contains("before anything else is done") == true, "\(found.advice ?? "")")

            // The first host wrote last, and the store with the right does not answer.
            let gone = TwoStoreFounding(
                own: pair.stores.a,
                peer: TwoStores(in: folder, fault: StoreFault(after: -1, .before)).b,
                name: "one"
            )
            found = await TwoStoreSurvey(of: gone, node: .one, cluster: cluster)
            let blind = found.need(of: .one, isHolderUp: false)
            #expect(blind?.sentence.contains("does not answer") == true && blind?.command != nil, "\(found)")
        }
    }
}
