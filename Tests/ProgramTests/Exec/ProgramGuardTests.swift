import Cluster
import Foundation
import Logging
import SQLiteReplicate
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)), .enabled(if: FileManager.default.fileExists(atPath: "/proc/uptime")))
struct ProgramGuardTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func moment(after time: Duration) -> Moment {
        Moment(reading: .nanoseconds(bootTime())) + time
    }

    private func start(
        _ words: [String],
        until: Duration = .seconds(3600),
        lockedBy: Duration = .seconds(3600)
    ) throws -> ProgramGuard {
        try ProgramGuard(
            ProgramCommand(words: words),
            until: moment(after: until),
            lockedBy: moment(after: lockedBy),
            environment: ["GIVEN": "5"],
            guardFile: Ours.executable,
            logger: logger
        )
    }

    @Test("A program runs below its guard, and its exit code is passed on")
    func exitCode() async throws {
        let program = try start(["sh", "-c", "exit $GIVEN"])
        #expect(await program.exit() == 5)
        #expect(program.exitCode == 5)
        #expect(await program.exit() == 5)
        // What is said to one that is gone does no harm.
        program.feed(until: moment(after: .seconds(1)), lockedBy: moment(after: .seconds(2)))
        program.stop("again")
        program.signal(SIGTERM)
    }

    @Test("It is stopped, and killed if it stays")
    func stop() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let program = try start(try script.words(onSignal: "exit 4"))
            _ = try await script.process()
            program.stop("a test", grace: .seconds(30))
            #expect(await program.exit() == 4)
        }
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let program = try start(try script.words())
            _ = try await script.process()
            program.stop("a test", grace: .milliseconds(200))
            #expect(await program.exit() == 137)
        }
    }

    @Test("It is fed, gets signals, and ends when it is not fed")
    func food() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let program = try start(try script.words(), until: .seconds(20), lockedBy: .seconds(30))
            _ = try await script.process()
            program.signal(SIGHUP)
            try await eventually("the signal arrives") { script.moment(of: "HUP") != nil }
            let until = moment(after: .milliseconds(300))
            program.feed(until: until, lockedBy: until + .milliseconds(300))
            #expect(await program.exit() == 137)
            #expect(try #require(script.moment(of: "TERM")) >= Int64(until.reading / .nanoseconds(1)) - 10_000_000)
        }
    }

    @Test("It has a process group of its own, and ends when nobody holds it any more")
    func release() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            var program: ProgramGuard? = try start(try script.words(onSignal: "exit 0"))
            let process = try await script.process()
            #expect(program?.exitCode == nil && getpgid(process) == process && getpgid(process) != getpgid(0))
            program = nil
            try await eventually("it is gone") { !isRunning(process) }
            #expect(script.moment(of: "TERM") != nil)
        }
    }

    @Test("Many side by side leave no descriptor and no process behind")
    func many() async throws {
        let before = try openDescriptors()
        for _ in 0..<5 {
            let programs = try (0..<4).map { try start(["sh", "-c", "exit \($0)"]) }
            for (index, program) in programs.enumerated() { #expect(await program.exit() == Int32(index)) }
        }
        try await eventually("all are closed") { try openDescriptors() <= before }
    }

    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            return target?.hasPrefix("socket:") == true
        }.count
    }

    @Test("A guard that is not there is said")
    func missing() throws {
        let error = #expect(throws: ProgramError.self) {
            try ProgramGuard(
                ProgramCommand(words: ["true"]),
                until: moment(after: .seconds(1)),
                lockedBy: moment(after: .seconds(1)),
                guardFile: "/no/such/guard",
                logger: logger
            )
        }
        #expect(error?.code == .notStarted && error?.message.contains("/no/such/guard") == true)
    }
}
