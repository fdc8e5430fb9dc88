import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Bad input: the configuration", .timeLimit(.minutes(1)))
struct ConfigurationInputTests {
    @Test(
        "A configuration that cannot be used ends with one line that names the file, the place and the fault",
        arguments: [
            ("dbs: [", ["c.yml:"]), ("dbs:\n\t- path: a", ["c.yml:2"]),
            ("dbs:\n  - path: /a.db\n    replica:\n      pth: /b\n", ["c.yml:4:7", "'pth'", "'path'"]),
            ("dbs:\n  - path: /a.db\n", ["c.yml:2", "replica"]),
            ("dbs:\n  - path: /a.db\n    replica:\n      url: ftp://x/y\n", ["c.yml:4", "ftp"]),
            ("snapshot:\n  interval: often\n", ["c.yml:2", "interval"]),
            ("exec: sleep 1 | cat\n", ["c.yml:1", "exec", "needs a shell"]), ("dbs: 7\n", ["c.yml:1", "dbs"]),
        ]
    )
    func malformed(_ text: String, _ words: [String]) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("c.yml")
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            for command in [["replicate"], ["databases"], ["restore", "/a.db"]] {
                let arguments = command.prefix(1) + ["-config", file.string] + command.dropFirst()
                expectRefusal(try await Ours.run(Array(arguments)), naming: words)
            }
        }
    }

    @Test("A configuration file that is missing, a folder, or not readable is named")
    func unreadable() async throws {
        try await withTemporaryFolder { folder in
            let missing = folder.appending("none.yml")
            expectRefusal(try await Ours.run(["replicate", "-config", missing.string]), naming: [missing.string])
            expectRefusal(try await Ours.run(["replicate", "-config", folder.string]), naming: [folder.string])
            let secret = folder.appending("secret.yml")
            try "dbs: []".write(toFile: secret.string, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret.string)
            expectRefusal(
                try await Unprivileged.run(["replicate", "-config", secret.string], in: folder),
                naming: [secret.string]
            )
        }
    }

    @Test("R-15: keys for encryption are refused, not ignored", arguments: ["identities", "recipients"])
    func age(_ key: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending("c.yml")
            let text = """
                dbs:
                  - path: \(folder.appending("app.db"))
                    replica:
                      path: \(folder.appending("replica"))
                      age:
                        \(key): [age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgp]
                """
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            expectRefusal(try await Ours.run(["replicate", "-config", file.string]), naming: ["c.yml:5", "age"])
            #expect(!FileManager.default.fileExists(atPath: folder.appending("replica").string))
        }
    }
}
