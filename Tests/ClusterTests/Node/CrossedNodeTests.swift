import Cluster
import Foundation
import LTX
import Logging
import ObjectStorage
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Nodes of two hosts in one process, a folder each", .serialized, .timeLimit(.minutes(5)))
struct CrossedNodeTests {
    /// Both nodes, a the primary and b its standby, which is on the list.
    private func started(
        _ hosts: TwoHosts,
        rows: Int = 20,
        stores: (a: CountingStore, b: CountingStore)? = nil
    ) async throws -> (a: TestNode, b: TestNode) {
        let (a, b) = (hosts.node("a", peerStore: stores?.b), hosts.node("b", peerStore: stores?.a))
        try a.makeDatabase()
        try a.write(0..<rows)
        a.start()
        try await a.reaches(.primary)
        b.start()
        try await b.reaches(.standby)
        try await isListed(a)
        return (a, b)
    }

    /// Waits until both nodes may take over.
    private func isListed(_ primary: TestNode) async throws {
        try await eventually("both are on the list") { await primary.node.status().lease?.eligible.count == 2 }
    }

    /// Waits until one node holds what another one has written.
    private func follows(_ standby: TestNode, _ primary: TestNode) async throws {
        let position = try await primary.node.replicate(timeout: .seconds(20))
        try await standby.node.waitUntilApplied(position, timeout: .seconds(20))
        #expect(try standby.rows() == primary.rows())
    }

    /// A read transaction right behind a commit: as long as it is open the log is not begun anew, and proves what follows.
    private func reader(_ node: TestNode, after rows: Range<Int>) throws -> SQLiteFile {
        let file = try SQLiteFile(node.database, .init(creates: false, autocheckpoint: 0))
        // Of a log that lies in the database already it would keep nothing.
        try node.write(rows)
        try file.execute("BEGIN; SELECT count(*) FROM t")
        return file
    }

    private func expectRestored(_ hosts: TwoHosts, _ host: String, _ rows: [Int64]) async throws {
        let path = try await hosts.restore(host, to: "restored-\(host)-\(UInt32.random(in: 0 ... .max)).db")
        let file = try SQLiteFile(path, .init(creates: false))
        #expect(try file.query("SELECT n FROM t ORDER BY n").compactMap { $0.first?.integer } == rows)
        #expect(try file.scalar("PRAGMA integrity_check")?.text == "ok")
    }

    @Test("G1 G3 The primary ships to the other host's store, which a standby follows; it takes over, and the way back")
    func takeover() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let (a, b) = try await started(hosts)
            try a.write(20..<40)
            try await follows(b, a)
            try await expectRestored(hosts, "b", try a.rows())

            await a.kill()
            try await b.reaches(.primary)
            try b.write(40..<60)
            _ = try await b.node.replicate(timeout: .seconds(20))
            let again = hosts.node("a")
            again.start()
            try await again.reaches(.standby)
            try b.write(60..<80)
            try await follows(again, b)
            try await isListed(b)
            try await expectRestored(hosts, "a", try b.rows())

            // And over to where it began.
            try await switchOver(from: b, to: again)
            try await b.reaches(.standby)
            try again.write(80..<100)
            try await follows(b, again)
            #expect(try again.rows() == (0..<100).map(Int64.init))
            try await expectRestored(hosts, "b", try again.rows())
            try await again.stop()
            try await b.stop()
        }
    }

    @Test("G1 A primary that was killed goes on with its own database, what it had not shipped included")
    func authorReturns() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder, ttl: .seconds(3))
            let (a, b) = try await started(hosts)
            await b.kill()
            let application = try reader(a, after: 20..<40)
            defer { application.close() }
            await a.kill()
            try a.write(40..<50)
            let again = hosts.node("a")
            again.start()
            try await again.reaches(.primary)
            try application.execute("COMMIT")
            try again.write(50..<60)
            _ = try await again.node.replicate(timeout: .seconds(20))
            #expect(try again.rows() == (0..<60).map(Int64.init))
            try await expectRestored(hosts, "b", try again.rows())
            try await again.stop()
        }
    }

    @Test("G3 A primary that is killed while it makes a whole copy knows its database again, and makes another one")
    func killedWhileCopying() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let a = hosts.node("a")
            try a.makeDatabase()
            try a.write(0..<20)
            a.start()
            try await eventually("the copy is asked for") { a.messages.contain("gets a whole copy") }
            let application = try reader(a, after: 20..<25)
            defer { application.close() }
            await a.kill()
            try a.write(25..<30)
            for round in 0..<3 {
                let again = hosts.node("a")
                again.start()
                try await again.reaches(.primary)
                try again.write(30 + round * 10..<40 + round * 10)
                if round == 2 { _ = try await again.node.replicate(timeout: .seconds(20)) }
                await again.kill()
            }
            let last = hosts.node("a")
            last.start()
            try await last.reaches(.primary)
            try application.execute("COMMIT")
            _ = try await last.node.replicate(timeout: .seconds(20))
            #expect(try last.rows() == (0..<60).map(Int64.init))
            #expect(await last.node.status().unacknowledgedTails == 0)
            try await expectRestored(hosts, "b", try last.rows())
            try await last.stop()
        }
    }

    @Test("G6 A store that went back gets a whole copy, and the standby crosses the gap")
    func rolledBack() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let (a, b) = try await started(hosts)
            try await follows(b, a)
            let (store, kept) = (hosts.store("b").string, folder.appending("kept").string)
            try FileManager.default.copyItem(atPath: store, toPath: kept)
            try a.write(20..<40)
            try await follows(b, a)
            try FileManager.default.moveItem(atPath: store, toPath: kept + ".newer")
            try FileManager.default.moveItem(atPath: kept, toPath: store)
            // What is put there meanwhile lies apart, and must not hide it.
            try a.write(40..<50)
            try await eventually("it is noticed", within: .seconds(20)) { a.messages.contain("lost what was in it") }
            try a.write(50..<60)
            try await follows(b, a)
            try await isListed(a)
            try await expectRestored(hosts, "b", try a.rows())
            await a.kill()
            try await b.reaches(.primary)
            #expect(try b.rows() == (0..<60).map(Int64.init))
            try await b.stop()
        }
    }

    @Test("G3 What lay in the other host's store before, such as another replica, stays; the history goes on behind it")
    func occupied() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let a = hosts.node("a")
            try a.makeDatabase()
            try a.write(0..<20)
            let settings = DatabaseSettings(database: a.database)
            let replica = FolderStoreReplica.of(hosts.store("b"))
            let replicator = DatabaseReplicator(settings, replica: replica, logger: .init(label: "before"))
            try await replicator.runOnce()
            let before = try await replica.list().highest
            #expect(before != nil)
            a.start()
            try await a.reaches(.primary)
            try a.write(20..<40)
            let position = try await a.node.replicate(timeout: .seconds(20))
            #expect(position.transaction > before?.rawValue ?? .max)
            try await expectRestored(hosts, "b", try a.rows())
            try await a.stop()
        }
    }

    @Test("G3 Nothing is written behind another database's replica that has come into the other host's store")
    func otherDatabase() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let a = hosts.node("a")
            try a.makeDatabase()
            try a.write(0..<20)
            a.start()
            try await a.reaches(.primary)
            try await eventually("the other host's store has everything") { await a.node.status().isReplicaWhole }
            let (path, others) = (folder.appending("other.db"), folder.appending("other"))
            try SQLiteFile(path).execute("PRAGMA page_size = 8192; PRAGMA journal_mode = wal; CREATE TABLE o(n)")
            let settings = DatabaseSettings(database: path)
            let logger = Logger(label: "other")
            try await DatabaseReplicator(settings, replica: FolderStoreReplica.of(others), logger: logger).runOnce()
            let (store, kept) = (hosts.store("b").string, folder.appending("kept").string)
            try FileManager.default.moveItem(atPath: store, toPath: kept)
            try FileManager.default.moveItem(atPath: others.string, toPath: store)
            let replica = FolderStoreReplica.of(hosts.store("b"))
            let before = try await replica.list()
            try await eventually("it is named", within: .seconds(20)) {
                await a.node.status().degradations.contains { $0.contains("replica of another database") }
            }
            try a.write(20..<30)
            #expect(try await replica.list() == before)
            // What was there comes back, and the history goes on in it.
            try FileManager.default.removeItem(atPath: store)
            try FileManager.default.moveItem(atPath: kept, toPath: store)
            _ = try await a.node.replicate(timeout: .seconds(20))
            try await expectRestored(hosts, "b", try a.rows())
            try await a.stop()
        }
    }

    @Test("N5 A primary whose whole copy would lie behind a successor's file writes no more")
    func copyBehindSuccessor() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let a = hosts.node("a")
            try a.makeDatabase()
            try a.write(0..<20)
            a.start()
            try await a.reaches(.primary)
            try await eventually("the other host's store has everything") { await a.node.status().isReplicaWhole }
            let replica = FolderStoreReplica.of(folder.appending("other"))
            let place = ClusterPlace(replica: replica, layout: ClusterLayout(path: ""))
            let founding = ClusterFounding(replica: place.replica, leases: place.leases, layout: place.layout)
            try await founding.put(level: 0, 1...1, epoch: 9)
            let store = hosts.store("b").string
            try FileManager.default.moveItem(atPath: store, toPath: folder.appending("kept").string)
            try FileManager.default.moveItem(atPath: folder.appending("other").string, toPath: store)
            let before = try await FolderStoreReplica.of(hosts.store("b")).list()
            try await eventually("it writes no more", within: .seconds(20)) {
                a.messages.contain("This node writes no more")
            }
            #expect(a.messages.contain("lost what was in it"))
            #expect(try await FolderStoreReplica.of(hosts.store("b")).list() == before)
            await a.kill()
        }
    }

    /// Hands the right to write over.
    private func switchOver(from: TestNode, to: TestNode) async throws {
        let target = try #require(await from.node.node(named: to.name))
        try await from.node.perform(.switchover(to: target))
        try await to.reaches(.primary)
    }

    @Test("G2 A database stays as it is until the store on its host holds the history that it would go back to")
    func staysUntilCopied() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let store = CountingStore(hosts.store("a"))
            let (a, b) = (hosts.node("a"), hosts.node("b", peerStore: store))
            try a.makeDatabase()
            a.start()
            try await a.reaches(.primary)
            b.start()
            var count = 0
            // The store on a holds what b wrote, and nothing of what came after.
            for (from, to) in [(a, b), (b, a)] {
                try await isListed(from)
                try from.write(count..<count + 20)
                count += 20
                try await follows(to, from)
                try await switchOver(from: from, to: to)
            }
            try await isListed(a)
            try a.write(count..<count + 20)
            try await follows(b, a)
            store.refuse("ltx/")
            await a.kill()
            try await b.reaches(.primary)
            let again = hosts.node("a")
            again.start()
            try await eventually("it waits for the copy") {
                again.messages.contain("could not be put back on the chain yet")
            }
            #expect(again.node.role == .quarantining)
            #expect(try again.rows() == (0..<60).map(Int64.init))
            store.refuse(nil)
            try b.write(60..<80)
            try await follows(again, b)
            #expect(await again.node.status().unacknowledgedTails == 0)
            try await again.stop()
            try await b.stop()
        }
    }

    @Test("G2 Who goes on by an operator's word knows its database again before its whole copy is anywhere")
    func restartedAfterLoss() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let stores = (a: CountingStore(hosts.store("a")), b: CountingStore(hosts.store("b")))
            let (a, b) = try await started(hosts, stores: stores)
            try await follows(b, a)
            // What is committed from here on only the host of a has, and then that is gone.
            stores.b.refuse("ltx/")
            try a.write(20..<30)
            try await eventually("b is off the list") { await a.node.status().lease?.eligible.count == 1 }
            await a.kill()
            stores.a.isAway = true
            stores.b.refuse(nil)
            try await eventually("it takes the word") {
                (try? await b.node.perform(.promote(acceptLoss: true))) != nil  // not while a may be alive
            }
            try await b.reaches(.primary)
            try b.write(30..<50)
            try await eventually("it is captured") { await b.node.status().lagTransactions > 0 }
            let rows = try b.rows()
            #expect(rows == (0..<20).map(Int64.init) + (30..<50).map(Int64.init))
            await b.kill()
            let again = hosts.node("b", peerStore: stores.a)
            again.start()
            try await again.reaches(.primary)
            #expect(try again.rows() == rows)
            #expect(await again.node.status().unacknowledgedTails == 0)
            stores.a.isAway = false
            try again.write(50..<60)
            _ = try await again.node.replicate(timeout: .seconds(20))
            try await expectRestored(hosts, "a", try again.rows())
            try await again.stop()
        }
    }

    @Test("G2 One that was the primary before, and has files of its own, does so as well")
    func formerPrimaryRestartedAfterLoss() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let stores = (a: CountingStore(hosts.store("a")), b: CountingStore(hosts.store("b")))
            let (a, b) = try await started(hosts, stores: stores)
            try await follows(b, a)
            try await switchOver(from: a, to: b)
            try await isListed(b)
            try b.write(20..<40)
            try await follows(a, b)
            // The host of b goes, then that of a, which has gone on alone.
            stores.b.isAway = true
            await b.kill()
            try await a.reaches(.primary)
            try a.write(40..<50)
            try await eventually("it is captured") { await a.node.status().lagTransactions > 0 }
            await a.kill()
            stores.a.isAway = true
            let again = hosts.node("b", peerStore: stores.a)
            again.start()
            try await eventually("it takes the word") {
                (try? await again.node.perform(.promote(acceptLoss: true))) != nil  // not before it has looked around
            }
            try await again.reaches(.primary)
            try again.write(60..<70)
            try await eventually("it is captured") { await again.node.status().lagTransactions > 0 }
            let rows = try again.rows()
            #expect(rows == (0..<40).map(Int64.init) + (60..<70).map(Int64.init))
            await again.kill()
            let last = hosts.node("b", peerStore: stores.a)
            last.start()
            try await last.reaches(.primary)
            #expect(try last.rows() == rows)
            #expect(await last.node.status().unacknowledgedTails == 0)
            stores.a.isAway = false
            _ = try await last.node.replicate(timeout: .seconds(20))
            try await expectRestored(hosts, "a", try last.rows())
            try await last.stop()
        }
    }
}
