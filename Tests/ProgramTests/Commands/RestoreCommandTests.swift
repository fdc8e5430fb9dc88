import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("The command restore", .timeLimit(.minutes(2)))
struct RestoreCommandTests {
    /// A replica with three transactions, and what the database was after each of them.
    private struct Fixture {
        let folder: FilePath
        let database: FilePath
        let replica: ReplicaFolder
        /// By transaction, from 1.
        private(set) var states: [DatabaseImage] = []

        init(in folder: FilePath) async throws {
            self.folder = folder
            let application = try Application(folder.appending("app.db"))
            (database, replica) = (application.path, ReplicaFolder(folder.appending("replica")))
            for _ in 0..<3 {
                if !states.isEmpty { try application.write() }
                try await Ours.run(["replicate", "-once", database.string, replica.url]).checked()
                states.append(try application.image())
            }
            application.close()
        }

        func run(_ arguments: String..., output: String = "out.db") async throws -> ChildProcess.Result {
            let common = ["-o", folder.appending(output).string, replica.url]
            return try await Ours.run(["restore"] + arguments + common, directory: folder)
        }

        func image(_ output: String = "out.db") throws -> DatabaseImage {
            try DatabaseImage(file: folder.appending(output))
        }

        func write(_ text: String, to name: String) throws {
            try text.write(toFile: folder.appending(name).string, atomically: false, encoding: .utf8)
        }

        func text(_ name: String) -> String? {
            try? String(contentsOfFile: folder.appending(name).string, encoding: .utf8)
        }

        /// All names in the folder that begin like the output.
        func outputs() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.string).filter { $0.hasPrefix("out") }.sorted()
        }
    }

    @Test("A transaction, a time and the latest state are what they were")
    func targets() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            try await fixture.run().checked()
            #expect(try fixture.image() == fixture.states[2])
            for txid in 1...3 {
                try await fixture.run("-txid", "\(txid)", output: "\(txid).db").checked()
                #expect(try fixture.image("\(txid).db") == fixture.states[txid - 1])
            }
            let rows = try await listing(of: fixture)
            #expect(rows.count == 3)
            // A moment after transaction 2 and not after 3.
            try await fixture.run("-timestamp", rows[2].timestamp, output: "time.db").checked()
            #expect(try fixture.image("time.db") == fixture.states[1])
            let early = try await fixture.run("-timestamp", "2001-01-01T00:00:00Z", output: "early.db")
            #expect(early.exit.status == .code(1) && early.standardError.oneLine.contains("2001-01-01"))
            let beyond = try await fixture.run("-txid", "99", output: "beyond.db")
            #expect(beyond.exit.status == .code(1) && beyond.standardError.oneLine.contains("0000000000000099"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.string).allSatisfy {
                    !$0.hasPrefix("beyond")
                }
            )
        }
    }

    @Test("An output that exists is refused, an empty one replaced, a folder refused; -force replaces")
    func existing() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            try fixture.write("", to: "out.db")
            try await fixture.run().checked()
            #expect(try fixture.image() == fixture.states[2])

            try fixture.write("precious", to: "out.db")
            let refused = try await fixture.run()
            #expect(refused.exit.status == .code(1) && refused.standardError.oneLine.contains("out.db"))
            #expect(fixture.text("out.db") == "precious")
            #expect(try fixture.outputs() == ["out.db"])

            try fixture.write("old", to: "out.db-wal")
            try await fixture.run("-force").checked()
            #expect(try fixture.image() == fixture.states[2])
            #expect(try fixture.outputs() == ["out.db"])

            try FileManager.default.createDirectory(
                atPath: folder.appending("out2").string,
                withIntermediateDirectories: true
            )
            for force in [[], ["-force"]] {
                let result = try await Ours.run(
                    ["restore"] + force + ["-o", folder.appending("out2").string, fixture.replica.url]
                )
                #expect(result.exit.status == .code(1) && result.standardError.oneLine.contains("out2"))
            }
        }
    }

    @Test("-force with a restore that fails leaves the old database as it was")
    func failedForce() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            try fixture.write("precious", to: "out.db")
            try fixture.write("too", to: "out.db-wal")
            let last = fixture.replica.file(try #require(fixture.replica.names().last))
            try Data(contentsOf: URL(filePath: last.string)).dropLast(3).write(to: URL(filePath: last.string))
            let result = try await fixture.run("-force")
            #expect(result.exit.status == .code(1))
            #expect(fixture.text("out.db") == "precious" && fixture.text("out.db-wal") == "too")
            #expect(try fixture.outputs() == ["out.db", "out.db-wal"])
        }
    }

    @Test(
        "R-75: a file beside the output that SQLite would take for a part of it is refused, or removed with -force",
        arguments: ["-wal", "-shm", "-journal"]
    )
    func leftovers(_ ending: String) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            try fixture.write("old", to: "out.db\(ending)")
            let refused = try await fixture.run()
            #expect(refused.exit.status == .code(1) && refused.standardError.oneLine.contains("out.db\(ending)"))
            #expect(try fixture.outputs() == ["out.db\(ending)"])
            try await fixture.run("-force").checked()
            #expect(try fixture.outputs() == ["out.db"])
            #expect(try fixture.image() == fixture.states[2])
        }
    }

    @Test("-if-db-not-exists leaves an output alone, an empty one too; -if-replica-exists accepts an empty replica")
    func conditions() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            for text in ["precious", ""] {
                try fixture.write(text, to: "out.db")
                try await fixture.run("-if-db-not-exists").checked()
                #expect(fixture.text("out.db") == text)
            }
            let none = "file://\(folder.appending("none"))"
            let output = folder.appending("none.db")
            let refused = try await Ours.run(["restore", "-o", output.string, none])
            #expect(refused.exit.status == .code(1) && refused.standardError.oneLine.contains("none"))
            try await Ours.run(["restore", "-if-replica-exists", "-o", output.string, none]).checked()
            #expect(!FileManager.default.fileExists(atPath: output.string))
        }
    }

    @Test("-dry-run tells the plan and writes nothing; -json tells both as JSON; the output's folders are made (R-77)")
    func plans() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            struct Plan: Decodable {
                struct File: Decodable {
                    var level: Int, name: String, minTxid: String, maxTxid: String, size: Int, timestamp: String
                }
                var source: String, targetPath: String, replica: String, minTxid: String, maxTxid: String,
                    files: [File]
            }
            let dry = try await fixture.run("-dry-run", "-json").checked()
            let plan = try JSONDecoder.snakeCase.decode(Plan.self, from: Data(dry.standardOutput.utf8))
            #expect(plan.files.count == 3 && plan.maxTxid == "0000000000000003" && plan.replica == "file")
            #expect(plan.targetPath == folder.appending("out.db").string && plan.source == fixture.replica.url)
            let text = try await fixture.run("-dry-run", "-txid", "2").checked()
            #expect(text.standardOutput.contains("0000000000000001 - 0000000000000002"))
            #expect(try fixture.outputs().isEmpty)

            struct Done: Decodable {
                var dbPath: String, replica: String, txid: String, durationMs: Int, integrityCheck: String
            }
            let done = try await fixture.run("-json", "-integrity-check", "full", output: "out/deep/app.db").checked()
            let answer = try JSONDecoder.snakeCase.decode(Done.self, from: Data(done.standardOutput.utf8))
            #expect(answer.txid == "0000000000000003" && answer.integrityCheck == "full" && answer.replica == "file")
            #expect(try fixture.image("out/deep/app.db") == fixture.states[2])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.appending("out/deep").string) == ["app.db"]
            )
        }
    }

    @Test("A database of the configuration is restored to its own path; another one is refused by name")
    func configured() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try await Fixture(in: folder)
            for ending in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: fixture.database.string + ending)  // As after a lost disk.
            }
            let file = folder.appending("c.yml")
            try Litestream.configuration(of: fixture.database, to: fixture.replica.url)
                .write(toFile: file.string, atomically: true, encoding: .utf8)
            try await Ours.run(["restore", "-config", file.string, fixture.database.string]).checked()
            #expect(try DatabaseImage(file: fixture.database) == fixture.states[2])
            let other = try await Ours.run(["restore", "-config", file.string, "/nowhere.db"])
            #expect(other.exit.status == .code(1) && other.standardError.oneLine.contains("/nowhere.db"))
        }
    }

    private struct Row: Decodable { var timestamp: String }

    private func listing(of fixture: Fixture) async throws -> [Row] {
        let result = try await Ours.run(["ltx", "-json", fixture.replica.url]).checked()
        return try JSONDecoder.snakeCase.decode([Row].self, from: Data(result.standardOutput.utf8))
    }
}
