import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Requirements: the database file is replaced", .timeLimit(.minutes(1)))
struct ReplacedFileTests {
    @Test(
        "R-06: a database that is replaced while the program runs is noticed, copied whole, and followed",
        arguments: [5, 60, 600]
    )
    func replaced(_ rows: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            var old: Application? = try Application(path, rows: 60)
            let replica = ReplicaFolder(folder.appending("replica"))
            let process = try Ours.replicate(Ours.plainConfiguration(of: path, to: replica.url), in: folder)
            try old?.write()
            try await replica.waitForCommit(2, of: process)
            old?.close()
            old = nil

            let source = folder.appending("new.db")
            let new = try Application(source, rows: rows, seed: 5)
            for _ in 0..<4 { try new.write() }
            try new.connection.checkpoint(.truncate)
            new.close()
            for ending in ["-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: path.string + ending)  // The program may keep them open.
                try? FileManager.default.removeItem(atPath: source.string + ending)
            }
            #expect(rename(source.string, path.string) == 0)

            let application = try Application(path, seed: 6)
            for _ in 0..<3 { try application.write() }
            try await replica.waitForCommit(application.commits, of: process)
            #expect(process.standardOutput.contains("replaced"), "\(process.outputForMessages)")
            try application.write()
            try await process.stopShipped()
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try RestoredDatabase(output).digest == application.digest())
        }
    }

    @Test("A database that is removed and made anew is followed, too")
    func removed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db")
            let replica = ReplicaFolder(folder.appending("replica"))
            let process = try Ours.replicate(Ours.plainConfiguration(of: path, to: replica.url), in: folder)
            // There is none at first: the program waits for it.
            try await process.waitForOutput(containing: "Waiting for the database")
            var application = try Application(path, rows: 60)
            try await replica.waitForCommit(1, of: process)
            application.close()
            DatabaseFiles.remove(path)
            application = try Application(path, rows: 30, seed: 3)
            for _ in 0..<4 { try application.write() }
            try await replica.waitForCommit(application.commits, of: process)
            try await process.stopShipped()
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try RestoredDatabase(output).digest == application.digest())
        }
    }
}
