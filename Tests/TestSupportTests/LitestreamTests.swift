import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("The real Litestream", .enabled(if: Litestream.isExpected), .timeLimit(.minutes(2)))
struct LitestreamTests {
    @Test("What it has synced, it restores with equal content")
    func roundTrip() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.appending("app.db")
            let replica = "file://\(folder.appending("replica"))"
            let workload = try RandomWorkload(at: database, seed: 3)
            let litestream = try Litestream.replicate(
                configuration: Litestream.configuration(of: database, to: replica),
                in: folder
            )
            for _ in 0..<30 { try workload.step() }
            try await litestream.sync(database)
            #expect(try await litestream.stop().isSuccess)
            let output = folder.appending("restored.db")
            try await Litestream.restore(replica, to: output)
            #expect(try SQLiteFile.contentDigest(of: output) == workload.contentDigest())
        }
    }

    @Test("A restore that fails throws its words")
    func failure() async throws {
        try await withTemporaryFolder { folder in
            let error = await #expect(throws: TestSupportError.self) {
                try await Litestream.restore("file://\(folder)/none", to: folder.appending("out.db"))
            }
            #expect(error?.message.contains("no matching backup") == true)
        }
    }
}
