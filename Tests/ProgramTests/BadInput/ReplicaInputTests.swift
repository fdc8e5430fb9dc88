import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Bad input: the replica", .timeLimit(.minutes(2)))
struct ReplicaInputTests {
    /// Runs the commands that read a replica, and expects that each names what is wrong and writes nothing.
    private func expectRefused(
        _ replica: String,
        in folder: FilePath,
        environment: [String: String?] = [:],
        naming words: [String]
    ) async throws {
        let output = folder.appending("out.db")
        let result = try await Ours.run(["restore", "-o", output.string, replica], environment: environment)
        expectRefusal(result, naming: words)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
        #expect(names.allSatisfy { !$0.hasPrefix("out") }, "\(names)")
    }

    @Test("An empty replica, one that does not exist, and one with foreign files only are named")
    func empty() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            try await expectRefused(replica.url, in: folder, naming: [replica.path.string])
            let level = folder.appending("replica/ltx/0")
            try FileManager.default.createDirectory(atPath: level.string, withIntermediateDirectories: true)
            try await expectRefused(replica.url, in: folder, naming: [replica.path.string])
            try "hello".write(toFile: level.appending("readme.txt").string, atomically: true, encoding: .utf8)
            try await expectRefused(replica.url, in: folder, naming: [replica.path.string])
        }
    }

    @Test("A replica whose files are no transaction files is refused with the file's name")
    func garbage() async throws {
        try await withTemporaryFolder { folder in
            let level = folder.appending("replica/ltx/0")
            try FileManager.default.createDirectory(atPath: level.string, withIntermediateDirectories: true)
            let name = "0000000000000001-0000000000000001.ltx"
            for text in ["", "hello", String(repeating: "x", count: 5000)] {
                try text.write(toFile: level.appending(name).string, atomically: true, encoding: .utf8)
                try await expectRefused("file://\(folder.appending("replica"))", in: folder, naming: [name])
            }
        }
    }

    @Test("A server that is not there is named, with the bucket")
    func unreachable() async throws {
        try await withTemporaryFolder { folder in
            let keys: [String: String?] = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]
            let url = "s3://test/app?endpoint=http://127.0.0.1:9&forcePathStyle=true&region=us-east-1"
            try await expectRefused(url, in: folder, environment: keys, naming: ["test", "127.0.0.1:9"])
        }
    }

    @Test("No credentials at all are named")
    func noCredentials() async throws {
        try await withTemporaryFolder { folder in
            let url = "s3://test/app?endpoint=http://127.0.0.1:9&forcePathStyle=true&region=us-east-1"
            let none: [String: String?] = ["AWS_SHARED_CREDENTIALS_FILE": folder.appending("none").string]
            try await expectRefused(url, in: folder, environment: none, naming: ["AWS_ACCESS_KEY_ID"])
        }
    }

    @Test("Wrong credentials and a missing bucket are named; no secret is", .enabled(if: Servers.areExpected))
    func wrongCredentials() async throws {
        try await withGateway { server in
            try await withTemporaryFolder { folder in
                let secret = "not-the-right-secret"
                for id in ["minioadmin", "unknown-key"] {
                    let keys: [String: String?] = ["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret]
                    let url = server.url("wrong")
                    try await expectRefused(url, in: folder, environment: keys, naming: [server.bucket, "key"])
                    let result = try await Ours.run(["restore", "-o", "/tmp/out.db", url], environment: keys)
                    #expect(!(result.standardError + result.standardOutput).contains(secret))
                }
                let bucket = "s3://no-such-bucket/app?endpoint=\(server.endpoint)&forcePathStyle=true&region=us-east-1"
                try await expectRefused(
                    bucket,
                    in: folder,
                    environment: server.environment,
                    naming: ["no-such-bucket"]
                )
            }
        }
    }

    @Test("replicate with wrong credentials says so, captures on, and ends with 1", .enabled(if: Servers.areExpected))
    func replicateWithWrongCredentials() async throws {
        try await withGateway { server in
            try await withTemporaryFolder { folder in
                let application = try Application(folder.appending("app.db"))
                let process = try Ours.replicate(
                    Ours.plainConfiguration(
                        of: application.path,
                        to: server.url("wrong"),
                        global: ["shutdown-sync-timeout: 1s"]
                    ),
                    in: folder,
                    environment: ["AWS_ACCESS_KEY_ID": "unknown-key", "AWS_SECRET_ACCESS_KEY": "wrong"]
                )
                try await process.waitForOutput(containing: "Shipping failed")
                let line = process.standardOutput.split(separator: "\n").first { $0.contains("Shipping failed") } ?? ""
                #expect(line.contains(server.bucket) && line.contains("key"), "\(line)")
                try application.write()
                let exit = try await process.terminate()
                #expect(exit.status == .code(1), "\(exit)\(process.outputForMessages)")
            }
        }
    }

    @Test("A full disk ends a restore with one line, and leaves nothing or what was there")
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"), rows: 2000)
            let replica = ReplicaFolder(folder.appending("replica"))
            try await Ours.run(["replicate", "-once", application.path.string, replica.url]).checked()
            let shims = folder.appending("shim")
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: true)
            let shim = try await FaultShim(in: shims)
            let output = folder.appending("out.db")
            for fault in [FaultShim.Rule.Fault.error("ENOSPC"), .torn("ENOSPC"), .error("EDQUOT")] {
                try shim.set([.init(fault, count: 0, calls: ["write"], pathPrefixes: [output])])
                try await expectRefused(
                    replica.url,
                    in: folder,
                    environment: shim.environment,
                    naming: [output.string, "full"]
                )
                #expect(try shim.counts()[0].injected > 0)
            }
            // Every call that changes a file, one after the other, with another error.
            var at: UInt64 = 1
            while true {
                try shim.set([.init(.error("EIO"), at: at, count: 0, pathPrefixes: [output])])
                let result = try await Ours.run(
                    ["restore", "-o", output.string, replica.url],
                    environment: shim.environment
                )
                guard try shim.counts()[0].injected > 0 else { break }
                expectRefusal(result, naming: [output.string])
                #expect(!FileManager.default.fileExists(atPath: output.string), "at call \(at)")
                // Its removal failed too, at times.
                try? FileManager.default.removeItem(atPath: output.string + ".tmp")
                at += at < 4 ? 1 : 7
            }
            #expect(at > 3)
            #expect(try DatabaseImage(file: output) == application.image())
        }
    }
}
