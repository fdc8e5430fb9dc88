import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

extension OneAtATime {
    @Suite("Requirements: what the store is made to hold and send", .timeLimit(.minutes(2)))
    struct StorageCostTests {
        private static let fastLevels = [
            "levels:", "  - interval: 1s", "  - interval: 2s", "  - interval: 4s", "l0-retention: 1s",
            "l0-retention-check-interval: 1s",
        ]

        @Test("R-53: the first copy lies in the store twice at most, at every moment")
        func firstCopy() async throws {
            try await withTemporaryFolder { folder in
                let application = try Application(folder.appending("app.db"), rows: 4000)
                let replica = ReplicaFolder(folder.appending("replica"))
                let process = try Ours.replicate(
                    Litestream.configuration(of: application.path, to: replica.url, global: Self.fastLevels),
                    in: folder
                )
                try await replica.waitForCommit(1, of: process)
                let first = replica.byteCount()
                var most = first
                let end = ContinuousClock.now + .seconds(14)
                while ContinuousClock.now < end {
                    try application.write()
                    for _ in 0..<10 {
                        most = max(most, replica.byteCount())
                        try await Task.sleep(for: .milliseconds(20))  // The pace of the observation.
                    }
                }
                #expect(most < first * 2 + first / 2, "\(most) bytes of a copy of \(first): \(replica.everything())")
                #expect(!replica.names(level: 1).isEmpty, "\(replica.everything())")
                try await process.stopShipped()
                let output = folder.appending("out.db")
                try await Ours.restore(replica.url, to: output)
                #expect(try RestoredDatabase(output).digest == application.digest())
            }
        }

        @Test(
            "R-54: no byte of a source is fetched that lies here; only what was made is read back",
            .enabled(if: Servers.areExpected)
        )
        func sources() async throws {
            try await withTemporaryFolder { folder in
                let server = try await S3TestServer.moto()
                let application = try Application(folder.appending("app.db"), rows: 1000)
                let process = try Ours.replicate(
                    Litestream.configuration(of: application.path, to: server.url("app"), global: Self.fastLevels),
                    in: folder,
                    environment: server.environment
                )
                try await eventually("level 2 is made twice\(process.outputForMessages)", within: .seconds(40)) {
                    try application.write()
                    try await Task.sleep(for: .milliseconds(200))  // The pace of the application.
                    return Set(server.requestLog.filter { $0.contains("PUT /test/app/0002/") }).count >= 2
                }
                try await process.stopShipped()
                let log = server.requestLog
                let fetched = log.filter { $0.contains("\"GET /test/app/0000/") }
                #expect(fetched.isEmpty, "level 0 lies here: \(fetched)")
                for level in 1...3 {
                    let gets = log.filter { $0.contains("\"GET /test/app/000\(level)/") }.compactMap(Self.key)
                    let puts = Set(log.filter { $0.contains("PUT /test/app/000\(level)/") }.compactMap(Self.key))
                    let most = Dictionary(grouping: gets) { $0 }.mapValues(\.count).max { $0.value < $1.value }
                    #expect(Set(gets).isSubset(of: puts), "what this process made is read back, nothing else")
                    #expect((most?.value ?? 0) <= 1, "level \(level): \(most.map { "\($0)" } ?? "")")
                }
                try await server.stop()
            }
        }

        private static func key(_ line: String) -> String? {
            line.split(separator: " ").first { $0.contains("/test/app/") }.map { String($0.prefix { $0 != "?" }) }
        }
    }
}
