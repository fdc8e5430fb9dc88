import Cluster
import Foundation
import NIOCore
import ObjectStorage
import Replication
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Nodes in one process, on a folder", .serialized, .timeLimit(.minutes(3)))
struct ClusterNodeTests {
    @Test("a cluster begins, a standby follows, and takes over when the primary is gone; the old one returns")
    func takeover() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            let a = TestNode("a", in: folder, store: folder.appending("store"), peers: peers)
            try a.makeDatabase()
            try a.write(0..<10)
            a.start()
            try await a.reaches(.primary)
            try a.write(10..<20)
            _ = try await a.node.replicate(timeout: .seconds(10))

            let b = TestNode("b", in: folder, store: folder.appending("store"), peers: peers)
            b.start()
            try await b.reaches(.standby)
            try a.write(20..<30)
            let position = try await a.node.replicate(timeout: .seconds(10))
            try await b.node.waitUntilApplied(position, timeout: .seconds(10))
            #expect(try b.rows() == (0..<30).map(Int64.init))
            #expect(throws: (any Error).self) {
                let file = try SQLiteFile(b.database, .init(creates: false, busyTimeout: .zero))
                try file.execute("INSERT INTO t VALUES (1000, '')")
            }
            let status = await a.node.status()
            #expect(status.isPrimary && status.isWritable && status.failure == nil)
            try await eventually("b is on the list") { await a.node.status().lease?.eligible.count == 2 }

            await a.kill()
            try await b.reaches(.primary)
            try b.write(30..<40)
            _ = try await b.node.replicate(timeout: .seconds(10))

            let again = TestNode("a", in: folder, store: folder.appending("store"), peers: peers)
            again.start()
            try await again.reaches(.standby)
            try b.write(40..<50)
            try await again.node.waitUntilApplied(
                try await b.node.replicate(timeout: .seconds(10)),
                timeout: .seconds(10)
            )
            #expect(try again.rows() == (0..<50).map(Int64.init))
            try await again.stop()
            try await b.stop()
            let restored = folder.appending("restored.db")
            let store = FolderStoreReplica.of(folder.appending("store"))
            try await Restorer(store).restore(.latest, to: restored)
            let file = try SQLiteFile(restored, .init(creates: false))
            #expect(try file.integer("SELECT count(*) FROM t") == 50)
            #expect(try file.scalar("PRAGMA integrity_check")?.text == "ok")
        }
    }

    @Test("a switchover hands over, back and forth, and loses nothing")
    func switchover() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            let nodes = ["a", "b"].map { TestNode($0, in: folder, store: folder.appending("store"), peers: peers) }
            try nodes[0].makeDatabase()
            for node in nodes { node.start() }
            try await nodes[0].reaches(.primary)
            try await nodes[1].reaches(.standby)
            try await eventually("b is on the list") { await nodes[0].node.status().lease?.eligible.count == 2 }
            var count = 0
            for round in 0..<4 {
                let (from, to) = (nodes[round % 2], nodes[(round + 1) % 2])
                try from.write(count..<count + 10)
                count += 10
                let target = try #require(await from.node.node(named: to.name))
                try await from.node.perform(.switchover(to: target))
                try await to.reaches(.primary)
                try await from.reaches(.standby)
                #expect(try to.rows() == (0..<count).map(Int64.init))
            }
            for node in nodes { try await node.stop() }
        }
    }

    @Test("a standby that is behind reads ahead; one that keeps pace asks for no file but the next, once at a poll")
    func readingAhead() async throws {
        try await withTemporaryFolder { folder in
            let (peers, store) = (TestPeers(), folder.appending("store"))
            let a = TestNode("a", in: folder, store: store, peers: peers, ttl: .seconds(3))
            try a.makeDatabase()
            a.start()
            try await a.reaches(.primary)
            let early = TestNode("b", in: folder, store: store, peers: peers, ttl: .seconds(3))
            early.start()
            try await early.reaches(.standby)
            let first = try await a.node.replicate(timeout: .seconds(10))
            try await early.node.waitUntilApplied(first, timeout: .seconds(10))
            try await early.stop()
            var end = try await a.node.position()
            let start = end.transaction
            for row in 0..<40 {
                try a.write(row..<row + 1)
                end = try await a.node.replicate(timeout: .seconds(10))
            }
            #expect(end.transaction >= start + 40)
            let counting = CountingStore(store)
            let b = TestNode("b", in: folder, store: store, peers: peers, ttl: .seconds(3), reading: counting)
            b.start()
            try await b.reaches(.standby)
            try await b.node.waitUntilApplied(end, timeout: .seconds(20))
            #expect(try b.rows() == (0..<40).map(Int64.init))
            func key(_ number: UInt64) -> String {
                let digits = String(number, radix: 16)
                let name = String(repeating: "0", count: 16 - digits.count) + digits
                return "ltx/0/\(name)-\(name).ltx"
            }
            // Everything that is under way beyond the end comes back, and is not asked for again.
            try await eventually("it asks for the next file alone") {
                let count = counting.fileReads.count
                try await eventually("it polls") { counting.fileReads.count >= count + 5 }
                return Set(counting.fileReads.dropFirst(count)) == [key(end.transaction + 1)]
            }
            let reads = counting.fileReads
            for number in start + 1...end.transaction { #expect(reads.count { $0 == key(number) } == 1, "\(number)") }
            #expect(reads.contains(key(end.transaction + 2)), "nothing was read ahead")
            let own = folder.appending(".b.db-litestream").appending("sqlite-replicate")
            #expect(fileNames(in: own).allSatisfy { !$0.hasSuffix(".tmp") })
            for node in [a, b] { try await node.stop() }
        }
    }

    @Test("a node that meant to begin a cluster, and was not the first, keeps what it had as a tail")
    func lateFounder() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            let nodes = ["a", "b"].map { TestNode($0, in: folder, store: folder.appending("store"), peers: peers) }
            try nodes[0].makeDatabase()
            try nodes[0].write(0..<10)
            nodes[0].start()
            try await nodes[0].reaches(.primary)
            try nodes[1].makeDatabase()
            try nodes[1].write(100..<120)
            // It had found the store empty, and its swap came second.
            let late = try FollowerDatabase(DatabaseSettings(database: nodes[1].database))
            try late.journal.found(at: ChainState(number: 0, checksum: 0, epoch: 0))
            nodes[1].start()
            try await nodes[1].reaches(.standby)
            try await eventually("it holds the other's rows") { try nodes[1].rows() == (0..<10).map(Int64.init) }
            #expect(await nodes[1].node.status().unacknowledgedTails == 1)
            for node in nodes { try await node.stop() }
        }
    }

    @Test("N11 a node with a tail keeps it with its database, and goes back onto the chain by the pages that differ")
    func rewinding() async throws {
        try await withTemporaryFolder { folder in
            let (peers, store) = (TestPeers(), folder.appending("store"))
            let nodes = ["a", "b"].map { TestNode($0, in: folder, store: store, peers: peers) }
            try nodes[0].makeDatabase()
            try nodes[0].write(0..<10)
            for node in nodes { node.start() }
            try await nodes[0].reaches(.primary)
            try await eventually("b is on the list") { await nodes[0].node.status().lease?.eligible.count == 2 }
            _ = try await nodes[0].node.replicate(timeout: .seconds(10))
            // While somebody has it open its log stays, which proves where the rows below belong.
            let reader = try SQLiteFile(nodes[0].database, .init(creates: false))
            _ = try reader.integer("SELECT count(*) FROM t")
            await nodes[0].kill()
            try nodes[0].write(100..<120)
            try await nodes[1].reaches(.primary)
            try nodes[1].write(10..<20)
            let position = try await nodes[1].node.replicate(timeout: .seconds(10))

            let again = TestNode("a", in: folder, store: store, peers: peers)
            again.start()
            try await again.reaches(.standby)
            try await again.node.waitUntilApplied(position, timeout: .seconds(20))
            #expect(try again.rows() == (0..<20).map(Int64.init))
            #expect(again.messages.contain("put back by the pages that differ"))
            #expect(await again.node.status().unacknowledgedTails == 1)
            let tails = LocalTails(metadata: folder.appending(".a.db-litestream"))
            let id = try #require(try tails.ids().first)
            let manifest = try #require(try tails.manifest(of: id))
            #expect(manifest.fork != nil && manifest.hasDatabase)
            let output = folder.appending("tail.db")
            let empty = FolderStoreReplica.of(folder.appending("none"))
            let alone = TailStore(empty.store, layout: ClusterLayout(path: ""), local: tails)
            try await alone.database(TailReference(id: id), replica: empty, to: output)
            let rows = try SQLiteFile(output).query("SELECT n FROM t ORDER BY n").compactMap { $0.first?.integer }
            #expect(rows == (Array(0..<10) + Array(100..<120)).map(Int64.init))
            #expect(try SQLiteFile(again.database, .init(creates: false)).integrityCheck() == "ok")
            reader.close()
            for node in [again, nodes[1]] { try await node.stop() }
        }
    }

    @Test("a node that is shut down lets go at once")
    func shutDown() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            // So long a time to live that only a free lease can be claimed in time.
            let nodes = ["a", "b"].map {
                TestNode($0, in: folder, store: folder.appending("store"), peers: peers, ttl: .seconds(60))
            }
            try nodes[0].makeDatabase()
            for node in nodes { node.start() }
            try await nodes[0].reaches(.primary)
            try await nodes[1].reaches(.standby)
            try nodes[0].write(0..<10)
            try await eventually("b is on the list") { await nodes[0].node.status().lease?.eligible.count == 2 }
            try await nodes[0].stop()
            try await nodes[1].reaches(.primary)
            #expect(try nodes[1].rows().count == 10)
            try await nodes[1].stop()
        }
    }

    @Test("R-06 A primary whose database file is replaced writes no more; another node takes over, and nothing is lost")
    func replacedFile() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            let nodes = ["a", "b"].map { TestNode($0, in: folder, store: folder.appending("store"), peers: peers) }
            let (a, b) = (nodes[0], nodes[1])
            try a.makeDatabase()
            for node in nodes { node.start() }
            try await a.reaches(.primary)
            try await b.reaches(.standby)
            try a.write(0..<20)
            let position = try await a.node.replicate(timeout: .seconds(10))
            try await b.node.waitUntilApplied(position, timeout: .seconds(10))
            try await eventually("b is on the list") { await a.node.status().lease?.eligible.count == 2 }
            let other = folder.appending("other.db")
            try SQLiteFile(other).execute("PRAGMA journal_mode = WAL; CREATE TABLE other(n)")
            for suffix in ["-wal", "-shm"] {
                try FileManager.default.removeItem(atPath: a.database.string + suffix)
            }
            try FileManager.default.removeItem(atPath: a.database.string)
            try FileManager.default.moveItem(atPath: other.string, toPath: a.database.string)
            try await a.reaches(.halted)
            #expect(!a.node.gate.isOpen)
            let failure = await a.node.status().failure
            #expect(failure?.contains("was replaced") ?? false, "\(failure ?? "none")")
            try await b.reaches(.primary)
            #expect(try b.rows() == (0..<20).map(Int64.init))
            try b.write(20..<30)
            _ = try await b.node.replicate(timeout: .seconds(10))
            // Started again it goes back onto the chain, and keeps the file that was put there.
            try await a.stop()
            let again = TestNode("a", in: folder, store: folder.appending("store"), peers: peers)
            again.start()
            try await again.reaches(.standby)
            try await again.node.waitUntilApplied(
                try await b.node.replicate(timeout: .seconds(10)),
                timeout: .seconds(10)
            )
            #expect(try again.rows() == (0..<30).map(Int64.init))
            try await eventually("the file that was put there is a tail") {
                await again.node.status().unacknowledgedTails == 1
            }
            for node in [again, b] { try await node.stop() }
        }
    }

    @Test("N16 Before a lease that lets another node in is on its way, guards of programs know when the gate closes")
    func fedBeforeOthersMayTakeOver() async throws {
        try await withTemporaryFolder { folder in
            let peers = TestPeers()
            // What a guard was told last, and what it was when the first lease was sent that names two nodes.
            let fed = Mutex<Moment?>(nil)
            let atSwap = Mutex<[Moment?]>([])
            let root = folder.appending("store")
            let store = CountingStore(root) { _, body in
                guard case .bytes(let bytes) = body,
                    let eligible = String(buffer: bytes).split(separator: "\"eligible\":").dropFirst().first?.split(
                        separator: "]"
                    ).first,
                    eligible.contains(",")
                else { return }
                atSwap.withLock { $0.append(fed.withLock(\.self)) }
            }
            let replica = Replica(store: store, layout: .folder)
            let own = ClusterPlace(replica: replica, leases: store, layout: ClusterLayout(path: ""))
            let ttl = Duration.milliseconds(900)
            let a = TestNode("a", in: folder, own: own, peers: peers, ttl: ttl)
            try a.makeDatabase()
            a.start()
            try await a.reaches(.primary)
            try await eventually("it writes") { a.node.gate.isOpen }
            let entry = a.node.programs.enter(
                stop: {},
                feed: { fed.withLock { $0 = a.node.gate.deadlines(ttl: ttl)?.until } }
            )
            let alone = fed.withLock(\.self)
            let far = NodeClock.now + .seconds(3600)
            #expect(alone.map { $0 > far } ?? false, "alone it writes for good")
            let b = TestNode("b", in: folder, store: root, peers: peers, ttl: ttl)
            b.start()
            try await b.reaches(.standby)
            try await eventually("b is on the list") { await a.node.status().lease?.eligible.count == 2 }
            let told = atSwap.withLock(\.self)
            #expect(!told.isEmpty && told.allSatisfy { $0.map { $0 < far } ?? false }, "\(told)")
            a.node.programs.leave(entry)
            for node in [b, a] { try await node.stop() }
        }
    }

    @Test("A node that was told to end, and is fenced before it has let go, ends all the same")
    func fencedWhileEnding() async throws {
        try await withTemporaryFolder { folder in
            let (peers, root) = (TestPeers(), folder.appending("store"))
            let store = CountingStore(root)
            let replica = Replica(store: store, layout: .folder)
            let own = ClusterPlace(replica: replica, leases: store, layout: ClusterLayout(path: ""))
            let a = TestNode("a", in: folder, own: own, peers: peers, ttl: .milliseconds(900))
            let b = TestNode("b", in: folder, store: root, peers: peers)
            try a.makeDatabase()
            a.start()
            try await a.reaches(.primary)
            b.start()
            try await b.reaches(.standby)
            try await eventually("b is on the list") { await a.node.status().lease?.eligible.count == 2 }
            store.isAway = true
            let ending = Task { try await a.stop() }
            try await b.reaches(.primary)
            store.isAway = false
            try await ending.value
            #expect(a.messages.contain("This node writes no more"))
            try await b.stop()
        }
    }
}
