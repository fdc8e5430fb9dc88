import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What nodes are told or find that does not fit: said in words, with the right code, and nothing is lost.
@Suite("Bad input: nodes", .timeLimit(.minutes(3)))
struct NodeInputTests {
    private func node(_ name: String, _ folder: FilePath, cluster: [String] = []) async throws -> NodeFiles {
        try await NodeFiles(
            name,
            in: folder,
            replica: "file://\(folder.appending("replica"))",
            cluster: cluster,
            top: ["service: {writer-interval: 20ms}"]
        )
    }

    private func events(_ database: FilePath) throws -> Int64 {
        try SQLiteFile(database, .init(creates: false)).integer("SELECT count(*) FROM events")
    }

    /// Waits until a node has halted, and expects that it says why wherever one looks.
    private func expectHalted(_ node: NodeFiles, _ process: ChildProcess, naming words: [String]) async throws {
        try await eventually("\(node.name) halts\(process.outputForMessages)", within: .seconds(60)) {
            (try? await NodeClient().status(of: node.url))?.role == "halted"
        }
        let status = try await NodeClient().status(of: node.url)
        #expect(!status.isHealthy && status.isWritable == false)
        for word in words { #expect(status.failure?.contains(word) == true, "\(status.failure ?? "")") }
        #expect(await !NodeClient().health(of: node.url + "/health").isWell)
        let refused = try await node.run(["promote"])
        expectRefusal(refused, code: 5, naming: Array(words.prefix(1)))
    }

    @Test("A command with the wrong token, or without one, is refused, and nothing changes")
    func token() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", folder, cluster: ["token: the-right-word"])
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            let other = try await node("b", folder, cluster: ["token: another-word"])
            expectRefusal(
                try await other.run(["demote", "-url", a.url]),
                naming: ["\(a.url)", "does not take the token", "the same on both nodes"]
            )
            let without = try await node("c", folder)
            expectRefusal(try await without.run(["demote", "-url", a.url]), naming: ["wants a token"])
            await #expect(throws: NodeClientError.self) { try await NodeClient().status(of: a.url) }
            try await a.waitFor("/primary", of: service)
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            #expect(!service.standardOutput.contains("the-right-word"))
        }
    }

    @Test("A lease that something else has written over stops all nodes; put right, they go on, and nothing is lost")
    func foreignLease() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", folder)
            let b = try await node("b", folder)
            let lease = folder.appending("replica/cluster/lease.json")
            var (first, second) = (try a.start("service"), try b.start("standby"))
            try await a.waitFor("/primary", of: first)
            try await b.waitFor("/replica", of: second)
            try "something else\n".write(toFile: lease.string, atomically: true, encoding: .utf8)
            for (node, process) in [(a, first), (b, second)] {
                try await expectHalted(node, process, naming: ["The lease is not JSON", "cluster/lease.json"])
            }
            let status = try await a.run(["cluster", "status"])
            #expect(status.exit.status == .code(5) && status.standardError.oneLine.contains("The lease is not JSON"))
            // One that has halted hears SIGTERM all the same.
            #expect(try await first.terminate().isSuccess, "\(first.outputForMessages)")
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
            #expect(try String(contentsOfFile: lease.string, encoding: .utf8) == "something else\n")

            let committed = try events(a.database)
            try await a.run(["cluster", "repair", "-recreate-lease", "-yes"]).checked()
            first = try a.start("service")
            try await a.waitFor("/primary", of: first)
            second = try b.start("standby")
            try await b.waitFor("/replica", of: second)
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
            #expect(try await first.terminate().isSuccess, "\(first.outputForMessages)")
            let output = folder.appending("out.db")
            try await Ours.restore("file://\(folder.appending("replica"))", to: output)
            #expect(try events(output) == events(a.database) && events(output) >= committed)
        }
    }

    @Test("A node of another cluster halts, and leaves the store as it is")
    func otherCluster() async throws {
        try await withTemporaryFolder { folder in
            let mine = folder.appending("mine")
            try FileManager.default.createDirectory(atPath: mine.string, withIntermediateDirectories: true)
            let a = try await node("a", folder)
            let own = try await NodeFiles("b", in: folder, replica: "file://\(mine)", top: ["service: {writer: false}"])
            try await Ours.run(["init", own.database.string]).checked()
            try await own.run(["cluster", "init"]).checked()

            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            let store = ReplicaFolder(folder.appending("replica"))
            let before = store.everything().filter { $0.hasSuffix(".ltx") }
            // The same host and database, with the path of another store.
            let lost = try await node("b", folder)
            let standby = try lost.start("standby")
            try await expectHalted(lost, standby, naming: ["The lease is of another cluster"])
            #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
            #expect(store.everything().filter { $0.hasSuffix(".ltx") } == before)
            let output = folder.appending("out.db")
            try await Ours.restore(store.url, to: output)
            #expect(try events(output) == events(a.database))
        }
    }

    @Test("A database of another page size is left as it is, with a copy kept as a tail")
    func pageSize() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", folder)
            let b = try await node("b", folder)
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            let application = try Application(b.database, pageSize: 8192)
            let digest = try application.digest()
            application.close()
            let standby = try b.start("standby")
            try await expectHalted(b, standby, naming: ["pages of 4096 bytes, this database of 8192", "move"])
            #expect(try await b.run(["tail", "list"]).checked().standardOutput.contains(" b "))
            #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
            #expect(try SQLiteFile.contentDigest(of: b.database) == digest)
            try await a.waitFor("/primary", of: service)
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }
    }

    @Test(
        "A clock that is hours off takes nothing over, loses nothing, and takes over in time",
        arguments: [20_000, -20_000]
    )
    func clock(_ seconds: Int) async throws {
        try await withTemporaryFolder { folder in
            let shim = try await FaultShim(in: folder)
            let a = try await node("a", folder)
            let b = try await node("b", folder)
            let first = try a.start("service")
            try await a.waitFor("/primary", of: first)
            let second = try b.start("standby", environment: shim.environment(clockAheadBy: seconds))
            try await b.waitFor("/replica", of: second)
            // For some times to live the one renews, and the other one looks on.
            let counter = try await NodeClient().status(of: a.url).position?.txid ?? ""
            try await eventually("it follows for thirty transactions\(second.outputForMessages)", within: .seconds(60))
            {
                let status = try await NodeClient().status(of: b.url)
                #expect(status.role == "standby", "\(second.outputForMessages)")
                let position = UInt64(status.position?.txid ?? "", radix: 16) ?? 0
                return position >= (UInt64(counter, radix: 16) ?? 0) + 30
            }
            try await first.kill()
            try await b.waitFor("/primary", of: second, within: .seconds(20))
            let taken = try events(b.database)
            try await eventually("b writes") { try events(b.database) > taken }
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
            let output = folder.appending("out.db")
            try await Ours.restore("file://\(folder.appending("replica"))", to: output)
            #expect(try events(output) == events(b.database))
        }
    }
}
