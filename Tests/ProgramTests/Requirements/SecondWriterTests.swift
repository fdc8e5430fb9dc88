import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Requirements: two writers on one replica", .timeLimit(.minutes(2)))
struct SecondWriterTests {
    @Test(
        "R-05, H4: of two machines that write to one replica at once one is halted, and stays so until a person looks",
        arguments: [Store.folder, .bucket]
    )
    func atOnce(_ store: Store) async throws {
        try await store.withReplica("second") { url, environment in
            try await withTemporaryFolder { folder in
                // The same database and metadata twice, as after cloning a machine.
                var first: Application? = try Application(folder.appending("a.db"), rows: 60)
                try first?.write()
                let path = try #require(first?.path)
                try await Ours.run(["replicate", "-once", path.string, url], environment: environment).checked()
                first?.close()
                first = nil
                try DatabaseFiles.clone(path, to: folder.appending("b.db"))
                let applications = try ["a.db", "b.db"].enumerated().map { index, name in
                    try Application(folder.appending(name), seed: UInt64(index + 7))
                }
                let processes = try applications.map { application in
                    try Ours.replicate(
                        Ours.plainConfiguration(of: application.path, to: url),
                        in: folder,
                        environment: environment,
                        name: "\(application.path.lastComponent?.string ?? "").yml"
                    )
                }
                for process in processes { try await process.waitForOutput(containing: "msg=Attached") }
                try await eventually("one is halted", within: .seconds(40)) {
                    for application in applications { try application.write() }
                    try await Task.sleep(for: .milliseconds(100))  // Writers that are not in step.
                    return processes.contains { $0.standardOutput.contains("Second writer") }
                }
                let halted = try #require(processes.firstIndex { $0.standardOutput.contains("Second writer") })
                let winner = 1 - halted
                #expect(!processes[winner].standardOutput.contains("Second writer"), "only one has lost")
                for _ in 0..<3 { for application in applications { try application.write() } }
                // What was not shipped is not forgotten: its end tells.
                #expect(try await processes[halted].terminate().status == .code(1))
                try await processes[winner].stopShipped()

                let output = folder.appending("out.db")
                try await Ours.restore(url, to: output, environment: environment)
                #expect(try RestoredDatabase(output).digest == applications[winner].digest())

                let again = try Ours.replicate(
                    Ours.plainConfiguration(of: applications[halted].path, to: url),
                    in: folder,
                    environment: environment
                )
                try await again.waitForOutput(containing: "Second writer")
                #expect(try await again.terminate().status == .code(1))
                try await Ours.restore(url, to: output, options: ["-force"], environment: environment)
                #expect(try RestoredDatabase(output).digest == applications[winner].digest())
            }
        }
    }
}

/// A kind of replica.
enum Store: Sendable {
    case folder, bucket

    /// Calls `body` with the URL of a new replica and the environment that leads there.
    func withReplica<Value>(_ name: String, _ body: (String, [String: String?]) async throws -> Value) async throws
        -> Value
    {
        switch self {
        case .folder:
            try await withTemporaryFolder(name) { try await body("file://\($0.appending("replica"))", [:]) }
        case .bucket:
            try await withMoto { server in
                try await body(server.url("\(name)-\(UUID().uuidString.prefix(8))"), server.environment)
            }
        }
    }
}
