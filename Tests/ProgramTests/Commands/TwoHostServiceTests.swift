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

    /// Where everything lies.
    private struct Places {
        var a: String
        var b: String
        /// As `witness` has it.
        var witness: String
        var environment: [String: String?] = [:]
    }

    private func status(_ node: NodeFiles, _ places: Places) async throws -> Status {
        let shown = try await node.run(["cluster", "status", "-json"], environment: places.environment)
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
    private func settle(
        _ primary: NodeFiles,
        _ other: NodeFiles,
        _ places: Places,
        _ processes: [ChildProcess]
    ) async throws {
        let words = processes.map(\.outputForMessages).joined()
        try await eventually("the store on \(other.name) holds everything\(words)", within: .seconds(60)) {
            let status = try await status(primary, places)
            return status.lease?.name == primary.name && status.lease?.eligible.count == 2
                && status.stores.map(\.holds) == ["earlier", "current"]
                && status.stores.map(\.name) == [primary.name, other.name]
        }
    }

    @Test("The second host follows from its own store, takes over by word and on silence, and the first comes back")
    func folders() async throws {
        try await withTemporaryFolder { folder in
            let places = Places(
                a: "file://\(folder.appending("sa"))",
                b: "file://\(folder.appending("sb"))",
                witness: "'file://\(folder.appending("third"))'"
            )
            try await life(in: folder, places)
        }
    }

    @Test("The same on moto, with a witness over HTTP", .enabled(if: Servers.areExpected))
    func moto() async throws {
        try await withMoto { server in
            try await withTemporaryFolder { folder in
                let port = try await freePort()
                let witness = try ChildProcess(
                    Ours.executable,
                    ["witness", "-data", folder.appending("w.db").string, "-listen", "127.0.0.1:\(port)"]
                        + ["-token-env", "WORD"],
                    environment: Ours.environment.merging(["WORD": "0123456789"]) { $1 }
                )
                try await witness.waitForOutput(containing: "Witness listens")
                let path = "two-\(UInt64.random(in: .min ... .max))"
                let places = Places(
                    a: server.url("\(path)/a"),
                    b: server.url("\(path)/b"),
                    witness: "{url: 'http://127.0.0.1:\(port)', token: '0123456789'}",
                    environment: server.environment
                )
                try await life(in: folder, places)
                #expect(try await witness.terminate().isSuccess, "\(witness.outputForMessages)")
            }
        }
    }

    private func life(in folder: FilePath, _ places: Places) async throws {
        func node(_ name: String, _ own: String, _ peer: String) async throws -> NodeFiles {
            try await NodeFiles(
                name,
                in: folder,
                replica: own,
                cluster: ["peer-store: '\(peer)'", "witness: \(places.witness)"],
                top: ["service: {writer-interval: 20ms}", "validation: {interval: 300ms}"]
            )
        }
        let environment = places.environment
        let a = try await node("a", places.a, places.b)
        let b = try await node("b", places.b, places.a)
        let standby = try b.start("standby", environment: environment)
        try await standby.waitForOutput(containing: "msg=Waiting")
        let service = try a.start("service", environment: environment)
        try await a.waitFor("/primary", of: service)
        try await b.waitFor("/replica", of: standby)
        try await settle(a, b, places, [service, standby])
        // The primary proves the store that it ships to.
        try await eventually("a restore is proven\(service.outputForMessages)", within: .seconds(30)) {
            try await NodeClient().status(of: a.url).lastProvenRestoreTxid != nil
        }

        let handed = try await a.run(["switchover", "-to", "b"], environment: environment)
        #expect(handed.exit.isSuccess, "\(handed.standardError)\(service.outputForMessages)")
        try await b.waitFor("/primary", of: standby)
        try await a.waitFor("/replica", of: service)
        try await settle(b, a, places, [service, standby])

        _ = try await standby.kill()
        try await a.waitFor("/primary", of: service)
        let before = try events(a.database)
        try await eventually("a writes\(service.outputForMessages)") { try events(a.database) > before }
        let again = try b.start("standby", environment: environment)
        try await b.waitFor("/replica", of: again)
        try await settle(a, b, places, [service, again])
        #expect(try await status(a, places).advice == nil)

        // Each host's store restores by itself.
        try await Ours.restore(places.b, to: folder.appending("sb.db"), environment: environment)
        try await Ours.restore(places.a, to: folder.appending("sa.db"), environment: environment)
        #expect(try events(folder.appending("sb.db")) >= before)
        #expect(try await again.terminate().isSuccess, "\(again.outputForMessages)")
        #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
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
