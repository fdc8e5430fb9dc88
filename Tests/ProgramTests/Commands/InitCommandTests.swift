import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("The command init", .timeLimit(.minutes(1)))
struct InitCommandTests {
    @Test("init makes the tables, adds users and lists them; what is there stays")
    func users() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db").string
            let empty = try await Ours.run(["init", path]).checked()
            #expect(empty.standardOutput == "\(path) is ready; it has no users yet.\n")
            let table = try await Ours.run(["init", path, "-user", "Ada:ada@example.org", "--user", "B. C.:b@c.de"])
                .checked()
            #expect(
                table.standardOutput == """
                    id  name   email
                    1   Ada    ada@example.org
                    2   B. C.  b@c.de

                    """
            )
            let json = try await Ours.run(["init", path, "-json"]).checked()
            let rows = try JSONSerialization.jsonObject(with: Data(json.standardOutput.utf8)) as? [[String: Any]]
            #expect(rows?.compactMap { $0["email"] as? String } == ["ada@example.org", "b@c.de"])
            #expect(try SQLiteFile(FilePath(path), .init(creates: false)).scalar("PRAGMA journal_mode") == .text("wal"))
        }
    }

    @Test("A user that is none, and a place where no database can be, are refused in a line")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("app.db").string
            for user in ["Ada", ":a@b", "Ada:", ""] {
                let wrong = try await Ours.run(["init", path, "-user", user])
                #expect(wrong.exit.status == .code(64) && wrong.standardError.contains("is not NAME:EMAIL"))
                #expect(!FileManager.default.fileExists(atPath: path))
            }
            let nowhere = try await Ours.run(["init", folder.appending("none/app.db").string])
            #expect(nowhere.exit.status == .code(1) && nowhere.standardError.contains("none/app.db cannot be opened"))
            #expect(nowhere.standardError.split(separator: "\n").count == 1)
        }
    }
}
