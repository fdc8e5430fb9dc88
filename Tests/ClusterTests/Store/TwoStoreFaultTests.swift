import Foundation
import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// Stores and witnesses that are not what a configuration says.
@Suite(.timeLimit(.minutes(2))) struct TwoStoreFaultTests {
    private static let (seven, nine) = (ClusterID(rawValue: 7), ClusterID(rawValue: 9))

    private func record(_ host: NodeID?, _ cluster: ClusterID = seven) -> StoreRecord {
        StoreRecord(cluster: cluster, host: host, name: "two", state: .begun)
    }

    private func founding(_ place: ClusterPlace) -> ClusterFounding {
        ClusterFounding(replica: place.replica, leases: place.leases, layout: place.layout)
    }

    /// Begins a cluster, and lets the second node join.
    private func begun(_ stores: TwoStores) async throws -> ClusterID {
        guard case .founded(let lease) = try await stores.first.found(by: .sample, isAboutTo: { _ in }) else {
            throw TestSupportError("it was there already")
        }
        _ = try await stores.second.find(.two, of: nil)
        return lease.cluster
    }

    @Test("Stores that are swapped in the configuration are told from those that are not")
    func swapped() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let cluster = try await begun(stores)
            for known in [nil, cluster] {
                try await stores.second.refuses(.one, of: known, .needsOperator, "of this very node", "Exchange")
                try await stores.first.refuses(.two, of: known, .needsOperator, "of this very node", "Exchange")
            }
            let twice = TwoStoreFounding(own: stores.a, peer: stores.a, witness: stores.witness, name: "one")
            try await twice.refuses(.one, of: cluster, .needsOperator, "the same place")
            try await twice.refuses(.two, .needsOperator, "the same place")
        }
    }

    @Test("One store that is given twice is noticed, also by two addresses")
    func sameStore() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let twice = TwoStoreFounding(own: stores.a, peer: stores.a, witness: stores.witness, name: "one")
            try await twice.refusesToBegin(.needsOperator, "the same place", "leave 'peer-store'")
            let store = FolderStore(root: folder.appending("x/../a"))
            let alias = ClusterPlace(replica: Replica(store: store, layout: .folder), layout: ClusterLayout(path: ""))
            #expect(alias.words != stores.a.words)
            try FileManager.default.createDirectory(
                atPath: folder.appending("x").string,
                withIntermediateDirectories: true
            )
            let hidden = TwoStoreFounding(own: stores.a, peer: alias, witness: stores.witness, name: "one")
            try await hidden.refusesToBegin(.needsOperator, "the same place")
            #expect(try await stores.a.leases.list(prefix: "").isEmpty)
        }
    }

    @Test("A store of another cluster is not taken for a peer's, nor for the own one")
    func foreign() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let cluster = try await begun(stores)
            try await TwoStores.put(record(.two, Self.nine), stores.b)
            try await stores.first.refuses(
                .one,
                of: cluster,
                .needsOperator,
                "The peer's store",
                "another cluster, \(Self.nine)",
                "belongs to \(cluster)"
            )
            try await stores.first.refuses(.one, .needsOperator, "of two clusters", "\(Self.nine)")
            try await stores.second.refuses(.two, of: cluster, .needsOperator, "This host's store", "\(Self.nine)")
            for place in [stores.a, stores.b] { try await place.leases.delete([place.layout.store]) }
            try await stores.first.refuses(.one, of: cluster, .needsOperator, "neither", "check bucket and path")
        }
    }

    @Test("Where other nodes share a store, or files of a cluster are left, nothing is begun")
    func usedStores() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            _ = try await founding(stores.b).found(by: .sample) { _ in }
            try await stores.first.refusesToBegin(.needsOperator, "\(stores.b)", "whose nodes share it")
            try await stores.second.refusesToBegin(.needsOperator, "\(stores.b)", "whose nodes share it")
            // A member does not take it for its peer's new store either.
            try await TwoStores.put(record(.one), stores.a)
            let lease = ClusterFounding.Founder.sample.freeLease(Self.seven, epoch: .zero, head: .start, begin: 0)
            _ = await LeaseStore(stores.witness.cell(of: Self.seven)).swap(lease, condition: nil)
            try await stores.first.refuses(.one, of: Self.seven, .needsOperator, "whose nodes share it")
        }
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            try await founding(stores.b).put(level: 0, 1...1, epoch: 3)
            try await stores.first.refusesToBegin(.needsOperator, "files of epoch 3")
            try await founding(stores.b).put(.sample(epoch: 3, first: 1))
            try await stores.first.refusesToBegin(.needsOperator, "what is left of a cluster")
        }
    }

    @Test("A replica of another database is noticed by the size of its pages")
    func otherDatabase() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            try await founding(stores.b).put(level: 0, 1...1, epoch: 0, isOurs: false)
            try await stores.first.refusesToBegin(
                pageSize: 8192,
                .needsOperator,
                "another database",
                "4096 bytes",
                "8192"
            )
            _ = try await stores.first.found(by: .sample, pageSize: 4096) { _ in }
        }
    }

    @Test("What is no record of a store is not written over")
    func unreadable() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            try await TwoStores.put(Array("hello".utf8), stores.b.layout.store, stores.b)
            try await stores.first.refuses(.one, .needsOperator, "The peer's store", "is not JSON", "remove it")
            try await stores.second.refusesToBegin(.needsOperator, "This host's store", "is not JSON")
        }
    }

    @Test("A cell that is gone, or holds something else, is left to people")
    func lostCell() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let cluster = try await begun(stores)
            let cell = stores.witness.layout.cell(of: cluster)
            try await stores.witness.store.delete([cell])
            for known in [nil, cluster] {
                try await stores.first.refuses(.one, of: known, .needsOperator, "has lost the lease", "cluster init")
                try await stores.second.refuses(.two, of: known, .needsOperator, "has lost the lease")
            }
            // Nobody makes a new one, also where its own store has gone back to the beginning.
            var record = try #require(try await TwoStores.record(stores.a))
            record.state = .beginning
            try await TwoStores.put(record, stores.a)
            try await stores.first.refusesToBegin(.needsOperator, "has lost the lease")
            #expect(try await stores.cells.isEmpty)

            let place = ClusterPlace(
                replica: Replica(store: stores.witness.store, layout: .folder),
                layout: stores.witness.layout
            )
            try await TwoStores.put(Array("hello".utf8), cell, place)
            try await stores.first.refuses(.one, of: cluster, .needsOperator, "is not JSON")
            try await TwoStores.put(Lease.sample().encoded, cell, place)
            try await stores.first.refuses(.one, of: cluster, .needsOperator, "lease of another cluster")
        }
    }

    @Test("Without a witness nothing is begun beside a cell of something else, in either store")
    func foreignCell() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let founding = TwoStoreFounding(own: stores.a, peer: stores.b, name: "one")
            for (place, other) in [(stores.a, stores.b), (stores.b, stores.a)] {
                let cell = place.layout.lease
                for (bytes, words) in [
                    (Array("hello".utf8), "is not JSON"), (Lease.sample().encoded, "lease of another cluster"),
                ] {
                    try await TwoStores.put(bytes, cell, place)
                    let error = await #expect(throws: NodeCommandError.self) {
                        _ = try await founding.found(by: .sample) { _ in }
                    }
                    #expect(error?.code == .needsOperator && error?.message.contains(words) == true)
                    #expect(Array(try await place.leases.getVersioned(cell).bytes.readableBytesView) == bytes)
                    let keys = try await other.leases.list(prefix: "").map(\.key)
                    #expect(!keys.contains(other.layout.lease), "\(keys)")
                }
                try await place.leases.delete([cell])
            }
            _ = try await founding.found(by: .sample) { _ in }
        }
    }

    @Test("A member stands while its peer's store, its own or the witness is away; nobody else does")
    func away() async throws {
        try await withTemporaryFolder { folder in
            let stores = TwoStores(in: folder)
            let cluster = try await begun(stores)
            let gone = StoreFault(after: -1, .before)
            let away = TwoStores(in: folder, fault: gone)
            #expect(gone.hasHit)
            func founding(own: Bool = false, peer: Bool = false, witness: Bool = false) -> TwoStoreFounding {
                TwoStoreFounding(
                    own: own ? away.a : stores.a,
                    peer: peer ? away.b : stores.b,
                    witness: witness ? away.witness : stores.witness,
                    name: "one"
                )
            }
            typealias Found = TwoStoreFounding.FoundCluster
            #expect(try await founding(peer: true).find(.one, of: cluster) == Found.present(cluster, unseen: [.peer]))
            #expect(try await founding(own: true).find(.one, of: cluster) == Found.present(cluster, unseen: [.own]))
            #expect(try await founding(witness: true).find(.one, of: cluster) == Found.present(cluster, unseen: []))
            #expect(try await founding(peer: true).find(.one, of: nil) == Found.present(cluster, unseen: [.peer]))
            try await founding(own: true).refuses(.one, .failed, "This host's store", "has ended")
            try await founding(witness: true).refuses(.one, .failed, "has ended")
        }
    }

    @Test("Nothing is begun while a store or the witness is away")
    func awayAtFirst() async throws {
        try await withTemporaryFolder { folder in
            let (stores, away) = (TwoStores(in: folder), TwoStores(in: folder, fault: StoreFault(after: -1, .before)))
            for (own, peer, witness) in [
                (away.a, stores.b, stores.witness), (stores.a, away.b, stores.witness),
                (stores.a, stores.b, away.witness),
            ] {
                let founding = TwoStoreFounding(own: own, peer: peer, witness: witness, name: "one")
                try await founding.refusesToBegin(.failed, "has ended")
            }
            for place in [stores.a, stores.b] { #expect(try await TwoStores.record(place) == nil) }
            #expect(try await stores.cells.isEmpty)
        }
    }

    @Test("The unfit one of two stores is named, or both", .enabled(if: Servers.areExpected))
    func unfit() async throws {
        try await withMoto { moto in
            try await withGateway { gateway in
                let witness = try moto.leaseStore()
                let mixed = try TwoStores(moto, gateway, witness: witness)
                try await mixed.first.refusesToBegin(.unfitStore, "The peer's store, \(mixed.b.words), cannot fence")
                try await mixed.second.refusesToBegin(.unfitStore, "This host's store, \(mixed.b.words), cannot fence")
                let both = try TwoStores(gateway, gateway, witness: witness)
                try await both.first.refusesToBegin(.unfitStore, both.a.words, both.b.words, "in place of both")
                for place in [mixed.a, mixed.b, both.a, both.b] {
                    #expect(try await place.leases.list(prefix: place.layout.path).isEmpty)
                }
            }
        }
    }
}
