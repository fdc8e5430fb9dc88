import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Two nodes in processes of their own, on one bucket of a real server, or on two hosts with a server each.
final class ProcessCluster {
    let a: HostedNode
    let b: HostedNode
    /// One, or each host's: of a, then of b.
    let servers: [S3TestServer]
    /// The witness, where each host has a server.
    let witness: WitnessProcess?
    let folder: FilePath
    let prefix: String
    let ttl: Duration

    /// How long a lease stands in these tests; `FAILOVER_TTL_MS`.
    static var ttl: Duration { .milliseconds(Environment.number("FAILOVER_TTL_MS") ?? 1500) }

    /// How often each thing is done; `FAILOVER_ROUNDS`.
    static var rounds: Int { Environment.number("FAILOVER_ROUNDS") ?? 2 }

    private init(
        _ a: HostedNode,
        _ b: HostedNode,
        _ servers: [S3TestServer],
        _ witness: WitnessProcess?,
        _ folder: FilePath,
        _ prefix: String,
        _ ttl: Duration
    ) {
        (self.a, self.b, self.servers, self.witness) = (a, b, servers, witness)
        (self.folder, self.prefix, self.ttl) = (folder, prefix, ttl)
    }

    /// The only server; the one of host a, where each has one.
    var server: S3TestServer { servers[0] }

    /// Whether the nodes are on two hosts without a witness.
    var isPaired: Bool { servers.count > 1 && witness == nil }

    /// The server on a node's host.
    func server(of node: HostedNode) -> S3TestServer { servers.count > 1 && node === b ? servers[1] : servers[0] }

    /// Calls `body` with two nodes, a the primary and b its standby, and proves afterwards that nothing was lost.
    ///
    /// - Parameters:
    ///   - hasTwoHosts: Whether each node is on a host of its own, with a server.
    ///   - hasWitness: Whether two hosts have a witness.
    static func run(
        _ name: String,
        hasTwoHosts: Bool = false,
        hasWitness: Bool = true,
        options: [String] = [],
        ttl: Duration = ttl,
        proves: Bool = true,
        _ body: (ProcessCluster) async throws -> Void
    ) async throws {
        var servers = [try await S3TestServer.moto()]
        if hasTwoHosts { servers.append(try await S3TestServer.moto()) }
        try await withTemporaryFolder("cluster-\(name)") { [servers] folder in
            let witness = hasTwoHosts && hasWitness ? try await WitnessProcess.start(in: folder) : nil
            let (server, peer) = (servers[0], hasTwoHosts ? servers[1] : nil)
            let prefix = "cluster-\(name)"
            let all =
                ["ttl-ms=\(milliseconds(ttl))", "sync-ms=500", "replicated-every=25", "retention-ms=86400000"] + options
            let a = try await HostedNode(
                "a",
                in: folder,
                server: server,
                prefix: prefix,
                peer: peer,
                witness: witness?.url,
                options: all
            )
            let b = try await HostedNode(
                "b",
                in: folder,
                server: peer ?? server,
                prefix: prefix,
                peer: peer == nil ? nil : server,
                witness: witness?.url,
                options: all + ["begins=0"]
            )
            let cluster = ProcessCluster(a, b, servers, witness, folder, prefix, ttl)
            do {
                try a.start(["create=1"])
                try await a.wait(for: "its first write", after: 0) { $0.kind == "first-write" }
                try b.start()
                try await cluster.settle()
                try await body(cluster)
                if proves { try await cluster.prove() }
            } catch {
                try await cluster.close()
                cluster.keepFiles(name)
                throw error
            }
            try await cluster.close()
        }
        for server in servers { try await server.stop() }
    }

    private func close() async throws {
        try await a.close()
        try await b.close()
        try await witness?.stop()
    }

    /// Copies what a failed test leaves to where `FAILOVER_KEEP` says.
    private func keepFiles(_ name: String) {
        guard let keep = ProcessInfo.processInfo.environment["FAILOVER_KEEP"] else { return }
        let target = FilePath(keep).appending("\(name)-\(UInt32.random(in: .min ... .max))")
        // For people; the test has failed already.
        try? FileManager.default.createDirectory(atPath: keep, withIntermediateDirectories: true)
        try? FileManager.default.copyItem(atPath: folder.string, toPath: target.string)
        print("kept: \(target)")
    }

    var nodes: [HostedNode] { [a, b] }

    func other(than node: HostedNode) -> HostedNode { node === a ? b : a }

    /// The node that writes.
    func primary() async throws -> HostedNode {
        for node in nodes where node.process?.exit == nil {
            let status = try await node.status()
            if status["role"] == "primary", status.number("writable") == 1 { return node }
        }
        throw TestSupportError("no node is the primary")
    }

    /// Waits until one node writes, and the other follows it and may take over.
    @discardableResult
    func settle(within limit: Duration = .seconds(60)) async throws -> (primary: HostedNode, standby: HostedNode) {
        var (said, found): ([String], (HostedNode, HostedNode)?) = ([], nil)
        let words = { said.joined(separator: "\n") }
        try await eventually("one node writes, the other follows it\n\(words())", within: limit) {
            let states = [try await self.a.status(), try await self.b.status()]
            said = states.map(\.text)
            guard let writer = states.firstIndex(where: { $0["role"] == "primary" && $0.number("writable") == 1 })
            else {
                return false
            }
            let standby = states[1 - writer]
            guard standby["role"] == "standby", standby.number("epoch") == states[writer].number("epoch"),
                standby.number("lag") <= 10
            else { return false }
            // Without a witness there is no list.
            let isListed = standby.number("eligible") == 1 && states[writer].number("members") == 2
            guard isListed || self.isPaired else { return false }
            found = writer == 0 ? (self.a, self.b) : (self.b, self.a)
            return true
        }
        guard let found else { throw TestSupportError("the nodes did not settle") }
        return found
    }

    /// Waits until a node has accepted a write in a newer epoch than `epoch`.
    @discardableResult
    func waitForWrite(
        on node: HostedNode,
        above epoch: Int64,
        after mark: Int,
        within limit: Duration = .seconds(60)
    ) async throws -> HostLine {
        try await node.wait(for: "a write above epoch \(epoch)", after: mark, within: limit) {
            $0.kind == "first-write" && $0.number("epoch") > epoch
        }
    }

    // MARK: - The proof

    var journals: [ProofJournal] {
        get throws {
            try nodes.filter { FileManager.default.fileExists(atPath: $0.journal.string) }.map {
                try ProofJournal($0.journal)
            }
        }
    }

    /// Ends writing, and proves from the primary's database, from the standby's and from the bucket that nothing was lost
    /// and nothing forked.
    ///
    /// - Parameter hadTwoWriters: Whether an operator's wrong word has let both write: then that alone may be said against
    ///   it.
    @discardableResult
    func prove(hadTwoWriters: Bool = false) async throws -> ProofCheck {
        for node in nodes where node.process?.exit != nil { try node.start() }
        let (primary, standby) = try await settle()
        for node in nodes { _ = try await node.command("write off") }
        let synced = try await primary.command("sync", within: .seconds(70))
        #expect(synced.text.hasPrefix("sync done"), "\(synced)")
        let position = synced["position"]
        try await standby.waitForStatus("it has applied everything, to \(position ?? "")") {
            $0["position"] == position
        }
        try await Task.sleep(for: .milliseconds(100))  // The last waits for the store are noted.
        let journals = try journals
        let check = try ProofCheck(primary.database, journals: journals)
        print("\(prefix): \(check)")
        let faults = check.failures.filter { !hadTwoWriters || !$0.hasPrefix("two writers") }
        #expect(faults.isEmpty, "\(check)")
        #expect(check.acknowledged > 0 && check.rows > 0)
        let followed = try ProofCheck(standby.database, journals: journals)
        #expect((followed.isProven || hadTwoWriters) && followed.rows == check.rows, "\(followed)")
        let restored = folder.appending("restored-\(UInt32.random(in: .min ... .max)).db")
        // A host of its own ships to the other one.
        try await restore(server(of: standby), to: restored)
        let digests = [try SQLiteFile.contentDigest(of: restored), try SQLiteFile.contentDigest(of: primary.database)]
        #expect(digests[0] == digests[1], "Litestream restores something else")
        if servers.count > 1 { try await proveOlder(server(of: primary), than: primary.database) }
        for node in nodes { #expect(node.readerFaults.isEmpty, "\(node.readerFaults)") }
        if takesOutTails, !check.tails.isEmpty { try await proveTails(check) }
        return check
    }

    /// Litestream restores the bucket.
    ///
    /// It reads what a listing told it of: where old files are dropped after seconds, as no one would have it in life, some
    /// may be gone before it gets to them. It is asked again then.
    private func restore(_ server: S3TestServer, to output: FilePath) async throws {
        for _ in 0..<5 {
            do {
                return try await Litestream.restore(server.url(prefix), to: output, environment: server.environment)
            } catch let error where "\(error)".contains("file does not exist") {
                try? FileManager.default.removeItem(atPath: output.string)
            }
        }
        try await Litestream.restore(server.url(prefix), to: output, environment: server.environment)
    }

    /// Whether what was committed and is missing must be found in tails; not where the history that they go on from may
    /// have been dropped.
    var takesOutTails = true

    /// Every commit that is missing in the database is in a tail that was kept.
    private func proveTails(_ check: ProofCheck) async throws {
        var kept: Set<String> = []
        for path in try await takeOutTails() {
            let file = try SQLiteFile(path, .init(creates: false))
            kept.formUnion(try file.query("SELECT lower(hex(sum)) FROM proof").compactMap { $0[0].text })
            file.close()
        }
        let nowhere = check.missingSums.subtracting(kept).count
        #expect(nowhere == 0, "\(nowhere) commits are in no database and in no tail")
    }

    /// Makes a database of each tail that was kept.
    func takeOutTails() async throws -> [FilePath] {
        var lines: [HostLine] = []
        for server in servers {
            let output = folder.appending("tails-\(UInt32.random(in: .min ... .max))")
            lines += try await ChildProcess.run(
                BuiltProduct.path(of: "node-host"),
                ["tails", a.database.string, "store=\(server.url(prefix))", "out=\(output)"],
                environment: server.environment
            ).checked().standardOutput.split(separator: "\n").map { HostLine($0) }
        }
        let failed = lines.filter { $0.kind != "tail" }
        #expect(failed.isEmpty, "\(failed)")
        return lines.compactMap { $0["path"] }.map { FilePath($0) }
    }
}

/// Numbers in the environment.
enum Environment {
    static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}

func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
}

func nanoseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
}
