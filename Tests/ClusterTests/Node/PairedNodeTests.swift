import Cluster
import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Two hosts without a witness: nobody takes over on silence (failover-review W).
@Suite("Nodes of two hosts without a witness, a folder each", .serialized, .timeLimit(.minutes(5)))
struct PairedNodeTests {
    private func started(_ hosts: TwoHosts) async throws -> (a: TestNode, b: TestNode) {
        let (a, b) = (hosts.node("a"), hosts.node("b"))
        try a.makeDatabase()
        try a.write(0..<20)
        a.start()
        try await a.reaches(.primary)
        _ = try await a.node.replicate(timeout: .seconds(20))
        b.start()
        try await b.reaches(.standby)
        return (a, b)
    }

    /// Waits until one node holds what another one has written.
    private func follows(_ standby: TestNode, _ primary: TestNode) async throws {
        let position = try await primary.node.replicate(timeout: .seconds(20))
        try await standby.node.waitUntilApplied(position, timeout: .seconds(20))
        #expect(try standby.rows() == primary.rows())
    }

    @Test("W8 A planned switchover, there and back again and again, loses nothing")
    func switchover() async throws {
        try await withTemporaryFolder("paired") { folder in
            let hosts = TwoHosts(in: folder, hasWitness: false)
            let (a, b) = try await started(hosts)
            var (from, to, count) = (a, b, 20)
            for _ in 0..<4 {
                try from.write(count..<count + 10)
                count += 10
                try await follows(to, from)
                let target = try #require(await from.node.node(named: to.name))
                try await from.node.perform(.switchover(to: target))
                try await to.reaches(.primary)
                try await from.reaches(.standby)
                #expect(try to.rows() == (0..<count).map(Int64.init))
                _ = try await to.node.replicate(timeout: .seconds(20))
                (from, to) = (to, from)
            }
            for node in [a, b] {
                #expect(await node.node.status().unacknowledgedTails == 0)
                try await node.stop()
            }
        }
    }

    @Test("W4 The database of the node that wrote last is gone: it is restored from the store that has the history")
    func lostDatabase() async throws {
        try await withTemporaryFolder("paired") { folder in
            let hosts = TwoHosts(in: folder, hasWitness: false)
            let (a, b) = try await started(hosts)
            for (from, to) in [(a, b), (b, a)] {
                try await follows(to, from)
                let target = try #require(await from.node.node(named: to.name))
                try await from.node.perform(.switchover(to: target))
                try await to.reaches(.primary)
                try await from.reaches(.standby)
            }
            // Its own store ends before this.
            try a.write(20..<40)
            try await follows(b, a)
            await a.kill()
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: a.database.string + suffix)  // the log may be gone already
            }
            let again = hosts.node("a")
            again.start()
            try await again.reaches(.primary)
            #expect(try again.rows() == (0..<40).map(Int64.init))
            try again.write(40..<50)
            try await follows(b, again)
            for node in [again, b] {
                #expect(await node.node.status().unacknowledgedTails == 0)
                try await node.stop()
            }
        }
    }

    @Test("W3 A primary that dies is waited for; it goes on by itself, with all that it had committed")
    func killed() async throws {
        try await withTemporaryFolder("paired") { folder in
            let hosts = TwoHosts(in: folder, hasWitness: false)
            let (a, b) = try await started(hosts)
            let application = try SQLiteFile(a.database, .init(creates: false, autocheckpoint: 0))
            defer { application.close() }
            try a.write(20..<40)
            // As long as somebody reads the log is not begun anew, and proves what has followed; of one that lies in the
            // database already a reader would keep nothing.
            try application.execute("BEGIN; SELECT count(*) FROM t")
            await a.kill()
            try a.write(40..<50)
            try await Task.sleep(for: hosts.ttl * 3)
            #expect(b.node.role == .standby, "silence is no reason")
            let again = hosts.node("a")
            again.start()
            try await again.reaches(.primary)
            try application.execute("COMMIT")
            try again.write(50..<60)
            try await follows(b, again)
            #expect(try b.rows() == (0..<60).map(Int64.init))
            try await again.stop()
            try await b.stop()
        }
    }

    @Test("W9 W10 A host that is gone: the other one says what is needed, and takes over at the right word")
    func word() async throws {
        try await withTemporaryFolder("paired") { folder in
            let hosts = TwoHosts(in: folder, hasWitness: false)
            let (a, b) = try await started(hosts)
            try a.write(20..<40)
            try await follows(b, a)
            await a.kill()
            await b.node.notePeerHealth(isGood: false)
            try await eventually("it says what is needed") {
                await b.node.status().degradations.contains { $0.contains("promote -peer-is-down") }
            }
            let refused = await #expect(throws: NodeCommandError.self) {
                try await b.node.perform(.promotePeerIsDown([]))
            }
            #expect(refused?.code == .needsOperator && refused?.message.contains("-yes peer-is-stopped") == true)
            try await b.node.perform(.promotePeerIsDown([.peerIsStopped]))
            try await b.reaches(.primary)
            #expect(try b.rows() == (0..<40).map(Int64.init))
            try b.write(40..<60)
            _ = try await b.node.replicate(timeout: .seconds(20))
            let again = hosts.node("a")
            again.start()
            try await again.reaches(.standby)
            try await follows(again, b)
            try await again.stop()
            try await b.stop()
            let restored = try await hosts.restore("a", to: "restored.db")
            let file = try SQLiteFile(restored, .init(creates: false))
            #expect(try file.integer("SELECT count(*) FROM t") == 60)
        }
    }

    @Test("W3 A primary that dies between its whole copy and the snapshot beside it goes on")
    func killedBeforeSnapshot() async throws {
        try await withTemporaryFolder("paired") { folder in
            let hosts = TwoHosts(in: folder, hasWitness: false)
            let store = CountingStore(hosts.store("a"))
            let (a, b) = (hosts.node("a"), hosts.node("b", peerStore: store))
            try a.makeDatabase()
            try a.write(0..<20)
            a.start()
            try await a.reaches(.primary)
            _ = try await a.node.replicate(timeout: .seconds(20))
            b.start()
            try await b.reaches(.standby)
            try await follows(b, a)
            store.refuse("ltx/9/")
            let target = try #require(await a.node.node(named: "b"))
            try await a.node.perform(.switchover(to: target))
            try await b.reaches(.primary)
            _ = try await b.node.replicate(timeout: .seconds(20))
            #expect(await !b.node.status().isReplicaWhole)
            try b.write(20..<40)
            try await eventually("it is captured") { await b.node.status().lagTransactions > 0 }
            await b.kill()
            let again = hosts.node("b", peerStore: store)
            again.start()
            try await again.reaches(.primary)
            store.refuse(nil)
            #expect(try again.rows() == (0..<40).map(Int64.init))
            try await follows(a, again)
            #expect(await again.node.status().unacknowledgedTails == 0)
            try await again.stop()
            try await a.stop()
        }
    }
}
