import Foundation
import Logging
import NIOHTTP1
import ObjectStorage
import SQLiteReplicate
import ServiceLifecycle
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("What looks after a node", .timeLimit(.minutes(2)))
struct NodeChecksTests {
    /// The configuration of a node in a folder, which answers at a free port.
    private func configuration(_ name: String, in folder: FilePath) async throws -> ReplicationConfiguration {
        var configuration = ReplicationConfiguration()
        configuration.databases = [
            DatabaseConfiguration(path: folder.appending("\(name).db"), replica: .folder(folder.appending("replica")))
        ]
        configuration.databases[0].replica.syncInterval = .milliseconds(50)
        configuration.service.writes = false
        var cluster = ClusterConfiguration()
        (cluster.name, cluster.ttl, cluster.followInterval) = (name, .seconds(1), .milliseconds(50))
        cluster.listen.port = try await freePort()
        configuration.cluster = cluster
        return configuration
    }

    /// Runs the services of a node while `body` runs.
    private func running(
        _ configuration: ReplicationConfiguration,
        as kind: NodeServices.Kind,
        _ body: (String) async throws -> Void
    ) async throws {
        let services = try NodeServices(configuration, as: kind, logger: .silent)
        let group = ServiceGroup(services: [services], logger: .silent)
        let run = Task { try await group.run() }
        defer { run.cancel() }
        try await body(configuration.cluster?.localURL ?? "")
        await group.triggerGracefulShutdown()
        try await run.value
    }

    private func makeDatabase(_ path: FilePath) throws {
        let file = try SQLiteFile(path, .init(autocheckpoint: 0))
        try file.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(n INTEGER PRIMARY KEY)")
    }

    @Test("Primary and standby each prove a restore at the interval; one that leads nowhere is told of, by both")
    func validation() async throws {
        try await withTemporaryFolder { folder in
            var first = try await configuration("a", in: folder)
            var second = try await configuration("b", in: folder)
            (first.validationInterval, second.validationInterval) = (.milliseconds(150), .milliseconds(150))
            let database = first.databases[0].path
            try makeDatabase(database)
            let moment = Timestamp.now
            try await running(first, as: .service) { a in
                try await running(second, as: .standby) { b in
                    for url in [a, b] {
                        try await eventually("\(url) proves a restore of what it holds", within: .seconds(30)) {
                            guard let status = try? await NodeClient().status(of: url) else { return false }
                            guard let text = status.lastProvenRestore, let proven = Timestamp(text: text) else {
                                return false
                            }
                            // To the second: so the status keeps it.
                            return proven.rawValue / 1000 >= moment.rawValue / 1000
                                && status.lastProvenRestoreTxid == status.position?.txid && status.degraded.isEmpty
                        }
                    }
                    let metrics = try PrometheusText(try await send("GET", a + "/metrics").body)
                    #expect(metrics.value("sqlite_replicate_last_proven_restore_txid") ?? 0 > 0)
                    let proven = try await NodeClient().status(of: a).lastProvenRestoreTxid

                    try FileManager.default.removeItem(atPath: folder.appending("replica/ltx").string)
                    for url in [a, b] {
                        try await eventually("\(url) tells that a restore fails", within: .seconds(30)) {
                            let status = try await NodeClient().status(of: url)
                            return status.degraded.contains { $0.contains("the last validation of") }
                        }
                    }
                    let status = try await NodeClient().status(of: a)
                    #expect(status.isHealthy && status.lastProvenRestoreTxid == proven)
                }
            }
        }
    }

    @Test("heartbeat-url is asked for by a primary and by a standby, and not while the store is away")
    func heartbeat() async throws {
        try await ScriptedHTTPServer.with { _ in
            .respond(.ok)
        } _: { server in
            try await withTemporaryFolder { folder in
                var first = try await configuration("a", in: folder)
                var second = try await configuration("b", in: folder)
                (first.heartbeatURL, first.heartbeatInterval) = (server.endpoint + "/a", .milliseconds(100))
                (second.heartbeatURL, second.heartbeatInterval) = (server.endpoint + "/b", .milliseconds(100))
                try makeDatabase(first.databases[0].path)
                try await running(first, as: .service) { _ in
                    try await running(second, as: .standby) { _ in
                        for path in ["/a", "/b"] {
                            try await eventually("beats at \(path)", within: .seconds(30)) {
                                server.requests.count { $0.uri == path } >= 2
                            }
                        }
                    }
                }
                // Nobody holds the lease now; and where the replica was is something else.
                let lost = folder.appending("lost")
                try FileManager.default.moveItem(atPath: folder.appending("replica").string, toPath: lost.string)
                try "".write(toFile: folder.appending("replica").string, atomically: true, encoding: .utf8)
                let count = server.requests.count
                let notes = LogNotes()
                let services = try NodeServices(first, as: .service, logger: .noting(notes))
                let group = ServiceGroup(services: [services], logger: .silent)
                let run = Task { try await group.run() }
                defer { run.cancel() }
                try await eventually("three beats are left out", within: .seconds(30)) {
                    notes.all.count { $0.contains("No heartbeat") } >= 3
                }
                #expect(server.requests.count == count)
                await group.triggerGracefulShutdown()
                try await run.value
            }
        }
    }
}
