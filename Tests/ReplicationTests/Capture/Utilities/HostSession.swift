import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// An engine in a process of its own that is killed and started again, applications beside it, and the replay of what
/// it writes.
final class HostSession {
    let database: FilePath
    private(set) var host: ChildProcess?
    /// How many `flush` it was sent.
    private var flushCount = 0
    private var others: [ChildProcess] = []
    var replay: LocalReplay
    /// How often the engine died at a fault point.
    private(set) var deaths = 0
    private(set) var checks = 0
    /// All lines of engines that have ended.
    private(set) var past: [String] = []

    init(_ database: FilePath) {
        self.database = database
        replay = LocalReplay(of: database)
    }

    /// Starts the engine; `FaultShim` variables may be given.
    func start(_ options: [String], environment: [String: String?] = [:], attaches: Bool = true) async throws {
        let child = try ChildProcess(
            BuiltProduct.path(of: "engine-host"),
            [database.string] + options,
            environment: environment,
            hasInput: true
        )
        (host, flushCount) = (child, 0)
        guard attaches else { return }
        let deadline = ContinuousClock.now + .seconds(30)
        while !lines.contains("attached"), child.exit == nil {
            guard ContinuousClock.now < deadline else {
                throw TestSupportError("the engine did not attach\(child.outputForMessages)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Starts another process that uses the database.
    func startOther(_ kind: String, seed: UInt64 = 1, rate: Int = 200) throws {
        let arguments = [database.string, kind, "\(seed)", "\(rate)"]
        others.append(try ChildProcess(BuiltProduct.path(of: "workload"), arguments))
    }

    /// The lines of the engine that runs now, or ran last.
    var lines: [String] { (host?.standardOutput ?? "").split(separator: "\n").map(String.init) }

    /// All lines so far.
    var allLines: [String] { past + lines }

    /// Whether the engine has died of what it was told, SIGKILL at a fault point; any other end is an error.
    func hasDied() throws -> Bool {
        guard let host, let exit = host.exit else { return false }
        guard exit.status == .signal(SIGKILL) else {
            throw TestSupportError("the engine ended by itself: \(exit)\(host.outputForMessages)")
        }
        return true
    }

    /// Waits for the engine's death.
    ///
    /// - Returns: The fault point; `nil` where it was not passed within `limit`.
    func waitForDeath(within limit: Duration) async throws -> String? {
        let deadline = ContinuousClock.now + limit
        while try !hasDied() {
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
        deaths += 1
        return lines.last { $0.hasPrefix("killed-at ") }.map { String($0.dropFirst(10)) }
    }

    /// Ends an engine's process, if it has not ended; its lines are kept.
    func kill() async throws {
        guard let host else { return }
        if host.exit == nil { try await host.kill() }
        past += lines
        self.host = nil
    }

    /// Waits for a line.
    func wait(for line: String, within limit: Duration = .seconds(20)) async throws {
        guard let host else { throw TestSupportError("no engine runs") }
        try await host.waitForOutput(containing: line, within: limit)
    }

    /// Sends a command.
    func send(_ command: String) {
        if command == "flush" { flushCount += 1 }
        host?.write(command + "\n")
    }

    /// What the engine has answered to `flush`, one line each.
    private var flushAnswers: [String] {
        lines.filter { $0.hasPrefix("flushed ") || $0 == "copying" || $0.hasPrefix("flush-failed") }
    }

    /// Holds all writers, lets the engine close what is there, and compares page for page.
    func check(_ context: @autoclosure () -> String = "") async throws {
        let lock = try SQLiteFile(database, .init(creates: false, busyTimeout: .seconds(20)))
        defer { lock.close() }
        try lock.execute("BEGIN IMMEDIATE")
        let fresh = try SQLiteFile(database, .init(creates: false))
        let source = try fresh.image()
        fresh.close()
        try await flush()
        try replay.follow()
        try replay.checkThatFilesStand()
        checks += 1
        try replay.check(against: source, "\(context()); \(lines.suffix(12))")
    }

    /// Has everything closed that is committed, waiting for a copy to end.
    func flush(within limit: Duration = .seconds(30)) async throws {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            send("flush")
            while true {
                // The answer to an earlier one tells of an earlier moment.
                let answers = flushAnswers
                if answers.count >= flushCount {
                    if answers[flushCount - 1].hasPrefix("flushed ") { return }
                    break
                }
                guard ContinuousClock.now < deadline, host?.exit == nil else { break }
                try await Task.sleep(for: .milliseconds(1))
            }
            if let host, host.exit != nil { throw TestSupportError("the engine ended\(host.outputForMessages)") }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw TestSupportError("the engine did not flush within \(limit): \(host?.outputForMessages ?? "")")
    }

    /// Copies that began although the engine was attached, over all its lives.
    var unexpected: [String] { allLines.filter { $0.hasPrefix("copy-began") && $0.contains("unexpected=1") } }

    /// Writes of applications that failed.
    var applicationFailures: [String] {
        allLines.filter { $0.hasPrefix("application-failed") }
            + others.flatMap { $0.standardError.split(separator: "\n").map(String.init) }
    }

    /// Ends the other processes that use the database.
    func endOthers() async throws {
        for other in others { try await other.terminate() }
    }

    /// Detaches, ends everything, and checks the source.
    func end() async throws {
        if let host, host.exit == nil {
            send("stop")
            _ = try await host.waitForExit(within: .seconds(30))
        }
        past += lines
        host = nil
        try await endOthers()
        let check = try SQLiteFile(database, .init(creates: false)).integrityCheck()
        guard check == "ok" else { throw TestSupportError("the source is damaged: \(check)") }
    }
}
