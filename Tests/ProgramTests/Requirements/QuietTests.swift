import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

extension OneAtATime {
    @Suite("Requirements: what a quiet database costs", .enabled(if: Servers.areExpected), .timeLimit(.minutes(3)))
    struct QuietTests {
        /// How long it is watched; `QUIET_SECONDS` sets it.
        private static let seconds = ProcessInfo.processInfo.environment["QUIET_SECONDS"].flatMap { Double($0) } ?? 20

        @Test("R-50, R-51: once nothing is due, no request is sent, no thread wakes, and nothing is computed")
        func quiet() async throws {
            try await withTemporaryFolder { folder in
                let server = try await S3TestServer.moto()
                let application = try Application(folder.appending("app.db"), rows: 8000)
                let process = try Ours.replicate(
                    Litestream.configuration(
                        of: application.path,
                        to: server.url("app"),
                        global: [
                            "levels:", "  - interval: 1s", "  - interval: 2s", "l0-retention: 2s",
                            "l0-retention-check-interval: 1s",
                        ]
                    ),
                    in: folder,
                    environment: server.environment
                )
                try await waitForReplica(server.url("app"), commit: 1, of: process, environment: server.environment)
                for _ in 0..<5 { try application.write(rows: 5) }
                try await waitForReplica(
                    server.url("app"),
                    commit: application.commits,
                    of: process,
                    environment: server.environment
                )
                // Merging and retention are over when requests have stopped for longer than any interval.
                var (count, since) = (server.requestCount, ContinuousClock.now)
                try await eventually("requests stop", within: .seconds(60)) {
                    if server.requestCount != count { (count, since) = (server.requestCount, .now) }
                    return since.duration(to: .now) > .seconds(5)
                }
                let before = try ProcessStatistics(of: process.processID)
                // A watched span of time, not a wait for something.
                try await Task.sleep(for: .seconds(Self.seconds))
                let after = try ProcessStatistics(of: process.processID)
                #expect(server.requestCount == count, "\(server.requestLog.suffix(5))")
                let switches = after.voluntaryContextSwitches - before.voluntaryContextSwitches
                // Twelve a minute; a shorter span has its share, and what ends once, such as idle connections.
                #expect(Double(switches) <= 6 + 6 * Self.seconds / 60, "\(switches) in \(Self.seconds) s")
                #expect(after.cpuSeconds - before.cpuSeconds <= 0.02 + Self.seconds / 1000)
                print(
                    "quiet for \(Self.seconds) s: \(switches) context switches, \(after.residentBytes >> 20) MiB resident"
                )

                // It is not asleep for good.
                try application.write()
                try await waitForReplica(
                    server.url("app"),
                    commit: application.commits,
                    of: process,
                    environment: server.environment
                )
                try await process.stopShipped()
                try await server.stop()
            }
        }
    }
}

extension S3TestServer {
    /// The requests that moto has answered, as it logs them.
    var requestLog: [String] {
        process.standardError.split(separator: "\n").map(String.init).filter { $0.contains(" HTTP/1.1\"") }
    }

    /// Their number.
    var requestCount: Int { requestLog.count }
}
