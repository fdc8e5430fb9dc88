import Cluster
import Foundation
import Logging
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import SQLiteReplicate

@Suite(.timeLimit(.minutes(2))) struct HookRunnerTests {
    @Test("A hook knows what has happened, and what it writes is logged")
    func runs() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending("out")
            let text = """
                echo "$1 $SQLITE_REPLICATE_ROLE $SQLITE_REPLICATE_NODE $SQLITE_REPLICATE_EPOCH" \
                "$SQLITE_REPLICATE_DATABASE $SQLITE_REPLICATE_CLUSTER $INHERITED" > "$2"
                echo said; echo complained >&2; printf last; exit $3
                """
            let log = LogLines()
            let commands = HookCommands(
                primary: try ProgramCommand(words: ["sh", "-c", text, "sh", "one", output.string, "0"]),
                fence: try ProgramCommand(words: ["sh", "-c", text, "sh", "two", output.string, "3"])
            )
            let runner = HookRunner(commands, node: "000000000000001a", database: "/data/a b.db", logger: log.logger)
            try await running(runner) {
                runner.notify(.primary, role: .primary, epoch: Epoch(rawValue: 7), cluster: ClusterID(rawValue: 9))
                try await eventually("it ends") { log.lines.contains("Hook ended") }
                #expect(
                    try String(contentsOfFile: output.string, encoding: .utf8)
                        == "one primary 000000000000001a 7 /data/a b.db 0000000000000009 \n"
                )
                #expect(
                    log.lines.filter { $0.hasPrefix("Hook says") }
                        == ["said", "complained", "last"].map { "Hook says \($0)" }
                )
                // No command, no hook.
                runner.notify(.standby, role: .standby, epoch: .zero, cluster: nil)
                runner.notify(.fence, role: .joining, epoch: .zero, cluster: nil)
                try await eventually("it fails") { log.lines.contains("Hook failed 3") }
                #expect(
                    try String(contentsOfFile: output.string, encoding: .utf8).hasPrefix(
                        "two joining 000000000000001a 0"
                    )
                )
            }
        }
    }

    @Test("A hook that takes too long is told, then killed, with what it has started")
    func limit() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending("out")
            let text = """
                trap 'echo told' TERM
                (trap '' TERM; sh -c 'echo $PPID' > "$1"; while :; do sleep 0.05; done) &
                while :; do sleep 0.05; done
                """
            let log = LogLines()
            let commands = HookCommands(
                standby: try ProgramCommand(words: ["sh", "-c", text, "sh", output.string])
            )
            let runner = HookRunner(
                commands,
                node: "0000000000000001",
                database: "/a.db",
                limit: .milliseconds(700),
                logger: log.logger
            )
            try await running(runner) {
                runner.notify(.standby, role: .standby, epoch: .zero, cluster: nil)
                try await eventually("it is killed") { log.lines.contains("Hook failed 137") }
                #expect(log.lines.contains("Hook takes too long and is ended") && log.lines.contains("Hook says told"))
                let process = try #require(Int32(String(contentsOfFile: output.string, encoding: .utf8).dropLast()))
                try await eventually("nothing is left of it") { !isRunning(process) }
            }
        }
    }

    @Test("While a hook runs the newest event waits, and those before it are forgotten")
    func newest() async throws {
        try await withTemporaryFolder { folder in
            let (gate, output) = (folder.appending("gate"), folder.appending("out"))
            let text = """
                echo "$SQLITE_REPLICATE_EPOCH" >> "$2"; while [ ! -e "$1" ]; do sleep 0.02; done
                """
            let words = ["sh", "-c", text, "sh", gate.string, output.string]
            let commands = HookCommands(
                primary: try ProgramCommand(words: words),
                standby: try ProgramCommand(words: words)
            )
            let log = LogLines()
            let runner = HookRunner(commands, node: "0000000000000001", database: "/a.db", logger: log.logger)
            try await running(runner) {
                runner.notify(.primary, role: .primary, epoch: Epoch(rawValue: 1), cluster: nil)
                try await eventually("it runs") { FileManager.default.fileExists(atPath: output.string) }
                for epoch in 2...5 {
                    let event: HookEvent = epoch.isMultiple(of: 2) ? .standby : .primary
                    runner.notify(event, role: .standby, epoch: Epoch(rawValue: UInt64(epoch)), cluster: nil)
                }
                #expect(FileManager.default.createFile(atPath: gate.string, contents: nil))
                try await eventually("both have ended") { log.lines.filter { $0 == "Hook ended" }.count == 2 }
                #expect(try String(contentsOfFile: output.string, encoding: .utf8) == "1\n5\n")
            }
        }
    }

    @Test("A hook that cannot be run is said, and the next one runs")
    func missing() async throws {
        let log = LogLines()
        let commands = HookCommands(
            primary: try ProgramCommand(words: ["/no/such/program"]),
            standby: try ProgramCommand(words: ["true"])
        )
        let runner = HookRunner(commands, node: "0000000000000001", database: "/a.db", logger: log.logger)
        try await running(runner) {
            runner.notify(.primary, role: .primary, epoch: .zero, cluster: nil)
            try await eventually("it is said") { log.lines.contains { $0.hasPrefix("Hook not run") } }
            #expect(log.lines.contains { $0.contains("/no/such/program") && $0.contains("No such file") })
            runner.notify(.standby, role: .standby, epoch: .zero, cluster: nil)
            try await eventually("it runs") { log.lines.contains("Hook ended") }
        }
    }

    @Test("What a hook writes is cut into few and short lines")
    func lines() {
        var lines = HookLines(lineLimit: 3, characterLimit: 5)
        #expect(lines.take("a\n\nbcdefg\nh".utf8) == ["a", "bcdef…"])
        #expect(lines.take("i\njk\nl\n".utf8) == ["hi", "… (the rest is left out)"])
        #expect(lines.take("m\n".utf8).isEmpty && lines.finish().isEmpty)
        var open = HookLines(lineLimit: 3, characterLimit: 5)
        #expect(open.take("abc".utf8).isEmpty && open.finish() == ["abc"])
    }

    @Test("Changes of role that hooks are run for")
    func events() {
        #expect(HookEvent(from: .recorded, to: .primary) == .primary)
        #expect(HookEvent(from: .joining, to: .standby) == .standby)
        #expect(HookEvent(from: .quarantining, to: .standby) == .standby)
        #expect(HookEvent(from: .primary, to: .joining) == .fence && HookEvent(from: .primary, to: .halted) == .fence)
        #expect(HookEvent(from: .claiming, to: .standby) == nil && HookEvent(from: .primary, to: .draining) == nil)
        #expect(HookEvent(from: .draining, to: .primary) == .primary)
    }

    /// Calls `body` while the runner runs.
    private func running(_ runner: HookRunner, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run() }
            try await body()
            group.cancelAll()
        }
    }
}

/// Keeps what is logged: the message, and the values that say more.
private final class LogLines: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { state.withLock(\.self) }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private func append(_ line: String) { state.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let more = ["line", "code", "error"].compactMap { event.metadata?[$0].map { " \($0)" } }
            lines.append("\(event.message)\(more.joined())")
        }
    }
}
