import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// What a witness says of files and addresses that it cannot use.
@Suite(.timeLimit(.minutes(2))) struct WitnessFileTests {
    /// Why a witness does not start; who waits for its port is told the same.
    private func failure(of settings: WitnessSettings) async throws -> WitnessError {
        let server = WitnessServer(settings, logger: .silent)
        return try await withThrowingTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                do {
                    _ = try await server.port
                    return nil
                } catch { return error }
            }
            let error = await #expect(throws: WitnessError.self) { try await server.run() }
            let told = try await group.next() ?? nil
            #expect(told as? WitnessError == error)
            return try #require(error)
        }
    }

    @Test("A file that another witness has open is refused, and the first one goes on")
    func inUse() async throws {
        try await withTemporaryFolder { folder in
            try await withWitness(.at(folder)) { url in
                let error = try await failure(of: .at(folder))
                #expect(error.code == .fileInUse && error.message.contains("witness.db' is open in another process"))
                _ = try await written(cell(url), "one")
                // Nor does anybody edit it meanwhile.
                let program = try await ChildProcess.run(
                    "python3",
                    ["-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0.1).execute('SELECT * FROM cells')"]
                        + [folder.appending("witness.db").string]
                )
                #expect(!program.exit.isSuccess && program.standardError.contains("locked"))
            }
        }
    }

    @Test("A database of something else is refused, and stays as it is")
    func foreign() async throws {
        try await withTemporaryFolder { folder in
            let settings = WitnessSettings.at(folder)
            let file = try SQLiteFile(settings.data)
            try file.execute("PRAGMA journal_mode = DELETE; CREATE TABLE cells(x); INSERT INTO cells VALUES (1)")
            file.close()
            let before = try Data(contentsOf: URL(filePath: settings.data.string))
            var error = try await failure(of: settings)
            #expect(error.code == .foreignFile && error.message.contains("a database of something else"))
            #expect(try Data(contentsOf: URL(filePath: settings.data.string)) == before)

            try Data("no database, but some text of more than a hundred bytes, so that it has a header: \(before)".utf8)
                .write(to: URL(filePath: settings.data.string))
            error = try await failure(of: settings)
            #expect(error.code == .foreignFile && error.message.contains("no SQLite database"), "\(error)")
        }
    }

    @Test("A file of a later version, and a damaged one, are refused")
    func unfit() async throws {
        try await withTemporaryFolder { folder in
            let settings = WitnessSettings.at(folder)
            try await withWitness(settings) { url in
                for number in 1...40 { _ = try await written(cell(url, name(number)), text(number)) }
            }
            let file = try SQLiteFile(settings.data, .init(creates: false))
            try file.execute("PRAGMA user_version = 2")
            var error = try await failure(of: settings)
            #expect(error.code == .fileInUse || error.code == .foreignFile)
            file.close()
            error = try await failure(of: settings)
            #expect(error.code == .foreignFile && error.message.contains("its version is 2"), "\(error)")
            let other = try SQLiteFile(settings.data, .init(creates: false))
            try other.execute("PRAGMA user_version = 1; PRAGMA wal_checkpoint(TRUNCATE)")
            other.close()
            // A page of the cells is lost.
            var bytes = try Data(contentsOf: URL(filePath: settings.data.string))
            for index in 5 * 4096..<6 * 4096 { bytes[index] = 0xA5 }
            try bytes.write(to: URL(filePath: settings.data.string))
            error = try await failure(of: settings)
            #expect(error.code == .damagedFile && error.message.contains("When the file is lost"), "\(error)")
        }
    }

    private func name(_ number: Int) -> String { "00000000000000" + String(number + 16, radix: 16) }
    private func text(_ number: Int) -> String { String(repeating: "\(number) ", count: 300) }

    @Test("A folder that is missing, or is the file, is told; relative paths and SQLite's own names are files")
    func places() async throws {
        try await withTemporaryFolder { folder in
            var settings = WitnessSettings.at(folder.appending("missing"))
            var error = try await failure(of: settings)
            #expect(error.code == .fileUnusable && error.message.contains("missing/witness.db"))
            settings.data = folder
            error = try await failure(of: settings)
            #expect(error.code == .fileUnusable, "\(error)")
            settings.data = ""
            error = try await failure(of: settings)
            #expect(error.code == .invalidSettings)
            let name = ":memory:"
            let here = FilePath(FileManager.default.currentDirectoryPath).appending(name)
            settings.data = FilePath(name)
            try await withWitness(settings) { url in _ = try await written(cell(url), "one") }
            #expect(FileManager.default.fileExists(atPath: here.string))
            try FileManager.default.removeItem(atPath: here.string)
        }
    }

    @Test("The file is its owner's alone")
    func mode() async throws {
        try await withTemporaryFolder { folder in
            try await withWitness(.at(folder)) { url in
                _ = try await written(cell(url), "one")
                for name in ["witness.db", "witness.db-wal"] {
                    let attributes = try FileManager.default.attributesOfItem(
                        atPath: folder.appending(name).string
                    )
                    #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
                }
                // Alone in the file there is no need for an index that others see.
                #expect(!FileManager.default.fileExists(atPath: folder.appending("witness.db-shm").string))
            }
        }
    }

    @Test("A port in use, an address of another host, and settings out of their range are told")
    func addresses() async throws {
        try await withTemporaryFolder { folder in
            try await withTemporaryFolder { other in
                try await withWitness(.at(folder)) { url in
                    var settings = WitnessSettings.at(other)
                    settings.listen.port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                    let error = try await failure(of: settings)
                    #expect(error.code == .addressInUse && error.message.contains("-listen"))
                    #expect(try await send("GET", url + "/health").status == 200)
                }
                for host in ["0.0.0.0", "::", "192.0.2.1"] {
                    var settings = WitnessSettings.at(other)
                    settings.listen.host = host
                    let error = try await failure(of: settings)
                    #expect(error.code == .tokenMissing && error.message.contains("-token-file"), "\(host)")
                }
                for host in ["192.0.2.1", "no such host"] {
                    var settings = WitnessSettings.at(other, token: Secret("c0rrect-horse"))
                    settings.listen.host = host
                    let error = try await failure(of: settings)
                    #expect(error.code == .addressUnavailable && error.message.contains(host))
                }
                for token in ["", "short", "two words", "sch\u{f6}nes-wetter"] {
                    let error = try await failure(of: .at(other, token: Secret(token)))
                    #expect(error.code == .invalidSettings && !(error.message.contains("wetter")))
                }
                // With a token all addresses are served.
                var settings = WitnessSettings.at(other, token: Secret("c0rrect-horse"))
                settings.listen.host = "0.0.0.0"
                try await withWitness(settings) { (url) async throws -> Void in
                    #expect(try await send("GET", url + "/health").body == "OK")
                }
            }
        }
    }
}
