import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Two nodes as users run them.
@Suite("The commands service and standby", .timeLimit(.minutes(5)))
struct NodeServiceTests {
    private func events(_ database: FilePath) throws -> SQLiteValue? {
        try SQLiteFile(database, .init(creates: false)).scalar("SELECT count(*) FROM events")
    }

    @Test("A service begins a cluster, a standby follows it; they hand over by word, and by SIGTERM; each ends with 0")
    func pair() async throws {
        try await withTemporaryFolder { folder in
            let replica = "file://\(folder.appending("replica"))"
            let top = ["service: {writer-interval: 20ms}"]
            let a = try await NodeFiles("a", in: folder, replica: replica, top: top)
            let b = try await NodeFiles("b", in: folder, replica: replica, top: top)
            let standby = try b.start("standby")
            try await standby.waitForOutput(containing: "msg=Waiting")
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            try await b.waitFor("/replica", of: standby)

            expectRefusal(try await b.run(["promote"]), code: 4, naming: ["a is primary and alive", "switchover"])
            expectRefusal(try await b.run(["switchover", "-to", "a"]), code: 4, naming: ["not the primary"])
            try await eventually("b is on the list\(standby.outputForMessages)", within: .seconds(60)) {
                let status = try await a.run(["cluster", "status"]).checked().standardOutput
                return status.split(separator: "\n").contains { $0.hasPrefix("b ") && $0.contains(" yes ") }
            }
            let handed = try await a.run(["switchover", "-to", "b"])
            #expect(
                handed.exit.isSuccess,
                "\(handed.standardError)\(service.outputForMessages)\(standby.outputForMessages)"
            )
            try await b.waitFor("/primary", of: standby)
            try await a.waitFor("/replica", of: service)
            let writes = try #require(try events(b.database))
            try await eventually("the standby's own writer writes\(standby.outputForMessages)", within: .seconds(30)) {
                guard case .integer(let before) = writes, case .integer(let now) = try events(b.database) else {
                    return false
                }
                return now > before
            }

            #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
            try await a.waitFor("/primary", of: service)
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            let status = try await a.run(["cluster", "status"]).checked().standardOutput
            #expect(status.contains("lease    free, last held by a") && status.contains("handoff"), "\(status)")
        }
    }

    @Test("Without a cluster the pieces run by themselves, and can be left out")
    func alone() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let database = folder.appending("app.db")
            let file = folder.appending("plain.yml")
            let script = GuardedScript(folder: folder)
            let words = try script.words(onSignal: "exit 0").joined(separator: " ")
            let text = Litestream.configuration(
                of: database,
                to: replica.url,
                global: ["service: {writer-interval: 20ms}", "validation: {interval: 200ms}", "exec: \(words)"]
            )
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            let port = try await freePort()
            let service = try ChildProcess(
                Ours.executable,
                ["service", "-config", file.string, "-port", "\(port)"],
                environment: Ours.environment
            )
            try await replica.waitForTransaction(above: 1, of: service)
            let url = "http://127.0.0.1:\(port)"
            #expect(await NodeClient().health(of: url + "/health").isWell)
            let status = try await NodeClient().status(of: url)
            #expect(status.role == nil && status.databases.map(\.path) == [database.string])
            let program = try await script.process()
            try await eventually("a restore is proven\(service.outputForMessages)", within: .seconds(30)) {
                try await NodeClient().status(of: url).databases.first?.lastProvenRestoreTxid != nil
            }
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            #expect(!isRunning(program) && script.moment(of: "TERM") != nil)
            try await Ours.restore(replica.url, to: folder.appending("out.db"))
            #expect(try events(folder.appending("out.db")) == events(database))

            let count = replica.everything().count
            let writer = try ChildProcess(
                Ours.executable,
                ["service", "-config", file.string, "-no-health", "-no-replication"],
                environment: Ours.environment
            )
            let before = try events(database)
            try await eventually("the writer writes\(writer.outputForMessages)") { try events(database) != before }
            #expect(await !NodeClient().health(of: url + "/health").isWell)
            #expect(try await writer.terminate().isSuccess, "\(writer.outputForMessages)")
            #expect(replica.everything().count == count)
        }
    }

    @Test("A port in use, and a node of a cluster that is not to replicate, are refused in a line")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let replica = "file://\(folder.appending("replica"))"
            let node = try await NodeFiles("a", in: folder, replica: replica)
            let service = try node.start("service")
            try await node.waitFor("/primary", of: service)
            let other = try await NodeFiles("b", in: folder, replica: replica)
            let second = try await Ours.run([
                "standby", "-config", other.configuration.string, "-port", "\(node.port)", "-log-level", "error",
            ])
            #expect(second.exit.status == .code(1))
            #expect(second.standardError.oneLine.contains("127.0.0.1:\(node.port)"), "\(second.standardError)")
            expectRefusal(try await other.run(["service", "-no-replication"]), code: 2, naming: ["always replicates"])
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }
    }
}
