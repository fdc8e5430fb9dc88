import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Two nodes with a store each, as users run them.
@Suite("The commands service and standby on two hosts with a store each", .timeLimit(.minutes(5)))
struct TwoHostServiceTests {
    private struct Status: Decodable {
        struct Store: Decodable {
            var site: String
            var name: String?
            var holds: String
        }
        struct Lease: Decodable {
            var name: String
            var eligible: [String]
        }
        var lease: Lease?
        var stores: [Store]
        var advice: String?
    }

    private func status(_ node: NodeFiles) async throws -> Status {
        let shown = try await node.run(["cluster", "status", "-json"])
        return try JSONDecoder.snakeCase.decode(Status.self, from: Data(shown.standardOutput.utf8))
    }

    private func events(_ database: FilePath) throws -> Int64 {
        guard
            case .integer(let count)? = try SQLiteFile(database, .init(creates: false))
                .scalar("SELECT count(*) FROM events")
        else { return 0 }
        return count
    }

    /// Waits until both may take over, and the store of the other one holds everything.
    private func settle(_ primary: NodeFiles, _ other: NodeFiles, _ processes: [ChildProcess]) async throws {
        let words = processes.map(\.outputForMessages).joined()
        try await eventually("the store on \(other.name) holds everything\(words)", within: .seconds(60)) {
            let status = try await status(primary)
            return status.lease?.name == primary.name && status.lease?.eligible.count == 2
                && status.stores.map(\.holds) == ["earlier", "current"]
                && status.stores.map(\.name) == [primary.name, other.name]
        }
    }

    @Test("The second host follows from its own store, takes over by word and on silence, and the first comes back")
    func life() async throws {
        try await withTemporaryFolder { folder in
            func node(_ name: String, _ own: String, _ peer: String) async throws -> NodeFiles {
                try await NodeFiles(
                    name,
                    in: folder,
                    replica: "file://\(folder.appending(own))",
                    cluster: [
                        "peer-store: 'file://\(folder.appending(peer))'",
                        "witness: 'file://\(folder.appending("third"))'",
                    ],
                    top: ["service: {writer-interval: 20ms}", "validation: {interval: 300ms}"]
                )
            }
            let a = try await node("a", "sa", "sb")
            let b = try await node("b", "sb", "sa")
            let standby = try b.start("standby")
            try await standby.waitForOutput(containing: "msg=Waiting")
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            try await b.waitFor("/replica", of: standby)
            try await settle(a, b, [service, standby])
            // The primary proves the store that it ships to.
            try await eventually("a restore is proven\(service.outputForMessages)", within: .seconds(30)) {
                try await NodeClient().status(of: a.url).lastProvenRestoreTxid != nil
            }

            let handed = try await a.run(["switchover", "-to", "b"])
            #expect(handed.exit.isSuccess, "\(handed.standardError)\(service.outputForMessages)")
            try await b.waitFor("/primary", of: standby)
            try await a.waitFor("/replica", of: service)
            try await settle(b, a, [service, standby])

            _ = try await standby.kill()
            try await a.waitFor("/primary", of: service)
            let before = try events(a.database)
            try await eventually("a writes\(service.outputForMessages)") { try events(a.database) > before }
            let again = try b.start("standby")
            try await b.waitFor("/replica", of: again)
            try await settle(a, b, [service, again])
            #expect(try await status(a).advice == nil)

            // Each host's store restores by itself.
            try await Ours.restore("file://\(folder.appending("sb"))", to: folder.appending("sb.db"))
            try await Ours.restore("file://\(folder.appending("sa"))", to: folder.appending("sa.db"))
            #expect(try events(folder.appending("sb.db")) >= before)
            #expect(try await again.terminate().isSuccess, "\(again.outputForMessages)")
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }
    }

    @Test("A node whose stores are exchanged halts, and says what to do")
    func swapped() async throws {
        try await withTemporaryFolder { folder in
            func node(_ own: String, _ peer: String) async throws -> NodeFiles {
                try await NodeFiles(
                    "a",
                    in: folder,
                    replica: "file://\(folder.appending(own))",
                    cluster: [
                        "peer-store: 'file://\(folder.appending(peer))'",
                        "witness: 'file://\(folder.appending("third"))'",
                    ]
                )
            }
            let right = try await node("sa", "sb")
            try await Ours.run(["init", right.database.string]).checked()
            try await right.run(["cluster", "init"]).checked()
            let wrong = try await node("sb", "sa")
            let service = try wrong.start("service")
            try await eventually("it says what is wrong\(service.outputForMessages)") {
                let failure = try? await NodeClient().status(of: wrong.url).failure
                return failure?.contains("Exchange the two") ?? false
            }
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }
    }
}
