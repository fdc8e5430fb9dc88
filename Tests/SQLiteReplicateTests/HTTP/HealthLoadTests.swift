import Cluster
import Foundation
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

/// Runs where `HEALTH_LOAD` is set to a number of seconds and Debian's `hey` is installed; its figure is one for people.
@Suite(.timeLimit(.minutes(10))) struct HealthLoadTests {
    private static let seconds = ProcessInfo.processInfo.environment["HEALTH_LOAD"].flatMap { Int($0) }

    @Test(
        "1,000 requests a second are all answered, 99 % of them within 20 ms",
        .enabled(if: seconds != nil),
        arguments: ["/health", "/metrics"]
    )
    func load(path: String) async throws {
        try await withTemporaryFolder { folder in
            let database = try await AppDatabase(at: folder.appending("app.db"), creates: true)
            let server = HealthServer(HealthServerSettings(port: 0), node: TestNode(), logger: .silent) {
                do {
                    try await database.check()
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            try await withServer(server) { url in
                let seconds = Self.seconds ?? 1
                let result = try await ChildProcess.run(
                    "/usr/bin/hey",
                    ["-z", "\(seconds)s", "-c", "10", "-q", "100", url + path],
                    within: .seconds(seconds + 30)
                ).checked()
                let text = result.standardOutput
                print(path, text.split(separator: "\n").filter { $0.contains("% in") || $0.contains("Requests/sec") })
                let answers = try #require(text.firstMatch(of: /\[200\]\s+(\d+) responses/)?.1)
                #expect(Int(answers) ?? 0 >= seconds * 900 && !text.contains("Error distribution"))
                #expect(text.ranges(of: /\[\d+\]\s+\d+ responses/).count == 1)
                let slowest = try #require(text.firstMatch(of: /99% in ([\d.]+) secs/)?.1)
                #expect(Double(slowest) ?? 1 <= 0.020)
            }
            try await database.close()
        }
    }
}
