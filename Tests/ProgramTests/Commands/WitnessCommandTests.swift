import Cluster
import Foundation
import ObjectStorage
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// The witness as a user runs it.
@Suite("The command witness", .timeLimit(.minutes(5)))
struct WitnessCommandTests {
    private static let watched = ClusterID(rawValue: 0xC1)

    private struct Status: Decodable {
        struct Cell: Decodable {
            var cluster: String
            var revision: String?
            var size: Int
            var changed: String
        }
        var place: String
        var witness: String?
        var version: String?
        var well: Bool
        var cells: [Cell]
    }

    /// A witness that runs.
    private struct Running {
        let process: ChildProcess
        let url: String

        var client: WitnessClient { WitnessClient(url: url, within: .seconds(20)) }
        var cell: WitnessCell { client.cell(of: watched) }
    }

    private func start(
        in folder: FilePath,
        _ flags: [String] = [],
        environment: [String: String?] = [:]
    ) async throws -> Running {
        let port = try await freePort()
        let process = try ChildProcess(
            Ours.executable,
            ["witness", "-data", folder.appending("witness.db").string, "-listen", "127.0.0.1:\(port)"]
                + ["-log-level", "debug"] + flags,
            environment: Ours.environment.merging(environment) { $1 }
        )
        try await process.waitForOutput(containing: "Witness listens")
        let isSecure = flags.contains("-certificate")
        return Running(process: process, url: "\(isSecure ? "https" : "http")://127.0.0.1:\(port)")
    }

    private func text(_ cell: WitnessCell) async throws -> String {
        String(decoding: try await cell.read().bytes, as: UTF8.self)
    }

    @Test("It runs until SIGTERM, ends with 0, and is shown by status meanwhile")
    func life() async throws {
        try await withTemporaryFolder { folder in
            let token = folder.appending("token")
            try Data("c0rrect-horse\n".utf8).write(to: URL(filePath: token.string))
            let witness = try await start(in: folder, ["-token-file", token.string])
            let empty = try await Ours.run(["witness", "status", witness.url, "-token-file", token.string]).checked()
            #expect(empty.standardOutput.contains("state    well") && empty.standardOutput.contains("holds no cells"))
            let client = WitnessClient(url: witness.url, token: Secret("c0rrect-horse"))
            let version = try await client.cell(of: Self.watched).put(Array("one".utf8), replacing: nil)

            let arguments = ["witness", "status", witness.url, "-token-env", "WITNESS_TOKEN"]
            let environment: [String: String?] = ["WITNESS_TOKEN": "c0rrect-horse"]
            let table = try await Ours.run(arguments, environment: environment).checked().standardOutput
            for words in ["witness  \(witness.url)", "cluster           size", "\(Self.watched)  3"] {
                #expect(table.contains(words), "'\(words)' is missing in: \(table)")
            }
            let json = try await Ours.run(arguments + ["-json"], environment: environment).checked().standardOutput
            let status = try JSONDecoder.snakeCase.decode(Status.self, from: Data(json.utf8))
            #expect(status.well && status.place == witness.url && status.witness?.utf8.count == 16)
            #expect(status.cells.map(\.cluster) == [Self.watched.description] && status.cells.map(\.size) == [3])
            #expect(status.cells.first?.revision.map { "\"\($0)\"" } == version?.rawValue)

            let wrong = try await Ours.run(arguments, environment: ["WITNESS_TOKEN": "wr0ng-battery"])
            expectRefusal(wrong, code: 4, naming: ["does not take the token"])
            expectRefusal(try await Ours.run(["witness", "status", witness.url]), code: 4, naming: ["wants a token"])
            let second = try await Ours.run([
                "witness", "-data", folder.appending("witness.db").string, "-listen", ":0",
                "-token-file", token.string,
            ])
            #expect(second.exit.status == .code(1) && second.standardError.contains("open in another process"))

            #expect(try await witness.process.terminate().isSuccess, "\(witness.process.outputForMessages)")
            let said = witness.process.standardOutput + witness.process.standardError + table + json
            #expect(said.contains("http.path") && !said.contains("c0rrect") && !said.contains("wr0ng"))
            let gone = try await Ours.run(arguments, environment: environment)
            expectRefusal(gone, naming: ["is not reached"])
        }
    }

    @Test("With a certificate it speaks TLS, and status trusts what it is told to")
    func secure() async throws {
        try await withTemporaryFolder { folder in
            let (certificate, key) = (folder.appending("witness.pem").string, folder.appending("witness.key").string)
            let request = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=witness", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ]
            try await ChildProcess.run("openssl", request).checked()
            let witness = try await start(in: folder, ["-certificate", certificate, "-key", key])
            let status = ["witness", "status", witness.url]
            try await Ours.run(status + ["-certificate-authorities", certificate]).checked()
            expectRefusal(try await Ours.run(status), naming: ["no certificate that is trusted"])
            #expect(try await witness.process.terminate().isSuccess)
        }
    }

    @Test("What was acknowledged is there after kill -9 in the middle of swaps")
    func killed() async throws {
        var random = SeededGenerator.announced(for: "the moments of death")
        try await withTemporaryFolder { folder in
            var (last, version): (Int, LeaseVersion?) = (0, nil)
            var tags: Set<String> = []
            for round in 0..<10 {
                let witness = try await start(in: folder)
                if round > 0 {
                    let there = try await witness.cell.read()
                    let number = try #require(Int(String(decoding: there.bytes, as: UTF8.self)))
                    // The last one that was acknowledged, or the one that was under way.
                    #expect(number == last || number == last + 1, "round \(round): \(number) after \(last)")
                    #expect((number == last) == (there.version == version), "round \(round)")
                    (last, version) = (number, there.version)
                    if let version { tags.insert(version.rawValue) }
                }
                let wanted = last + Int.random(in: 1...40, using: &random)
                let delay = Duration.microseconds(Int.random(in: 0...3000, using: &random))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    while true {
                        do throws(ObjectStoreError) {
                            version = try await witness.cell.put(Array("\(last + 1)".utf8), replacing: version)
                        } catch {
                            #expect(error.code == .outcomeUnknown || error.code == .unreachable, "\(error)")
                            break
                        }
                        last += 1
                        let tag = try #require(version).rawValue
                        #expect(tags.insert(tag).inserted, "\(tag) was given before")
                        guard last == wanted else { continue }
                        group.addTask {
                            // The next swaps are under way by then.
                            try await Task.sleep(for: delay)
                            try await witness.process.kill()
                        }
                    }
                    try await group.waitForAll()
                }
            }
            print("killed ten times: \(last) swaps, \(tags.count) tags")
        }
    }

    @Test("Each answer to a write comes behind a sync of what was written")
    func synced() async throws {
        try await withTemporaryFolder { folder in
            let shims = folder.appending("shim")
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: false)
            let shim = try await FaultShim(in: shims)
            let witness = try await start(in: folder, environment: shim.environment)
            try shim.set([FaultShim.Rule(.count, calls: ["fsync", "fdatasync"], pathSuffixes: ["-wal"])])
            var version: LeaseVersion?
            for number in 1...20 as ClosedRange<UInt64> {
                version = try await witness.cell.put(Array("\(number)".utf8), replacing: version)
                let count = try #require(try shim.counts().first).matching
                #expect(count >= number, "\(number) writes, \(count) syncs")
            }
            #expect(try await witness.process.terminate().isSuccess)
        }
    }

    @Test(
        "A disk that refuses makes a swap 503 and the health too, changes nothing, and is forgotten when it works again"
    )
    func brokenDisk() async throws {
        try await withTemporaryFolder { folder in
            let shims = folder.appending("shim")
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: false)
            let shim = try await FaultShim(in: shims)
            let witness = try await start(in: folder, environment: shim.environment)
            var version = try await witness.cell.put(Array("one".utf8), replacing: nil)
            for rule in [
                FaultShim.Rule(.error("EIO"), count: 0, calls: ["fsync", "fdatasync"], pathSuffixes: ["-wal"]),
                FaultShim.Rule(.error("ENOSPC"), count: 0, calls: ["write"], pathSuffixes: ["-wal"]),
            ] {
                try shim.set([rule])
                let error = await #expect(throws: ObjectStoreError.self) {
                    try await witness.cell.put(Array("lost".utf8), replacing: version)
                }
                #expect(error?.code == .outcomeUnknown && error?.message.contains("503") == true, "\(error as Any)")
                #expect(error?.message.contains("read the cell") == true)
                #expect(try await text(witness.cell) == "one")
                try shim.set([])
                // The one who had asked reads, and tries again.
                let read = try await witness.cell.read()
                #expect(read.version == version)
                version = try await witness.cell.put(Array("one".utf8), replacing: read.version)
            }
            try shim.set([FaultShim.Rule(.error("EIO"), count: 0, calls: ["write"], pathSuffixes: ["-wal"])])
            #expect(try await witness.client.trouble()?.contains("does not work") == true)
            let status = try await Ours.run(["witness", "status", witness.url])
            #expect(status.exit.status == .code(1) && status.standardOutput.contains("in trouble"))
            try shim.set([])
            try await eventually("well again", within: .seconds(60)) { try await witness.client.trouble() == nil }
            #expect(try await witness.process.terminate().isSuccess)
            let again = try await start(in: folder)
            #expect(try await again.cell.read().version == version)
        }
    }

    @Test("Wrong usage and files that are not the witness's are told, each with its exit code")
    func refusals() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appending("witness.db").string
            for (flags, words) in [
                ([], "-data"), (["-data", ""], "must name a file"), (["-data", data, "-listen", "here"], "HOST:PORT"),
                (["-data", data, "-certificate", "a"], "belong together"),
                (["-data", data, "-token-file", "a", "-token-env", "B"], "exclude each other"),
                (["bogus"], "--data"), (["status"], "url"),
            ] as [([String], String)] {
                let result = try await Ours.run(["witness"] + flags)
                #expect(result.exit.status == .code(2) && result.standardError.contains(words), "\(flags): \(result)")
            }
            let open = try await Ours.run(["witness", "-data", data, "-listen", ":3001"])
            expectRefusal(open, code: 2, naming: ["no token keeps them", "-token-file"])
            let none = folder.appending("none").string
            let missing = try await Ours.run(["witness", "-data", data, "-token-file", none])
            expectRefusal(missing, code: 2, naming: [none, "No such file"])
            let empty = try await Ours.run(["witness", "-data", data, "-token-env", "WITNESS_NONE"])
            expectRefusal(empty, code: 2, naming: ["WITNESS_NONE"])
            let key = ["-certificate", none, "-key", none]
            expectRefusal(
                try await Ours.run(["witness", "-data", data] + key),
                code: 2,
                naming: ["certificate '\(none)'"]
            )
            expectRefusal(try await Ours.run(["witness", "status", "witness"]), code: 2, naming: ["https://"])

            let foreign = folder.appending("app.db")
            try await Ours.run(["init", foreign.string]).checked()
            let other = try await Ours.run(["witness", "-data", foreign.string, "-listen", "127.0.0.1:0"])
            expectRefusal(other, code: 5, naming: ["a database of something else", "Nothing was changed"])
            let help = try await Ours.run(["witness", "serve", "-help"]).checked().standardOutput
            #expect(help.contains("When the file is lost") && help.contains("Exit codes"))
        }
    }

    @Test("A store can be the witness if it honours conditions", .enabled(if: Servers.areExpected))
    func stores() async throws {
        try await withMoto { server in
            let url = server.url("witness-\(UInt64.random(in: .min ... .max))")
            let status = try await Ours.run(["witness", "status", url], environment: server.environment)
            #expect(status.exit.isSuccess && status.standardOutput.contains("state    well"), "\(status)")
        }
        try await withGateway { server in
            let url = server.url("witness-\(UInt64.random(in: .min ... .max))")
            let status = try await Ours.run(["witness", "status", url], environment: server.environment)
            expectRefusal(status, code: 3, naming: ["cannot be a witness", "If-None-Match is ignored"])
        }
    }
}
