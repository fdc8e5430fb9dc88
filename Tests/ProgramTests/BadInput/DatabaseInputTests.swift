import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Bad input: the database", .timeLimit(.minutes(1)))
struct DatabaseInputTests {
    /// Runs both forms of `replicate` on a database that cannot be replicated.
    private func expectRefused(
        _ database: FilePath,
        in folder: FilePath,
        naming words: [String],
        by run: ([String]) async throws -> ChildProcess.Result = { try await Ours.run($0) }
    ) async throws {
        let replica = folder.appending("replica")
        for once in [[], ["-once"]] {
            let result = try await run(["replicate"] + once + [database.string, "file://\(replica)"])
            expectRefusal(result, naming: [database.string] + words)
        }
        #expect(ReplicaFolder(replica).everything().allSatisfy { !$0.hasSuffix(".ltx") })
    }

    @Test("A file that is not SQLite's is named, and stays as it was", arguments: [16, 100, 4096, 100_000])
    func notSQLite(_ byteCount: Int) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("app.db")
            // Noise, as an encrypted database is.
            var generator = SeededGenerator(seed: 9)
            let bytes = Data((0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) })
            try bytes.write(to: URL(filePath: file.string))
            try await expectRefused(file, in: folder, naming: ["not a SQLite database", "encrypted"])
            #expect(try Data(contentsOf: URL(filePath: file.string)) == bytes)
            #expect(!FileManager.default.fileExists(atPath: file.string + "-wal"))
        }
    }

    @Test("A folder in the place of the database is named")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
            try await expectRefused(path, in: folder, naming: ["not a file"])
        }
    }

    @Test(
        "A database that may not be read or written is named",
        .enabled(if: Unprivileged.isPossible),
        arguments: [0o000, 0o444]
    )
    func unreadable(_ mode: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            try Application(path).close()
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.string)
            try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: path.string)
            try await expectRefused(path, in: folder, naming: ["ermission"]) {
                try await Unprivileged.run($0, in: folder)
            }
            // Once the mode is right, nothing that the attempt has left is in the way.
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path.string)
            let replica = folder.appending("replica")
            try await Unprivileged.run(["replicate", "-once", path.string, "file://\(replica)"], in: folder).checked()
        }
    }

    @Test("A database that another program replicates already is named")
    func twice() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let first = try Ours.replicate(Ours.plainConfiguration(of: application.path, to: replica.url), in: folder)
            try await replica.waitForTransaction(above: 0, of: first)
            let other = folder.appending("other")
            let result = try await Ours.run(["replicate", application.path.string, "file://\(other)"])
            expectRefusal(result, naming: [application.path.string, "replicated"])
            try application.write()
            try await replica.waitForCommit(application.commits, of: first)
            try await first.stopShipped()
        }
    }

    @Test("A database in another journal mode is switched to WAL, and that is said")
    func journalMode() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            let connection = try SQLiteFile(path)
            try connection.execute("CREATE TABLE item(id INTEGER PRIMARY KEY); INSERT INTO item VALUES (1)")
            let replica = ReplicaFolder(folder.appending("replica"))
            let result = try await Ours.run(["replicate", "-once", path.string, replica.url]).checked()
            #expect(result.standardOutput.contains("switched to WAL"))
            #expect(try SQLiteFile(path).scalar("PRAGMA journal_mode")?.text == "wal")
            try await Ours.restore(replica.url, to: folder.appending("out.db"))
            #expect(try SQLiteFile.contentDigest(of: folder.appending("out.db")) == connection.contentDigest())
        }
    }
}
