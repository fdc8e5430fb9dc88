import LTX
import Logging
import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Cluster

/// A chain that begins anew: who loses nothing, and what restores at each step.
@Suite("Nodes in one process, once the chain begins anew", .serialized, .timeLimit(.minutes(3)))
struct BeginAnewTests {
    @Test("Adopting on the standby's host: it goes on, and what only the old primary holds is its tail")
    func otherHost() async throws {
        try await withTemporaryFolder { folder in
            let place = Place(folder)
            let (a, b) = (place.node("a"), place.node("b"))
            try await place.live(a, b)
            let highest = try await place.highest
            try await place.putForeign(highest + 1)
            try a.write(10..<15)
            for node in [a, b] {
                try await node.reaches(.halted)
                #expect(await node.node.status().failure?.contains("cluster adopt") == true)
                // One that has halted ends when it is told to.
                try await node.stop()
            }
            let lease = try #require(try await place.adopt("b"))
            #expect(lease.begin == highest + 1)

            let levels = LevelSettings(intervals: [.milliseconds(200)])
            let (first, second) = (place.node("a"), place.node("b", levels))
            first.start()
            try await eventually("it says for whom it waits") {
                await first.node.status().failure?.contains("start node b") == true
            }
            second.start()
            try await second.reaches(.primary)
            try await first.reaches(.standby)
            try second.write(20..<25)
            try await place.follows(first, second)
            let rows = (0..<10).map(Int64.init) + (20..<25).map(Int64.init)
            #expect(try first.rows() == rows && second.rows() == rows)
            #expect(await first.node.status().unacknowledgedTails == 1)
            #expect(await second.node.status().unacknowledgedTails == 0)
            // The foreign file has pages of another size: merges and restores go around it.
            try await eventually("level 1 goes on behind the copy", within: .seconds(20)) {
                try await place.replica.list(levels: [1])[1].last.map { $0.min.rawValue > highest + 2 } ?? false
            }
            try await first.stop()
            try await second.stop()
            try await place.restores(rows)
        }
    }

    @Test(
        "A session that dies behind its whole copy is gone on from, and what was written meanwhile is kept",
        arguments: [false, true]
    )
    func deathBehindTheSeal(_ writesMeanwhile: Bool) async throws {
        try await withTemporaryFolder { folder in
            let place = Place(folder)
            let (a, b) = (place.node("a"), place.node("b"))
            try await place.live(a, b)
            for node in [b, a] { try await node.stop() }
            try await place.putForeign(try await place.highest + 1)
            var lease = try #require(try await place.adopt("a"))
            let sealed = try await place.seal("a", &lease)
            #expect(await place.chain.create(sealed).answer == .created)
            if writesMeanwhile { try a.write(30..<31) }

            let (first, second) = (place.node("a"), place.node("b"))
            first.start()
            second.start()
            try await first.reaches(.primary)
            try await second.reaches(.standby)
            try first.write(20..<25)
            try await place.follows(second, first)
            let rows = (0..<10).map(Int64.init) + (20..<25).map(Int64.init)
            #expect(try first.rows() == rows && second.rows() == rows)
            #expect(await first.node.status().unacknowledgedTails == (writesMeanwhile ? 1 : 0))
            try await second.stop()
            try await first.stop()
            try await place.restores(rows)
        }
    }

    @Test("After reseeding every step restores: before the snapshot, behind it, and behind the seal, by Litestream too")
    func steps() async throws {
        try await withTemporaryFolder { folder in
            let place = Place(folder)
            let (a, b) = (place.node("a"), place.node("b"))
            try await place.live(a, b)
            for node in [b, a] { try await node.stop() }
            let rows = (0..<10).map(Int64.init)
            try await place.restores(rows)
            var lease = try await place.reseed("a")
            try await place.restores(rows)
            let sealed = try await place.seal("a", &lease)
            let copy = BeginningCopy(seal: sealed, chain: place.chain)
            #expect(try await copy.bridge())
            #expect(try await place.highest == lease.begin)
            try await place.restores(rows)
            #expect(try await !copy.bridge())
            #expect(await place.chain.create(sealed).answer == .created)
            try await place.restores(rows)
            try await copy.publish()
            #expect(try await place.highest == lease.begin + 1)
            try await place.restores(rows)
        }
    }
}

/// Two hosts and their store.
private struct Place {
    let folder: FilePath
    let store: FilePath
    let peers = TestPeers()

    init(_ folder: FilePath) { (self.folder, store) = (folder, folder.appending("store")) }

    func node(_ name: String, _ levels: LevelSettings? = nil) -> TestNode {
        TestNode(name, in: folder, store: store, peers: peers, levels: levels)
    }

    var founding: ClusterFounding { .folder(store) }

    var replica: Replica { FolderStoreReplica.of(store) }

    var highest: UInt64 { get async throws { try #require(try await replica.list().highest).rawValue } }

    private func settings(_ name: String) -> DatabaseSettings {
        DatabaseSettings(database: folder.appending("\(name).db"))
    }

    var chain: ChainStore {
        ChainStore(
            ClusterPlace(replica: replica, layout: founding.layout),
            folder: MetadataFolder(root: folder.appending(".a.db-litestream"))
        )
    }

    /// Ten rows, in both databases.
    func live(_ a: TestNode, _ b: TestNode) async throws {
        try a.makeDatabase()
        a.start()
        try await a.reaches(.primary)
        try a.write(0..<10)
        b.start()
        try await b.reaches(.standby)
        try await follows(b, a)
    }

    func follows(_ follower: TestNode, _ primary: TestNode) async throws {
        let position = try await primary.node.replicate(timeout: .seconds(10))
        try await follower.node.waitUntilApplied(position, timeout: .seconds(20))
    }

    /// A transaction file of another program, and of another database.
    func putForeign(_ number: UInt64) async throws {
        var writer = try LTXWriter(pageSize: 8192, sink: MemorySink())
        try writer.append(pageNumber: 1, page: [UInt8](repeating: 7, count: 8192).span.bytes)
        let id = TransactionID(rawValue: number)
        let header = LTXHeader(pageSize: 8192, commit: 1, minTXID: id, maxTXID: id, timestampMilliseconds: 1)
        _ = try writer.finish(header: header)
        try await replica.store.put(
            replica.layout.key(level: 0, min: id, max: id),
            .bytes(ByteBuffer(bytes: writer.sink.bytes)),
            metadata: ObjectMetadata(),
            condition: .ifAbsent
        )
    }

    private func identity(_ name: String) throws -> NodeIdentity {
        try #require(try NodeMemoryFile(try MetadataFolder(settings(name))).peek())
    }

    private func anew<Value>(
        _ name: String,
        _ body: (ClusterRepair, HostRecord, @Sendable (UInt64) async throws -> Void) async throws -> Value
    ) async throws -> Value {
        let identity = try identity(name)
        let logger = Logger(label: "host") { _ in SwiftLogNoOpLogHandler() }
        let host = BeginningHost(settings(name), node: identity.node, logger: logger)
        let founder = ClusterFounding.Founder(identity, name: name, url: "test://\(name)", ttl: .milliseconds(900))
        let record = try await host.look()
        let value = try await body(ClusterRepair(founding, by: founder), record) { try await host.begin(behind: $0) }
        await host.close()
        return value
    }

    func adopt(_ name: String) async throws -> Lease? {
        try await anew(name) { try await $0.adopt(with: $1, isAboutTo: $2) }
    }

    func reseed(_ name: String) async throws -> Lease {
        try await anew(name) { try await $0.reseed(with: $1, isAboutTo: $2) }
    }

    /// What a session has done that dies before it knows whether its seal is there: it holds the lease.
    func seal(_ name: String, _ lease: inout Lease) async throws -> LocalTransaction {
        let leases = LeaseStore(founding.leases, layout: founding.layout)
        guard case .body(_, let version) = await leases.read().reading else {
            throw TestSupportError("there is no lease")
        }
        (lease.state, lease.epoch, lease.session, lease.nonce) = (.held, lease.epoch.next, .random(), .random())
        guard case .swapped = await leases.swap(lease, condition: version).answer else {
            throw TestSupportError("the lease was not claimed")
        }
        let node = try identity(name).node
        let database = NodeDatabase(settings(name), logger: Logger(label: "seal") { _ in SwiftLogNoOpLogHandler() })
        await database.wantLock()
        await database.lock()
        let checksum = try #require(try await database.examine(node)).checksum
        let state = ChainState(number: lease.begin + 1, checksum: checksum, epoch: lease.epoch.rawValue)
        let seal = try await database.makeSeal(state, node: node, .everything)
        await database.close()
        return seal
    }

    /// This program and Litestream restore these rows.
    func restores(_ rows: [Int64]) async throws {
        let output = folder.appending("restored-\(UInt64.random(in: .min ... .max)).db")
        try await Restorer(replica).restore(.latest, to: output)
        var outputs = [output]
        if Litestream.isExpected {
            let theirs = folder.appending("theirs-\(UInt64.random(in: .min ... .max)).db")
            try await Litestream.restore("file://\(store)", to: theirs)
            outputs.append(theirs)
        }
        for output in outputs {
            let file = try SQLiteFile(output, .init(creates: false))
            let found = try file.query("SELECT n FROM t ORDER BY n").compactMap { $0.first?.integer }
            #expect(found == rows, "\(output)")
            #expect(try file.scalar("PRAGMA integrity_check")?.text == "ok")
        }
    }
}
