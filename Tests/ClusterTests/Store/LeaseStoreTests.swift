import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(2))) struct LeaseStoreTests {
    @Test("A folder can fence")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            let store = FolderStore(root: folder)
            #expect(try await StoreProbe(store, layout: ClusterLayout(path: "db")).run() == .fences)
            #expect(try await store.list(prefix: "").isEmpty)
            try await check(store)
        }
    }

    @Test("moto can fence", .enabled(if: Servers.areExpected, "S3 servers are not installed"))
    func moto() async throws {
        try await withMoto { server in
            let store = try server.leaseStore()
            let layout = ClusterLayout(path: "probed-\(UInt64.random(in: .min ... .max))")
            #expect(try await StoreProbe(store, layout: layout).run() == .fences)
            #expect(try await store.list(prefix: layout.path).isEmpty)
            try await check(store)
        }
    }

    @Test(
        "The MinIO gateway cannot fence, and is told so",
        .enabled(if: Servers.areExpected, "S3 servers are not installed")
    )
    func gateway() async throws {
        try await withGateway { server in
            let store = try server.leaseStore()
            let verdict = try await StoreProbe(store, layout: ClusterLayout(path: "probed")).run()
            guard case .unfit(let fact) = verdict else {
                Issue.record("it passed the probe")
                return
            }
            #expect(fact.contains("If-None-Match is ignored"))
            #expect(StoreProbe.Verdict.explanation(fact, store: "\(store)").contains("cannot fence"))
        }
    }

    /// The life of a lease in a store.
    private func check(_ store: any ObjectStore) async throws {
        let layout = ClusterLayout(path: "life-\(UInt64.random(in: .min ... .max))")
        let lease = LeaseStore(store, layout: layout)
        #expect(await lease.read().reading == .absent)
        guard case .swapped(let first) = await lease.swap(.sample(counter: 1), condition: nil).answer else {
            Issue.record("the lease could not be created")
            return
        }
        #expect(await lease.swap(.sample(counter: 9), condition: nil).answer == .refused)
        #expect(await lease.read().reading == .body(.sample(counter: 1), first))
        guard case .swapped(let second) = await lease.swap(.sample(counter: 2), condition: first).answer else {
            Issue.record("the lease could not be swapped")
            return
        }
        #expect(second != first)
        #expect(await lease.swap(.sample(counter: 9), condition: first).answer == .refused)
        #expect(await lease.read().reading == .body(.sample(counter: 2), second))

        let other = ObjectBody.bytes(ByteBuffer(string: "something else"))
        try await store.put(layout.lease, other, metadata: ObjectMetadata(), condition: .none)
        guard case .unfit(let words) = await lease.read().reading else {
            Issue.record("something else was taken for a lease")
            return
        }
        #expect(words.contains("is not JSON") && words.contains(layout.lease))
        try await store.delete([layout.lease])
        #expect(await lease.swap(.sample(counter: 3), condition: second).answer == .refused)
    }
}
