import Foundation
import LTX
import Logging
import NIOHTTP1
import Replication
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

extension OneAtATime {
    @Suite("Requirements: the library in the application's process", .timeLimit(.minutes(3)))
    struct LibraryTests {
        /// Runs `body` while a database of this process is replicated.
        private func replicating(
            _ configuration: ReplicationConfiguration,
            _ body: (DatabaseReplicator) async throws -> Void
        ) async throws {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let service = try ReplicationService(configuration, logger: logger)
            let run = Task { try await service.run() }
            defer { run.cancel() }
            let replicator = try #require(service.replicators.first)
            try await eventually("it is attached") { await replicator.status().phase == .attached }
            try await body(replicator)
            run.cancel()
            _ = await run.result  // Cancelled: that is what it says.
        }

        private func configuration(_ database: FilePath, _ replica: ReplicaConfiguration) -> ReplicationConfiguration {
            var configuration = ReplicationConfiguration()
            configuration.databases = [DatabaseConfiguration(path: database, replica: replica)]
            return configuration
        }

        @Test("R-41: sync returns when all that was committed before is on the replica, also under load")
        func sync() async throws {
            try await withTemporaryFolder { folder in
                let application = try Application(folder.appending("app.db"), rows: 60)
                let replica = ReplicaFolder(folder.appending("replica"))
                try await replicating(configuration(application.path, .folder(replica.path))) { replicator in
                    for round in 0..<8 {
                        for _ in 0...round { try application.write() }
                        let digest = try application.digest()
                        let id = try await replicator.sync(timeout: .seconds(30))
                        #expect(id?.rawValue == replica.highest())
                        let output = folder.appending("out\(round).db")
                        try await Ours.restore(replica.url, to: output)
                        #expect(try RestoredDatabase(output).digest == digest)
                    }
                    // Ten waiters at once, while another process writes all the time: nobody starves.
                    let path = application.path
                    let writer = try ChildProcess(
                        try BuiltProduct.path(of: "workload"),
                        [path.string, "plain", "1", "300"]
                    )
                    try await writer.waitForOutput(containing: "ready")
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<10 { group.addTask { try await replicator.sync(timeout: .seconds(40)) } }
                        try await group.waitForAll()
                    }
                    #expect(try await writer.terminate().isSuccess)
                    #expect(writer.standardOutput.contains("failures=0"), "\(writer.outputForMessages)")
                }
            }
        }

        @Test("R-41: sync honours its timeout while the store is away, and succeeds once it is back")
        func timeout() async throws {
            try await withTemporaryFolder { folder in
                let application = try Application(folder.appending("app.db"), rows: 20)
                // A file in the place of the folder above the replica: nothing can be put there.
                let store = folder.appending("store")
                try "".write(toFile: store.string, atomically: true, encoding: .utf8)
                let replica = ReplicaFolder(store.appending("replica"))
                try await replicating(configuration(application.path, .folder(replica.path))) { replicator in
                    try application.write()
                    for _ in 0..<3 {
                        let start = ContinuousClock.now
                        await #expect(throws: ReplicationTimeout.self) {
                            try await replicator.sync(timeout: .milliseconds(300))
                        }
                        let waited = start.duration(to: .now)
                        #expect(waited >= .milliseconds(300) && waited < .seconds(25), "\(waited)")
                    }
                    let status = await replicator.status()
                    #expect(status.lastError?.contains("store") == true && status.replicated == nil)
                    try FileManager.default.removeItem(atPath: store.string)
                    try await replicator.sync(timeout: .seconds(30))
                    #expect(await replicator.status().lastError == nil)
                }
                #expect(replica.highest() > 0)
            }
        }

        @Test("R-42: an idle database whose commits are all on the replica is healthy")
        func health() async throws {
            try await withTemporaryFolder { folder in
                let application = try Application(folder.appending("app.db"), rows: 20)
                let replica = ReplicaFolder(folder.appending("replica"))
                try await replicating(configuration(application.path, .folder(replica.path))) { replicator in
                    try await replicator.sync(timeout: .seconds(30))
                    let status = await replicator.status()
                    #expect(status.isHealthy && status.lastError == nil && status.transaction == status.replicated)
                }
            }
        }

        @Test("R-42: heartbeat-url is asked for while all is well, and only then")
        func heartbeat() async throws {
            try await ScriptedHTTPServer.with { _ in
                .respond(.ok)
            } _: { server in
                try await withTemporaryFolder { folder in
                    let application = try Application(folder.appending("app.db"), rows: 20)
                    let replica = ReplicaFolder(folder.appending("replica"))
                    var configuration = configuration(application.path, .folder(replica.path))
                    (configuration.heartbeatURL, configuration.heartbeatInterval) = (
                        server.endpoint + "/beat?id=1", .milliseconds(100)
                    )
                    try await replicating(configuration) { replicator in
                        try await replicator.sync(timeout: .seconds(30))
                        let count = server.requests.count
                        try await eventually("three beats") { server.requests.count >= count + 3 }
                        #expect(server.requests.allSatisfy { $0.uri == "/beat?id=1" && $0.method == .GET })
                    }
                    let count = server.requests.count
                    try await Task.sleep(for: .milliseconds(400))  // Four intervals in which nothing may come.
                    #expect(server.requests.count == count)
                }
            }
        }

        @Test("The library refuses a database in another journal mode with the pragma that helps")
        func journalMode() async throws {
            try await withTemporaryFolder { folder in
                let path = folder.appending("app.db")
                try SQLiteFile(path).execute("CREATE TABLE item(id INTEGER PRIMARY KEY)")
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let service = try ReplicationService(
                    configuration(path, .folder(folder.appending("r"))),
                    logger: logger
                )
                let error = await #expect(throws: CaptureError.self) { try await service.run() }
                #expect(error?.code == .notInWALMode && error?.message.contains("journal_mode=WAL") == true)
            }
        }
    }
}
