import Cluster
import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("A primary whose spool is full", .serialized, .timeLimit(.minutes(5)))
struct FullSpoolTests {
    private func expectRestored(_ hosts: TwoHosts, _ host: String, _ rows: [Int64]) async throws {
        let path = try await hosts.restore(host, to: "restored-\(host)-\(UInt32.random(in: 0 ... .max)).db")
        let file = try SQLiteFile(path, .init(creates: false))
        #expect(try file.query("SELECT n FROM t ORDER BY n").compactMap { $0.first?.integer } == rows)
        #expect(try file.scalar("PRAGMA integrity_check")?.text == "ok")
    }

    /// The node of host a, a primary whose spool is full, since the store on host b takes nothing.
    private func filled(_ hosts: TwoHosts, _ store: CountingStore) async throws -> TestNode {
        let a = hosts.node("a", peerStore: store, spoolLimit: 1)
        try a.makeDatabase()
        a.start()
        try await a.reaches(.primary)
        try await eventually("the other host's store has everything") { await a.node.status().isReplicaWhole }
        store.refuse("ltx/")
        try a.write(0..<20)
        try await eventually("something waits") { await a.node.status().lagTransactions > 0 }
        try a.write(20..<40)
        try await eventually("the spool is full") { a.messages.contain("The spool is full") }
        return a
    }

    @Test("What was committed while the spool was full is captured when the node ends, and known after its next start")
    func endsWithFullSpool() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let store = CountingStore(hosts.store("b"))
            let a = try await filled(hosts, store)
            try a.write(40..<60)
            await a.kill()
            let again = hosts.node("a", peerStore: store)
            again.start()
            try await again.reaches(.primary)
            #expect(try again.rows() == (0..<60).map(Int64.init))
            #expect(await again.node.status().unacknowledgedTails == 0)
            store.refuse(nil)
            _ = try await again.node.replicate(timeout: .seconds(20))
            try await expectRestored(hosts, "b", try again.rows())
            try await again.stop()
        }
    }

    @Test("G6 A store that lost what was in it while the spool was full gets a whole copy, however much waits")
    func copyWithFullSpool() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let store = CountingStore(hosts.store("b"))
            let a = try await filled(hosts, store)
            // More than a capture may hold: attached again, it is full at once.
            try a.write(40..<200)
            try FileManager.default.removeItem(atPath: hosts.store("b").appending("ltx").string)
            try await eventually("it is noticed", within: .seconds(30)) { a.messages.contain("lost what was in it") }
            store.refuse(nil)
            _ = try await a.node.replicate(timeout: .seconds(30))
            try await expectRestored(hosts, "b", try a.rows())
            try await a.stop()
        }
    }

    @Test("Each file as large as the spool: capture goes on however acceptance and a full spool fall together")
    func goesOnWithSmallSpool() async throws {
        try await withTemporaryFolder("crossed") { folder in
            let hosts = TwoHosts(in: folder)
            let a = hosts.node("a", spoolLimit: 1)
            try a.makeDatabase()
            a.start()
            try await a.reaches(.primary)
            for round in 0..<30 {
                try a.write(round * 10..<(round + 1) * 10)
                _ = try await a.node.replicate(timeout: .seconds(20))
            }
            try await expectRestored(hosts, "b", try a.rows())
            try await a.stop()
        }
    }
}
