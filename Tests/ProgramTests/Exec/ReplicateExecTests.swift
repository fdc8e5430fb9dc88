import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// `replicate -exec`, as Litestream has it.
@Suite("replicate with a program", .timeLimit(.minutes(2)))
struct ReplicateExecTests {
    /// Commits one row, and does the rest: a program for Python.
    private func writing(_ text: String, to database: FilePath, then rest: String = "") -> String {
        """
        import sqlite3, sys, time
        connection = sqlite3.connect("\(database)", isolation_level=None)
        connection.execute("INSERT INTO note(body) VALUES ('\(text)')")
        \(rest)
        """
    }

    private func script(_ text: String, in folder: FilePath) throws -> String {
        let path = folder.appending("program.py")
        try text.write(toFile: path.string, atomically: true, encoding: .utf8)
        return "python3 \(path)"
    }

    private func count(_ text: String, in database: FilePath) throws -> Int64 {
        try SQLiteFile(database, .init(creates: false)).integer("SELECT count(*) FROM note WHERE body = '\(text)'")
    }

    @Test(
        "When the program ends all that it wrote is shipped, and its exit code is passed on",
        arguments: [0, 3]
    )
    func end(code: Int) async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let command = try script(writing("last", to: application.path, then: "sys.exit(\(code))"), in: folder)
            let result = try await Ours.run(["replicate", "-exec", command, application.path.string, replica.url])
            #expect(result.exit.status == .code(Int32(code)), "\(result)")
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try count("last", in: output) == 1)
            #expect(try SQLiteFile.contentDigest(of: output) == application.digest())
        }
    }

    @Test(
        "The signal reaches the program first, and what it writes at its end is shipped",
        arguments: [SIGTERM, SIGINT]
    )
    func signals(_ signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let rest = """
                import signal
                def end(number, frame):
                    connection.execute("INSERT INTO note(body) VALUES ('signal ' || ?)", (number,))
                    sys.exit(0)
                signal.signal(signal.SIGTERM, end)
                signal.signal(signal.SIGINT, end)
                print("it runs", flush=True)
                while True: time.sleep(1)
                """
            let command = try script(writing("first", to: application.path, then: rest), in: folder)
            let text = Ours.plainConfiguration(of: application.path, to: replica.url, global: ["exec: \(command)"])
            let process = try Ours.replicate(text, in: folder)
            try await process.waitForOutput(containing: "it runs")
            process.signal(signal)
            #expect(try await process.waitForExit().isSuccess, "\(process.outputForMessages)")
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try count("signal \(signal)", in: output) == 1 && count("first", in: output) == 1)
        }
    }

    @Test(
        "A program that the passed-on signal ends is no failure; one that does not heed it is ended by the second signal"
    )
    func unheeding() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = "file://\(folder.appending("replica"))"
            let text = Ours.plainConfiguration(of: application.path, to: replica, global: ["exec: sleep 1000"])
            let plain = try Ours.replicate(text, in: folder)
            try await plain.waitForOutput(containing: "msg=\"Program started\"")
            #expect(try await plain.terminate().isSuccess, "\(plain.outputForMessages)")

            let script = GuardedScript(folder: folder)
            let words = try script.words().joined(separator: " ")
            let stubborn = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: replica, global: ["exec: \(words)"]),
                in: folder
            )
            let program = try await script.process()
            stubborn.signal(SIGTERM)
            try await eventually("it is told") { script.moment(of: "TERM") != nil }
            #expect(stubborn.exit == nil && isRunning(program))
            stubborn.signal(SIGTERM)
            #expect(try await stubborn.waitForExit().shellCode == 128 + SIGTERM)
            try await eventually("its guard kills it", within: .seconds(30)) { !isRunning(program) }
        }
    }

    @Test("The program may make the database; it ends when replication fails, and when replicate is killed")
    func failure() async throws {
        try await withTemporaryFolder { folder in
            let database = folder.appending("app.db")
            let script = GuardedScript(folder: folder)
            let words = try script.words(onSignal: "exit 0").joined(separator: " ")
            let text = Ours.plainConfiguration(
                of: database,
                to: "file://\(folder.appending("replica"))",
                global: ["exec: \(words)"]
            )
            let killed = try Ours.replicate(text, in: folder)
            let first = try await script.process()
            try await killed.kill()
            try await eventually("the guard ends it") { !isRunning(first) }

            try FileManager.default.removeItem(atPath: script.notes.string)
            let failing = try Ours.replicate(text, in: folder)
            let second = try await script.process()
            // What appears in the place of the database is none.
            let noise = Data(repeating: 0x5A, count: 4096)
            try noise.write(to: URL(filePath: database.string), options: .atomic)
            #expect(try await failing.waitForExit().status == .code(1), "\(failing.outputForMessages)")
            #expect(failing.standardError.contains("not a SQLite database"), "\(failing.outputForMessages)")
            #expect(script.moment(of: "TERM") != nil && !isRunning(second))
        }
    }

    @Test("A program that is not there ends with 127, as a shell says it")
    func missing() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = "file://\(folder.appending("replica"))"
            let result = try await Ours.run(["replicate", "-exec", "/no/such", application.path.string, replica])
            #expect(result.exit.status == .code(127) && result.standardError.contains("'/no/such' cannot be run"))
            expectRefusal(
                try await Ours.run(["replicate", "-exec", "a > b", application.path.string, replica]),
                naming: ["exec cannot be run", "needs a shell"]
            )
        }
    }
}
