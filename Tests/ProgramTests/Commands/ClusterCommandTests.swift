import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// `cluster`, and what a store that cannot fence is good for.
@Suite("The commands of a cluster", .timeLimit(.minutes(5)))
struct ClusterCommandTests {
    private struct Status: Decodable {
        struct Lease: Decodable {
            var state: String
            var name: String
            var node: String
            var head: String
            var begin: String
            var ttlMs: Int
            var eligible: [String]
        }
        struct Node: Decodable {
            var node: String
            var name: String
            var eligible: Bool
            var role: String?
        }
        struct Epoch: Decodable {
            var epoch: Int
            var cause: String
            var node: String
        }
        var store: String
        var cluster: String?
        var epoch: Int?
        var lease: Lease?
        var nodes: [Node]
        var epochs: [Epoch]
        var problems: [String]
    }

    private func events(_ database: FilePath) throws -> SQLiteValue? {
        try SQLiteFile(database, .init(creates: false)).scalar("SELECT count(*) FROM events")
    }

    private func status(_ text: String) throws -> Status {
        try JSONDecoder.snakeCase.decode(Status.self, from: Data(text.utf8))
    }

    @Test("In a folder a cluster begins once, is shown, and its lease is written again where it is lost")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            try await life(folder, replica: "file://\(folder.appending("replica"))", environment: [:]) {
                try FileManager.default.removeItem(atPath: folder.appending("replica/cluster/lease.json").string)
            }
        }
    }

    @Test("The same on moto", .enabled(if: Servers.areExpected))
    func moto() async throws {
        try await withMoto { server in
            try await withTemporaryFolder { folder in
                let path = "cluster-\(UInt64.random(in: .min ... .max))"
                try await life(folder, replica: server.url(path), environment: server.environment) {
                    try await server.python("s3.delete_object(Bucket=bucket, Key='\(path)/cluster/lease.json')")
                }
            }
        }
    }

    private func life(
        _ folder: FilePath,
        replica: String,
        environment: [String: String?],
        loseLease: () async throws -> Void
    ) async throws {
        let node = try await NodeFiles("a", in: folder, replica: replica)
        let early = try await node.run(["cluster", "status", "-json"], environment: environment)
        #expect(early.exit.status == .code(1) && early.standardError.contains("holds no cluster"))
        #expect(try status(early.standardOutput).lease == nil)
        let missing = try await node.run(["cluster", "init"], environment: environment)
        expectRefusal(missing, naming: ["There is no database at '\(node.database)'"])

        try await Ours.run(["init", node.database.string]).checked()
        let begun = try await node.run(["cluster", "init"], environment: environment).checked()
        #expect(begun.standardOutput.oneLine.contains("begins behind transaction 0000000000000000"))
        let again = try await node.run(["cluster", "init"], environment: environment).checked()
        #expect(again.standardOutput.oneLine.hasPrefix("There is a cluster: "))
        let shown = try status(
            try await node.run(["cluster", "status", "-json"], environment: environment).checked().standardOutput
        )
        let lease = try #require(shown.lease)
        #expect(lease.state == "free" && lease.name == "a" && lease.eligible == [lease.node] && lease.ttlMs == 1000)
        #expect(shown.epoch == 0 && shown.nodes.map(\.name) == ["a"] && shown.nodes.first?.eligible == true)
        #expect(shown.epochs.isEmpty && shown.problems.isEmpty && begun.standardOutput.contains(shown.cluster ?? "-"))
        let text = try await node.run(["cluster", "status"], environment: environment).checked().standardOutput
        for words in [
            "cluster  \(shown.cluster ?? "-")", "lease    free", "ttl      1s", "node  id", "a     \(lease.node)",
        ] {
            #expect(text.contains(words), "'\(words)' is missing in: \(text)")
        }

        let there = try await node.run(["cluster", "repair", "-recreate-lease", "-yes"], environment: environment)
        expectRefusal(there, code: 4, naming: ["The lease is there"])
        try await loseLease()
        let lost = try await node.run(["cluster", "status"], environment: environment)
        // No node has left a record yet: nothing tells that there was one.
        expectRefusal(lost, naming: ["holds no cluster"])
        expectRefusal(
            try await node.run(["cluster", "init"], environment: environment),
            code: 5,
            naming: ["recreate-lease", shown.cluster ?? "-"]
        )
        let unsure = try await node.run(["cluster", "repair", "-recreate-lease"], environment: environment)
        #expect(unsure.exit.status == .code(2) && unsure.standardError.contains("give -yes"))
        try await node.run(["cluster", "repair", "-recreate-lease", "-yes"], environment: environment).checked()
        let repaired = try status(
            try await node.run(["cluster", "status", "-json"], environment: environment).checked().standardOutput
        )
        #expect(repaired.cluster == shown.cluster && repaired.epoch == 1 && repaired.lease?.state == "free")
    }

    @Test("Wrong usage and configurations that cannot be used end with 2, in words and with the place")
    func usage() async throws {
        try await withTemporaryFolder { folder in
            let replica = "file://\(folder.appending("replica"))"
            for arguments in [["cluster"], ["cluster", "status", "-colour"], ["standby", "x"], ["switchover"]] {
                #expect(try await Ours.run(arguments).exit.status == .code(2), "\(arguments)")
            }
            #expect(try await Ours.run(["restore", "-colour"]).exit.status == .code(64))
            let open = try await NodeFiles("open", in: folder, replica: replica, cluster: ["url: http://10.0.0.1:1"])
            let witness = try await NodeFiles("witness", in: folder, replica: replica, cluster: ["witness: http://w"])
            for command in [["cluster", "status"], ["service"], ["standby"], ["promote"]] {
                expectRefusal(
                    try await open.run(command),
                    code: 2,
                    naming: ["open.yml:9:8: ", "add 'token: …' under 'cluster'"]
                )
                expectRefusal(
                    try await witness.run(command),
                    code: 2,
                    naming: ["witness.yml:9:12: cluster.witness is for two hosts with a store each", "'peer-store'"]
                )
            }
            let plain = Litestream.configuration(of: folder.appending("x.db"), to: replica)
            let file = folder.appending("plain.yml").string
            try plain.write(toFile: file, atomically: true, encoding: .utf8)
            for command in [["cluster", "init"], ["standby"], ["promote"]] {
                expectRefusal(try await Ours.run(command + ["-config", file]), code: 2, naming: ["'cluster'"])
            }
            let none = folder.appending("none.yml").string
            expectRefusal(try await Ours.run(["service", "-config", none]), code: 2, naming: [none])
            // Only nodes may write among a cluster's files.
            let cluster = try await NodeFiles("c", in: folder, replica: replica)
            expectRefusal(try await cluster.run(["replicate", "-once"]), naming: ["'service' or 'standby'"])
        }
    }

    @Test("A store that does not answer, and a node that does not, are named")
    func unreachable() async throws {
        try await withTemporaryFolder { folder in
            let keys: [String: String?] = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]
            let replica = "s3://test/app?endpoint=http://127.0.0.1:9&forcePathStyle=true&region=us-east-1"
            let node = try await NodeFiles("a", in: folder, replica: replica)
            expectRefusal(try await node.run(["cluster", "status"], environment: keys), naming: ["127.0.0.1:9"])
            expectRefusal(try await node.run(["demote"]), naming: ["127.0.0.1:\(node.port)"])
            let elsewhere = try await Ours.run(["promote", "-url", "http://127.0.0.1:9"])
            expectRefusal(elsewhere, naming: ["127.0.0.1:9"])
        }
    }

    @Test(
        "On the MinIO gateway a cluster is refused in words, and all the rest works",
        .enabled(if: Servers.areExpected)
    )
    func gateway() async throws {
        try await withGateway { server in
            try await withTemporaryFolder { folder in
                let replica = server.url("unfit-\(UInt64.random(in: .min ... .max))")
                let words = [
                    "cannot fence", "If-None-Match is ignored", "conditional writes", "by hand into a new path",
                ]
                let node = try await NodeFiles(
                    "a",
                    in: folder,
                    replica: replica,
                    top: ["service: {writer-interval: 50ms}"]
                )
                try await Ours.run(["init", node.database.string]).checked()
                let refused = try await node.run(["cluster", "init"], environment: server.environment)
                expectRefusal(refused, code: 3, naming: words)
                let service = try node.start("service", environment: server.environment)
                try await node.waitFor("/primary", of: service)
                let status = try await NodeClient().status(of: node.url)
                #expect(status.isHealthy && status.degraded.contains { $0.contains("cannot fence") })
                let promoted = try await node.run(["promote"])
                expectRefusal(promoted, code: 3, naming: words)
                try await eventually("something is replicated\(service.outputForMessages)", within: .seconds(60)) {
                    let listed = try await Ours.run(["ltx", "-level", "all", replica], environment: server.environment)
                    return listed.standardOutput.split(separator: "\n").count > 3
                }
                let other = try await NodeFiles("b", in: folder, replica: replica)
                let standby = try other.start("standby", environment: server.environment)
                try await other.waitFor("/replica", of: standby)
                let followed = try await NodeClient().status(of: other.url)
                #expect(followed.degraded.contains { $0.contains("nobody can take over") }, "\(followed.degraded)")
                #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
                try await eventually("all is followed\(standby.outputForMessages)", within: .seconds(60)) {
                    try events(other.database) == events(node.database)
                }
                #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
                let output = folder.appending("out.db")
                try await Ours.restore(replica, to: output, environment: server.environment)
                #expect(try events(output) == events(node.database))
            }
        }
    }
}
