import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// `exec` and `hooks` of two nodes, as users run them.
@Suite(
    "Programs and hooks of nodes",
    .timeLimit(.minutes(4)),
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/uptime"))
)
struct NodeExecTests {
    /// A node with a program that notes what it lives through, and hooks that do.
    private struct Node {
        let files: NodeFiles
        let script: GuardedScript
        let hooks: FilePath

        /// - Parameters:
        ///   - onSignal: What the program does when it is told to end.
        ///   - hookPause: For how many seconds the hook of a primary works.
        init(_ name: String, in folder: FilePath, onSignal: String = "exit 0", hookPause: Int = 0) async throws {
            let own = folder.appending("program-\(name)")
            try FileManager.default.createDirectory(atPath: own.string, withIntermediateDirectories: true)
            script = GuardedScript(folder: own)
            hooks = own.appending("hooks")
            let words = try script.words(onSignal: onSignal).joined(separator: " ")
            let note = "echo $0 $SQLITE_REPLICATE_ROLE $SQLITE_REPLICATE_NODE $SQLITE_REPLICATE_DATABASE >> \(hooks)"
            let hook = own.appending("hook.sh")
            let text = "\(note)\nif [ $1 = primary ]; then sleep \(hookPause); fi\necho $1 ended >> \(hooks)\n"
                .replacing("$0", with: "$1 $SQLITE_REPLICATE_EPOCH")
            try text.write(toFile: hook.string, atomically: true, encoding: .utf8)
            files = try await NodeFiles(
                name,
                in: folder,
                replica: "file://\(folder.appending("replica"))",
                cluster: ["hooks:"] + ["primary", "standby", "fence"].map { "  \($0): sh \(hook) \($0)" },
                top: ["service: {writer-interval: 20ms}", "exec: \(words)"]
            )
        }

        /// What the hooks have noted: a line when one begins, and one when it ends.
        var notes: [String] {
            ((try? String(contentsOfFile: hooks.string, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
        }

        /// The hooks that have ended, in their order.
        var ended: [String] { notes.filter { $0.hasSuffix(" ended") }.map { String($0.dropLast(6)) } }
        /// How often the program was started.
        var starts: Int { script.lines.count { $0.hasPrefix("process ") } }

        func events() throws -> Int64 {
            try SQLiteFile(files.database, .init(creates: false)).integer("SELECT count(*) FROM events")
        }
    }

    /// Starts two nodes, and waits until the second one may take over.
    private func start(_ a: Node, _ b: Node) async throws -> (ChildProcess, ChildProcess) {
        let first = try a.files.start("service")
        try await a.files.waitFor("/primary", of: first)
        let second = try b.files.start("standby")
        try await b.files.waitFor("/replica", of: second)
        try await eventually("b is on the list\(first.outputForMessages)", within: .seconds(60)) {
            try await NodeClient().status(of: a.files.url).lease?.eligible.count == 2
        }
        return (first, second)
    }

    @Test(
        "When a primary is killed its program ends, and that of the standby starts after it; one that ends is started again"
    )
    func killed() async throws {
        try await withTemporaryFolder { folder in
            let (a, b) = (try await Node("a", in: folder, onSignal: "exit 3"), try await Node("b", in: folder))
            let (first, second) = try await start(a, b)
            var program = try await a.script.process()
            // It ends by itself, with a code that is no business of the node.
            kill(program, SIGTERM)
            try await eventually("it is started again", within: .seconds(20)) { a.starts == 2 }
            let line = a.script.lines.last { $0.hasPrefix("process ") }
            program = try #require(line.flatMap { Int32($0.dropFirst(8)) })
            #expect(isRunning(program) && b.starts == 0)

            try await first.kill()
            _ = try await b.script.process()
            #expect(!isRunning(program) && a.script.lines.count { $0.hasPrefix("TERM ") } == 2)
            try await b.files.waitFor("/primary", of: second)
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
            #expect(b.script.moment(of: "TERM") != nil && b.starts == 1)
        }
    }

    @Test("A planned hand-over ends the program first; hooks are told in their order, and a slow one holds up nobody")
    func handedOver() async throws {
        try await withTemporaryFolder { folder in
            let (a, b) = (try await Node("a", in: folder), try await Node("b", in: folder, hookPause: 6))
            let (first, second) = try await start(a, b)
            let program = try await a.script.process()
            try await eventually("the hook of a primary has run") { a.ended.last == "primary" }
            try await eventually("that of a standby has run") { b.ended == ["standby"] }
            try await a.files.run(["switchover", "-to", "b"]).checked()
            #expect(a.script.moment(of: "TERM") != nil)
            _ = try await b.script.process()
            #expect(!isRunning(program))
            try await b.files.waitFor("/primary", of: second)
            let before = try b.events()
            try await eventually("b writes") { try b.events() > before }
            #expect(b.ended == ["standby"], "its hook takes six seconds: \(b.notes)")
            let status = try await NodeClient().status(of: b.files.url)
            try await eventually("it was told at once") { b.notes.contains { $0.hasPrefix("primary ") } }
            #expect(b.notes.contains("primary \(status.epoch ?? 0) primary b \(b.files.database)"), "\(b.notes)")
            // By its own wish: no fence.
            try await eventually("a was told that it follows") { a.ended.last == "standby" }
            #expect(!a.ended.contains("fence"))

            // The role of a record is that of now, not of a minute ago.
            try await eventually("the records tell it", within: .seconds(10)) {
                let text = try await a.files.run(["cluster", "status"]).checked().standardOutput
                let lines = text.split(separator: "\n")
                return lines.contains { $0.hasPrefix("a ") && $0.contains("standby") }
                    && lines.contains { $0.hasPrefix("b ") && $0.contains("primary") }
            }
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
            #expect(b.script.moment(of: "TERM") != nil)
            try await a.files.waitFor("/primary", of: first)
            try await eventually("a's program runs again", within: .seconds(20)) { a.starts == 2 }
            #expect(try await first.terminate().isSuccess, "\(first.outputForMessages)")
        }
    }

    @Test("The program of a primary that stands still is ended by its guard in time; awake again, it is told to fence")
    func frozen() async throws {
        try await withTemporaryFolder { folder in
            let (a, b) = (try await Node("a", in: folder, onSignal: ":"), try await Node("b", in: folder))
            let (first, second) = try await start(a, b)
            let program = try await a.script.process()
            first.signal(SIGSTOP)
            _ = try await b.script.process()
            // It did not heed SIGTERM, and is gone all the same before another one may write.
            #expect(!isRunning(program) && a.script.moment(of: "TERM") != nil, "\(a.script.lines)")
            try await b.files.waitFor("/primary", of: second)
            first.signal(SIGCONT)
            try await a.files.waitFor("/replica", of: first)
            // It may have to look at its database twice until it follows.
            try await eventually("a was told: \(a.notes)") {
                let after = Array(a.ended.reversed().prefix { $0 != "primary" }.reversed())
                return after.first == "fence" && after.last == "standby" && after.count { $0 == "fence" } == 1
            }
            #expect(a.starts == 1 && b.starts == 1)
            #expect(try await first.terminate().isSuccess, "\(first.outputForMessages)")
            #expect(try await second.terminate().isSuccess, "\(second.outputForMessages)")
        }
    }

    @Test("At the end of the service the program has its time, though the lease is short")
    func takesItsTime() async throws {
        try await withTemporaryFolder { folder in
            let words = "sleep 3; echo finished >> \(folder.appending("finished")); exit 0"
            let a = try await Node("a", in: folder, onSignal: words)
            let first = try a.files.start("service")
            _ = try await a.script.process()
            #expect(try await first.terminate().isSuccess, "\(first.outputForMessages)")
            let text = try? String(contentsOfFile: folder.appending("finished").string, encoding: .utf8)
            #expect(text?.hasPrefix("finished") ?? false, "\(a.script.lines)")
        }
    }
}
