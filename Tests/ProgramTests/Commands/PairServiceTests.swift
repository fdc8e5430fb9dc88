import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Two nodes with a store each and no witness, as users run them (failover-review W).
@Suite("The commands of two hosts without a witness", .timeLimit(.minutes(5)))
struct PairServiceTests {
    private struct Status: Decodable {
        struct Store: Decodable {
            var holds: String
        }
        struct Lease: Decodable {
            var name: String
            var state: String
        }
        var witness: String?
        var lease: Lease?
        var stores: [Store]
        var advice: String?
    }

    private func node(
        _ name: String,
        in folder: FilePath,
        own: String,
        peer: String,
        more: [String] = [],
        top: [String] = []
    ) async throws -> NodeFiles {
        try await NodeFiles(
            name,
            in: folder,
            replica: "file://\(folder.appending(own))",
            cluster: ["peer-store: 'file://\(folder.appending(peer))'"] + more,
            top: ["service: {writer-interval: 20ms}"] + top
        )
    }

    private func status(_ node: NodeFiles) async throws -> Status {
        let shown = try await node.run(["cluster", "status", "-json"])
        return try JSONDecoder.snakeCase.decode(Status.self, from: Data(shown.standardOutput.utf8))
    }

    private func settle(_ primary: NodeFiles, _ other: NodeFiles, _ processes: [ChildProcess]) async throws {
        let words = processes.map(\.outputForMessages).joined()
        try await eventually("the store on \(other.name) holds everything\(words)", within: .seconds(60)) {
            let status = try await status(primary)
            return status.lease?.name == primary.name && status.lease?.state == "held"
                && status.stores[0].holds != "current" && status.stores[1].holds == "current"
        }
    }

    @Test("W8 W9 W10 A switchover, a primary that dies, what the other one's host is told to do, and the word")
    func life() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", in: folder, own: "sa", peer: "sb")
            let b = try await node("b", in: folder, own: "sb", peer: "sa")
            let standby = try b.start("standby")
            try await standby.waitForOutput(containing: "msg=Waiting")
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            try await b.waitFor("/replica", of: standby)
            try await settle(a, b, [service, standby])
            #expect(try await status(b).witness == "the cells of the two stores")
            #expect(standby.outputForMessages.contains("There is no witness: nobody takes over before"))

            let handed = try await a.run(["switchover", "-to", "b"])
            #expect(handed.exit.isSuccess, "\(handed.standardError)\(service.outputForMessages)")
            try await b.waitFor("/primary", of: standby)
            try await a.waitFor("/replica", of: service)
            try await settle(b, a, [service, standby])

            // While it is well nothing is to be done, and nothing is done.
            #expect(try await status(a).advice == nil)
            let needless = try await b.run(["promote", "-peer-is-down"])
            #expect(needless.exit.isSuccess, "\(needless.standardError)")

            _ = try await standby.kill()
            let told = try await a.run(["cluster", "status"])
            let word = "sqlite-replicate promote -peer-is-down"
            expectRefusal(told, code: 5, naming: ["b has the right to write", word])
            expectRefusal(
                try await a.run(["promote", "-peer-is-down"]),
                code: 5,
                naming: ["Is the peer's process stopped?", "-yes peer-is-stopped"]
            )
            let promoted = try await a.run(["promote", "-peer-is-down", "-yes", "peer-is-stopped"])
            #expect(promoted.exit.isSuccess, "\(promoted.standardError)\(service.outputForMessages)")
            try await a.waitFor("/primary", of: service)
            let again = try b.start("standby")
            try await b.waitFor("/replica", of: again)
            try await settle(a, b, [service, again])
            for store in ["sa", "sb"] {
                try await Ours.restore("file://\(folder.appending(store))", to: folder.appending("\(store).db"))
            }

            #expect(try await again.terminate().isSuccess, "\(again.outputForMessages)")
            _ = try await service.kill()
            let own = try await a.run(["cluster", "status"])
            expectRefusal(own, code: 5, naming: ["the right is this host's node's", "sqlite-replicate service"])
        }
    }

    @Test("W10 Restores are proven also while 'unsafe-auto-promote' has health degraded")
    func unsafe() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node(
                "a",
                in: folder,
                own: "sa",
                peer: "sb",
                more: ["unsafe-auto-promote: true", "health-url: 'http://127.0.0.1:9/health'"],
                top: ["validation: {interval: 300ms}"]
            )
            let service = try a.start("service")
            try await eventually("a restore is proven\(service.outputForMessages)", within: .seconds(30)) {
                guard let status = try? await NodeClient().status(of: a.url) else { return false }
                return status.lastProvenRestoreTxid != nil
                    && status.degraded.contains { $0.contains("'unsafe-auto-promote' is on") }
            }
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }
    }

    @Test("W1 A cluster begins in both stores; exchanged stores, a lost cell and one of something else are named")
    func faults() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", in: folder, own: "sa", peer: "sb")
            try await Ours.run(["init", a.database.string]).checked()
            try await a.run(["cluster", "init"]).checked()
            let shown = try await status(a)
            #expect(shown.lease?.state == "held" && shown.stores.map(\.holds) == ["unused", "unused"])
            let cell = folder.appending("sb/cluster/lease.json")
            let kept = try String(contentsOfFile: cell.string, encoding: .utf8)
            try "{}".write(toFile: cell.string, atomically: true, encoding: .utf8)
            expectRefusal(try await a.run(["cluster", "status"]), code: 5, naming: ["cluster/lease.json", "format"])
            try FileManager.default.removeItem(atPath: cell.string)
            let lost = try await a.run(["cluster", "status"])
            expectRefusal(lost, code: 5, naming: ["has lost its cell", "copy that object"])
            try kept.write(toFile: cell.string, atomically: true, encoding: .utf8)
            #expect(try await status(a).advice != nil, "its node does not run")

            // The same file with the stores exchanged.
            let exchanged = try await node("a", in: folder, own: "sb", peer: "sa")
            expectRefusal(try await exchanged.run(["cluster", "init"]), code: 5, naming: ["Exchange the two"])
            expectRefusal(try await exchanged.run(["cluster", "status"]), code: 5, naming: ["Exchange the two"])
            let wrong = try exchanged.start("service")
            try await eventually("it says what is wrong\(wrong.outputForMessages)") {
                let failure = try? await NodeClient().status(of: exchanged.url).failure
                return failure?.contains("Exchange the two") ?? false
            }
            #expect(try await wrong.terminate().isSuccess, "\(wrong.outputForMessages)")
        }
    }
}
