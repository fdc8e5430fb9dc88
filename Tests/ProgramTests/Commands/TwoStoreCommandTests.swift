import Foundation
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// Two hosts with a store each, as a user sets them up: what is begun, what is shown, and what is refused.
@Suite("The commands of two hosts with a store each", .timeLimit(.minutes(5)))
struct TwoStoreCommandTests {
    private struct Status: Decodable {
        struct Store: Decodable {
            var site: String
            var store: String
            var name: String?
            var end: String?
            var holds: String
            var trouble: String?
        }
        struct Lease: Decodable {
            var state: String
            var eligible: [String]
        }
        var store: String
        var witness: String?
        var cluster: String?
        var lease: Lease?
        var stores: [Store]
        var advice: String?
    }

    private func status(_ text: String) throws -> Status {
        try JSONDecoder.snakeCase.decode(Status.self, from: Data(text.utf8))
    }

    /// The files of a node whose stores are the folders `own` and `peer`.
    private func node(
        _ name: String,
        in folder: FilePath,
        own: String,
        peer: String,
        witness: String = "third"
    ) async throws -> NodeFiles {
        func url(_ text: String) -> String { text.contains("://") ? text : "file://\(folder.appending(text))" }
        return try await NodeFiles(
            name,
            in: folder,
            replica: url(own),
            cluster: ["peer-store: \"\(url(peer))\"", "witness: \"\(url(witness))\""]
        )
    }

    @Test("A cluster begins in both stores, once, and is shown; what is wrong with the stores is named")
    func folders() async throws {
        try await withTemporaryFolder { folder in
            let a = try await node("a", in: folder, own: "sa", peer: "sb")
            let none = try await a.run(["cluster", "status"])
            expectRefusal(none, naming: ["Neither", "has begun", "'cluster init'"])
            try await Ours.run(["init", a.database.string]).checked()
            let begun = try await a.run(["cluster", "init"]).checked()
            #expect(begun.standardOutput.oneLine.contains("begins behind transaction 0000000000000000"))
            let again = try await a.run(["cluster", "init"]).checked()
            #expect(again.standardOutput.oneLine.hasPrefix("There is a cluster: "))
            let shown = try status(try await a.run(["cluster", "status", "-json"]).checked().standardOutput)
            #expect(begun.standardOutput.contains(shown.cluster ?? "-") && shown.lease?.state == "free")
            #expect(shown.stores.map(\.site) == ["own", "peer"] && shown.stores.map(\.holds) == ["unused", "unused"])
            #expect(shown.stores.map(\.name) == ["a", "nobody yet"] && shown.advice == nil)
            #expect(shown.witness == folder.appending("third").string)
            let text = try await a.run(["cluster", "status"]).checked().standardOutput
            for words in ["peer     \(folder.appending("sb"))", "witness  ", "no history yet", "ends at"] {
                #expect(text.contains(words), "'\(words)' is missing in: \(text)")
            }

            // The stores are swapped, the same, or of others; nothing is lost by it.
            let swapped = try await NodeFiles(
                "a",
                in: folder,
                replica: "file://\(folder.appending("sb"))",
                cluster: [
                    "peer-store: 'file://\(folder.appending("sa"))'", "witness: 'file://\(folder.appending("third"))'",
                ]
            )
            for command in [["cluster", "init"], ["cluster", "status"]] {
                expectRefusal(try await swapped.run(command), code: 5, naming: ["Exchange the two"])
            }
            let twice = try await node("twice", in: folder, own: "sa", peer: "sa")
            expectRefusal(
                try await twice.run(["cluster", "status"]),
                code: 2,
                naming: ["twice.yml", "the one on the other"]
            )
            let shared = try await NodeFiles("shared", in: folder, replica: "file://\(folder.appending("sa"))")
            try await Ours.run(["init", shared.database.string]).checked()
            expectRefusal(try await shared.run(["cluster", "init"]), code: 5, naming: ["'peer-store'"])
            for command in [["cluster", "adopt", "-yes"], ["cluster", "repair", "-reseed", "-yes"]] {
                let refused = try await node("a", in: folder, own: "sa", peer: "sb").run(command)
                expectRefusal(refused, code: 4, naming: ["not served for two hosts"])
            }
            try FileManager.default.removeItem(atPath: folder.appending("third").string)
            let lost = try await node("a", in: folder, own: "sa", peer: "sb").run(["cluster", "status"])
            expectRefusal(lost, code: 5, naming: ["has lost the lease"])
        }
    }

    @Test("A witness that is away, or has another token, is named, and nothing is begun")
    func witness() async throws {
        try await withTemporaryFolder { folder in
            let port = try await freePort()
            let process = try ChildProcess(
                Ours.executable,
                [
                    "witness", "-data", folder.appending("w.db").string, "-listen", "127.0.0.1:\(port)", "-token-env",
                    "WORD",
                ],
                environment: Ours.environment.merging(["WORD": "right-token"]) { $1 }
            )
            try await process.waitForOutput(containing: "Witness listens")
            func node(_ token: String, port: Int) async throws -> NodeFiles {
                try await NodeFiles(
                    "a",
                    in: folder,
                    replica: "file://\(folder.appending("sa"))",
                    cluster: [
                        "peer-store: {path: \(folder.appending("sb"))}",
                        "witness: {url: 'http://127.0.0.1:\(port)', token: \(token)}",
                    ]
                )
            }
            let a = try await node("wrong-token", port: port)
            try await Ours.run(["init", a.database.string]).checked()
            let refused = try await a.run(["cluster", "init"])
            expectWords(refused, code: 4, ["does not take the token"])
            #expect(!refused.standardError.contains("wrong-token"))
            var away = try await node("right-token", port: try await freePort())
            expectWords(try await away.run(["cluster", "init"]), code: 1, ["is not reached"])
            #expect(!FileManager.default.fileExists(atPath: folder.appending("sa/cluster/store.json").string))
            try await node("right-token", port: port).run(["cluster", "init"]).checked()
            away = try await node("right-token", port: try await freePort())
            expectWords(try await away.run(["cluster", "status"]), code: 1, ["is not reached"])
            try await process.terminate()
        }
    }

    /// A refusal after a warning: the witness is on this host.
    private func expectWords(_ result: ChildProcess.Result, code: Int32, _ words: [String]) {
        #expect(result.exit.status == .code(code), "\(result.command): \(result.exit)")
        for word in words + ["is on this host"] {
            #expect(result.standardError.contains(word), "\(result.standardError)")
        }
    }

    @Test("A store that cannot fence is named", .enabled(if: Servers.areExpected))
    func unfit() async throws {
        try await withGateway { gateway in
            try await withTemporaryFolder { folder in
                let path = "two-\(UInt64.random(in: .min ... .max))"
                let a = try await node("a", in: folder, own: "sa", peer: gateway.url(path))
                try await Ours.run(["init", a.database.string]).checked()
                let refused = try await a.run(["cluster", "init"], environment: gateway.environment)
                expectRefusal(refused, code: 3, naming: ["The peer's store", path, "cannot fence"])
            }
        }
    }

    @Test("A plan's files are written, and both of them are configurations")
    func plan() async throws {
        try await withTemporaryFolder { folder in
            let plan = [
                "cluster", "plan", "-a", "10.0.0.1", "-b", "10.0.0.2", "-database", "/data/app.db",
                "-store-a", "s3://app/main?endpoint=http://10.0.0.1:9000",
                "-store-b", "s3://app/main?endpoint=http://10.0.0.2:9000",
            ]
            let flags = ["-witness", "https://10.0.0.9:3001", "-o", folder.appending("plan").string]
            let shown = try await Ours.run(plan + flags).checked().standardOutput
            for words in ["peer-store:", "STEPS", "on witness:", "cluster init", "without a witness", "TOKEN"] {
                #expect(shown.contains(words), "'\(words)' is missing in: \(shown)")
            }
            for name in ["a.yml", "b.yml"] {
                let path = folder.appending("plan").appending(name).string
                let listed = try await Ours.run(
                    ["databases", "-config", path],
                    environment: ["CLUSTER_TOKEN": "0123456789", "WITNESS_TOKEN": "0123456789"]
                )
                #expect(try listed.checked().standardOutput.contains("/data/app.db"))
            }
            expectRefusal(try await Ours.run(plan + flags), code: 2, naming: ["is there already"])
            let alone = try await Ours.run(plan).checked().standardOutput
            for words in ["what is lost", "promote -peer-is-down", "nobody takes over by itself"] {
                #expect(alone.contains(words), "'\(words)' is missing in: \(alone)")
            }
            #expect(!alone.contains("WITNESS_TOKEN") && !alone.contains("eligible"))
        }
    }
}
