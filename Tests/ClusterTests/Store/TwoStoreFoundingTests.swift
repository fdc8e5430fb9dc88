import Foundation
import LTX
import ObjectStorage
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// How a cluster of two hosts with a store each begins, and how the second one comes: on folders and on moto.
@Suite(.timeLimit(.minutes(2))) struct TwoStoreFoundingTests {
    @Test("Folders: the first node begins, behind what its own store holds; the second one joins")
    func folders() async throws {
        try await withTemporaryFolder { try await life(TwoStores(in: $0)) }
    }

    @Test("moto: the same", .enabled(if: Servers.areExpected))
    func moto() async throws {
        try await withMoto { server in try await life(TwoStores(server, server, witness: try server.leaseStore())) }
    }

    private func life(_ stores: TwoStores) async throws {
        let own = ClusterFounding(replica: stores.a.replica, leases: stores.a.leases, layout: stores.a.layout)
        let peer = ClusterFounding(replica: stores.b.replica, leases: stores.b.leases, layout: stores.b.layout)
        try await own.put(level: 0, 1...1, epoch: 0, isOurs: false)
        try await own.put(level: 9, 1...2, epoch: 0, isOurs: false)
        // What another program has left on the other host may stay.
        for number in 1...7 as ClosedRange<UInt64> {
            try await peer.put(level: 0, number...number, epoch: 0, isOurs: false)
        }
        #expect(try await stores.first.find(.one, of: nil) == .absent)

        var highest: [UInt64] = []
        let outcome = try await stores.first.found(by: .sample) { highest.append($0) }
        guard case .founded(let lease) = outcome else {
            Issue.record("it was there already")
            return
        }
        #expect(highest == [2] && lease.begin == 2 && lease.head.number == 2 && lease.epoch == .zero)
        #expect(lease.state == .free && lease.eligible == [.one] && lease.origin == nil && lease.name == "one")
        #expect(try await TwoStores.record(stores.a)?.host == .one)
        #expect(try await TwoStores.record(stores.b)?.host == nil)
        for place in [stores.a, stores.b] {
            let record = try #require(try await TwoStores.record(place))
            #expect(record.state == .begun && record.cluster == lease.cluster && record.name == "one")
            // The probes have left nothing behind, and there is no lease beside the chain.
            #expect(try await place.leases.list(prefix: place.layout.prefix).map(\.key) == [place.layout.store])
            let probes = try await place.leases.list(prefix: place.layout.path).filter { $0.key.contains("probe/") }
            #expect(probes.isEmpty)
        }
        #expect(try await stores.cells == [lease.cluster])
        #expect(await LeaseStore(stores.witness.cell(of: lease.cluster)).read().reading.lease == lease)

        let present = TwoStoreFounding.FoundCluster.present(lease.cluster, unseen: [])
        #expect(try await stores.first.find(.one, of: nil) == present)
        #expect(try await stores.first.find(.one, of: lease.cluster) == present)
        #expect(try await stores.second.find(.two, of: nil) == present)
        #expect(try await TwoStores.record(stores.b)?.host == .two)
        #expect(try await stores.second.find(.two, of: lease.cluster) == present)
        var other = ClusterFounding.Founder.sample
        other.node = .two
        let again = try await stores.second.found(by: other) { highest.append($0) }
        #expect(again == .present(lease) && highest == [2])
    }

    @Test("A founder that ends at any of its writes completes what it began", arguments: StoreFault.Kind.allCases)
    func crashes(_ kind: StoreFault.Kind) async throws {
        var count = 0
        while true {
            let hasHit = try await withTemporaryFolder { folder in
                let fault = StoreFault(after: count, kind)
                do throws(NodeCommandError) {
                    _ = try await TwoStores(in: folder, fault: fault).first.found(by: .sample) { _ in }
                } catch {
                    #expect(fault.hasHit && error.code == .failed, "\(error)")
                }
                let stores = TwoStores(in: folder)
                let found = try await stores.first.find(.one, of: nil)
                if count == 0, kind == .before { #expect(found == .absent) }
                let outcome = try await stores.first.found(by: .sample) { _ in }
                let cells = try await stores.cells
                #expect(cells.count == 1, "\(outcome)")
                let present = TwoStoreFounding.FoundCluster.present(try #require(cells.first), unseen: [])
                #expect(try await stores.first.find(.one, of: cells.first) == present)
                #expect(try await stores.second.find(.two, of: nil) == present)
                return fault.hasHit
            }
            guard hasHit else { break }
            count += 1
        }
        // Both records, the lease, and both records once more.
        #expect(count == 5)
    }

    @Test("Two hosts that begin at once come to one cluster")
    func race() async throws {
        for _ in 0..<20 {
            try await withTemporaryFolder { folder in
                let stores = TwoStores(in: folder)
                var other = ClusterFounding.Founder.sample
                other.node = .two
                async let one = persist(stores.first, .sample)
                async let two = persist(stores.second, other)
                let outcomes = try await [one, two]
                let clusters = Set(outcomes.map(\.cluster))
                #expect(clusters.count == 1)
                #expect(outcomes.count { $0.isFirst } == 1, "\(outcomes)")
                #expect(try await stores.cells == Array(clusters))
                #expect(try await TwoStores.record(stores.a)?.host == .one)
                #expect(try await TwoStores.record(stores.b)?.host == .two)
            }
        }
    }

    /// Tries as a node does that waits where another one is at it.
    private func persist(
        _ founding: TwoStoreFounding,
        _ founder: ClusterFounding.Founder
    ) async throws -> (cluster: ClusterID, isFirst: Bool) {
        while true {
            do throws(NodeCommandError) {
                switch try await founding.found(by: founder, isAboutTo: { _ in }) {
                case .founded(let lease): return (lease.cluster, true)
                case .present(let lease): return (lease.cluster, false)
                }
            } catch {
                guard error.code == .failed else { throw error }
                try await Pause.sleep(for: .milliseconds(2))
            }
        }
    }

    @Test("A host that is replaced, with a new store, comes back to its cluster")
    func replacedHost() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let outcome = try await stores.first.found(by: .sample) { _ in }
            guard case .founded(let lease) = outcome else {
                Issue.record("it was there already")
                return
            }
            let present = TwoStoreFounding.FoundCluster.present(lease.cluster, unseen: [])
            #expect(try await stores.second.find(.two, of: nil) == present)
            try await stores.b.leases.delete([stores.b.layout.store])
            // The peer says again of which cluster the new store is.
            #expect(try await stores.first.find(.one, of: lease.cluster) == present)
            #expect(try await TwoStores.record(stores.b)?.host == nil)
            try await stores.b.leases.delete([stores.b.layout.store])
            let new = NodeID(rawValue: 3)
            #expect(try await stores.second.find(new, of: nil) == present)
            #expect(try await TwoStores.record(stores.b)?.host == new)
        }
    }

    @Test("A node that has lost its metadata folder takes its own place once the old one is silent")
    func lostFolder() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let outcome = try await stores.first.found(by: .sample) { _ in }
            guard case .founded(var lease) = outcome else {
                Issue.record("it was there already")
                return
            }
            let new = NodeID(rawValue: 3)
            let record = NodeRecord.sample(.one, "one").encoded
            try await TwoStores.put(record, stores.a.layout.record(of: NodeID.one), stores.a)
            for key in [stores.a.layout.record(of: NodeID.one), stores.a.layout.store] {
                try await stores.first.refuses(new, .refused, "is that of node one", "exchange", "5 minutes")
                try age(folder.appending("a").appending(key))
            }

            // It holds the lease, and renews it.
            let cell = LeaseStore(stores.witness.cell(of: lease.cluster))
            (lease.state, lease.ttl) = (.held, .milliseconds(300))
            let writing = Task { [lease] in
                var lease = lease
                while !Task.isCancelled {
                    lease.counter += 1
                    lease.nonce = .random()
                    guard case .body(_, let version) = await cell.read().reading else { return }
                    _ = await cell.swap(lease, condition: version)
                }
            }
            try await eventually("it is held") { await cell.read().reading.lease?.state == .held }
            try await stores.first.refuses(new, .refused, "renews it")
            writing.cancel()
            await writing.value

            let present = TwoStoreFounding.FoundCluster.present(lease.cluster, unseen: [])
            #expect(try await stores.first.find(new, of: nil) == present)
            #expect(try await TwoStores.record(stores.a)?.host == new)
            // And does not lose it to the old one again.
            try await stores.first.refuses(.one, .refused, "is that of node one")
        }
    }

    /// Lets a file be 400 seconds old.
    private func age(_ path: FilePath) throws {
        let date = Date(timeIntervalSinceNow: -400)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path.string)
    }
}
