import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("The commands databases, ltx, verify and version", .timeLimit(.minutes(2)))
struct ListingTests {
    @Test("databases lists those of the configuration, as a table and as JSON")
    func databases() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("c.yml")
            let text = """
                dbs:
                  - path: /data/one.db
                    replica:
                      path: /backup/one
                  - path: /data/two.db
                    replica:
                      url: s3://bucket/two
                """
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            let table = try await Ours.run(["databases", "-config", file.string]).checked()
            #expect(table.standardOutput == "path          replica\n/data/one.db  file\n/data/two.db  s3\n")
            let json = try await Ours.run(["databases", "-json", "-config", file.string]).checked()
            let rows = try JSONDecoder.snakeCase.decode([[String: String]].self, from: Data(json.standardOutput.utf8))
            #expect(
                rows == [
                    ["path": "/data/one.db", "replica": "file"], ["path": "/data/two.db", "replica": "s3"],
                ]
            )
        }
    }

    private struct Row: Decodable, Equatable {
        var level: Int
        var minTxid: String
        var maxTxid: String
        var size: Int
        var timestamp: String
    }

    @Test("ltx lists the same files as Litestream, level by level and all at once", .enabled(if: Litestream.isExpected))
    func ltx() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let once = ["replicate", "-once", application.path.string, replica.url]
            for _ in 0..<2 {
                try application.write()
                try await Ours.run(once).checked()
            }
            try await Ours.run(once + ["-force-snapshot"]).checked()
            let all = try await Ours.run(["ltx", "-level", "all", "-json", replica.url]).checked()
            let rows = try JSONDecoder.snakeCase.decode([Row].self, from: Data(all.standardOutput.utf8))
            #expect(rows.map(\.level) == [0, 0, 9])
            #expect(rows.map(\.maxTxid) == ["0000000000000001", "0000000000000002", "0000000000000002"])
            for (level, count) in [("0", 2), ("1", 0), ("9", 1)] {
                let ours = try await Ours.run(["ltx", "-json", "-level", level, replica.url]).checked()
                let theirs = try await Litestream.run(["ltx", "-json", "-level", level, replica.url]).checked()
                let listed = try JSONDecoder.snakeCase.decode([Row].self, from: Data(ours.standardOutput.utf8))
                #expect(listed.count == count)
                let expected =
                    try JSONDecoder.snakeCase.decode([Row]?.self, from: Data(theirs.standardOutput.utf8)) ?? []
                #expect(
                    listed.map(\.maxTxid) == expected.map(\.maxTxid) && listed.map(\.size) == expected.map(\.size)
                )
            }
            let table = try await Ours.run(["ltx", replica.url]).checked().standardOutput.split(separator: "\n")
            #expect(
                table.count == 3
                    && table[0].split(separator: " ") == ["level", "min_txid", "max_txid", "size", "created"]
            )
            let old = try await Ours.run(["wal", replica.url]).checked()
            #expect(old.standardError.contains("'ltx'"))
        }
    }

    @Test("verify ends with 0 for a sound replica, 2 for one with a wrong bit or a hole, 1 where it cannot look")
    func verify() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            for _ in 0..<4 {
                try application.write()
                try await Ours.run(["replicate", "-once", application.path.string, replica.url]).checked()
            }
            let sound = try await Ours.run(["verify", replica.url]).checked()
            #expect(sound.standardOutput.contains("4 files") && sound.standardOutput.contains("nothing wrong"))

            let holed = try replica.frozen(at: folder.appending("holed"))
            try FileManager.default.removeItem(atPath: holed.file(holed.names()[2]).string)
            let hole = try await Ours.run(["verify", holed.url])
            #expect(hole.exit.status == .code(2) && hole.standardOutput.contains("0000000000000003"))

            let flipped = try replica.frozen(at: folder.appending("flipped"))
            let name = flipped.names()[1]
            var bytes = try Data(contentsOf: URL(filePath: flipped.file(name).string))
            bytes[bytes.count / 2] ^= 0x10
            try bytes.write(to: URL(filePath: flipped.file(name).string))
            let wrong = try await Ours.run(["verify", "-json", flipped.url])
            #expect(wrong.exit.status == .code(2) && wrong.standardOutput.contains(name), "\(wrong.standardOutput)")
            _ = try JSONSerialization.jsonObject(with: Data(wrong.standardOutput.utf8))

            let missing = try await Ours.run(["verify", "s3://test/app?endpoint=http://127.0.0.1:9&region=us-east-1"])
            #expect(missing.exit.status == .code(1))
        }
    }

    @Test("version tells the version, -verbose more; no command and an unknown one are wrong usage")
    func version() async throws {
        let version = try await Ours.run(["version"]).checked().standardOutput
        #expect(version.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(version)")
        let verbose = try await Ours.run(["version", "-verbose"]).checked().standardOutput
        #expect(verbose.contains("SQLite"))
        #expect(try await Ours.run(["bogus"]).exit.status == .code(64))
        #expect(try await Ours.run([]).exit.status == .code(64))
    }
}
