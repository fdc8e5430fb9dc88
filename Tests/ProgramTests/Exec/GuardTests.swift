import Foundation
import SystemPackage
import TestSupport
import Testing

/// The guard as a process, fed by hand.
@Suite(.timeLimit(.minutes(2)), .enabled(if: FileManager.default.fileExists(atPath: "/proc/uptime")))
struct GuardTests {
    /// So long a program may run that is to run for ever.
    private static let long: Int64 = 3_600_000_000_000

    private func start(_ words: [String], grace: Int = 10_000) throws -> ChildProcess {
        try ChildProcess(try Ours.executable, ["guard", "--grace-ms", "\(grace)", "--"] + words, hasInput: true)
    }

    private func feed(_ child: ChildProcess, for time: Int64 = long, lock: Int64? = nil) {
        let now = bootTime()
        child.write("feed \(now + time) \(now + (lock ?? time))\n")
    }

    private static let endings: [([String], Int32)] = [
        (["sh", "-c", "exit 7"], 7), (["true"], 0), (["sh", "-c", "kill -USR1 $$"], 128 + SIGUSR1),
        (["sh", "-c", "kill -9 $$"], 137), (["/no/such/program"], 127), (["/etc/passwd"], 126),
    ]

    @Test(
        "The program's exit code is the guard's, 128 and the number of the signal that ended it",
        arguments: endings
    )
    func exitCodes(words: [String], code: Int32) async throws {
        let child = try start(words)
        feed(child)
        #expect(try await child.waitForExit().status == .code(code))
        #expect(code < 126 || code > 127 || child.standardError.contains("cannot be run"))
    }

    @Test("Nothing is started before the first food, and a guard that nobody feeds ends")
    func unfed() async throws {
        try await withTemporaryFolder { folder in
            let child = try start(["touch", folder.appending("x").string])
            child.write("feed 1 2\n")
            child.closeInput()
            #expect(try await child.waitForExit().status == .code(128 + SIGTERM))
            #expect(!FileManager.default.fileExists(atPath: folder.appending("x").string))
        }
        for arguments in [[], ["--grace-ms"], ["--grace-ms", "x", "--", "true"], ["--grace-ms", "1", "--"], ["true"]] {
            let result = try await ChildProcess.run(try Ours.executable, ["guard"] + arguments)
            #expect(result.exit.status == .code(64) && result.standardError.contains("sqlite-replicate itself"))
        }
    }

    @Test("N16 Not fed in time: SIGTERM at the one moment, not before, SIGKILL at the other")
    func missingFood() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let child = try start(try script.words())
            feed(child)
            let process = try await script.process()
            let now = bootTime()
            let (until, lock) = (now + 500_000_000, now + 1_000_000_000)
            child.write("feed \(until) \(lock)\n")
            #expect(try await child.waitForExit().status == .code(137))
            #expect(bootTime() >= lock && !isRunning(process))
            // The script's clock has hundredths of a second.
            let told = try #require(script.moment(of: "TERM"))
            #expect(told >= until - 10_000_000 && script.lines.filter { $0.hasPrefix("TERM") }.count == 1)
            #expect(child.standardError.contains("not fed in time"))
        }
    }

    @Test("While it is fed the program runs on; told to stop, it ends as it likes")
    func fed() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let child = try start(try script.words(onSignal: "exit 3"))
            let begin = bootTime()
            // Each food lasts long enough for a machine that stands still now and then.
            while bootTime() < begin + 3_000_000_000 {
                feed(child, for: 2_000_000_000, lock: 2_500_000_000)
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(child.exit == nil, "\(child.standardError)")
            #expect(script.moment(of: "TERM") == nil)
            feed(child)
            child.write("stop 30000000000\n")
            #expect(try await child.waitForExit().status == .code(3))
            #expect(script.moment(of: "TERM") != nil)
        }
    }

    @Test("A program that does not stop is killed after its grace")
    func grace() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let child = try start(try script.words())
            feed(child)
            let process = try await script.process()
            let told = bootTime()
            child.write("stop 300000000\n")
            #expect(try await child.waitForExit().status == .code(137))
            #expect(bootTime() >= told + 300_000_000 && !isRunning(process) && script.moment(of: "TERM") != nil)
        }
    }

    @Test("N16 When the node is killed the program gets SIGTERM at once, and SIGKILL after its grace")
    func nodeDeath() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            // A node in a few words: it starts the guard, feeds it, and is killed.
            let node = """
                import subprocess, sys, time
                guard = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
                print(guard.pid, flush=True)
                while True:
                    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                    guard.stdin.write(b"feed %d %d\\n" % (now + 60 * 10**9, now + 70 * 10**9))
                    guard.stdin.flush()
                    time.sleep(0.05)
                """
            let words = try script.words()
            let arguments = [try Ours.executable.string, "guard", "--grace-ms", "400", "--"] + words
            let child = try ChildProcess("python3", ["-c", node] + arguments)
            let process = try await script.process()
            let guardProcess = try #require(Int32(child.standardOutput.dropLast()))
            #expect(isRunning(process) && isRunning(guardProcess))
            try await child.kill()
            try await eventually("both are gone") { !isRunning(process) && !isRunning(guardProcess) }
            #expect(script.moment(of: "TERM") != nil && child.standardError.contains("the node has gone"))
        }
    }

    @Test("A guard that is killed takes its program along")
    func guardDeath() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let child = try start(try script.words())
            feed(child)
            let process = try await script.process()
            try await child.kill()
            try await eventually("it is gone") { !isRunning(process) }
        }
    }

    @Test("Signals to the guard are passed on, and what they do is the program's affair")
    func signals() async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let child = try start(try script.words())
            feed(child)
            let process = try await script.process()
            for (signal, name) in [(SIGHUP, "HUP"), (SIGINT, "INT"), (SIGUSR1, "USR1"), (SIGTERM, "TERM")] {
                child.signal(signal)
                try await eventually("SIG\(name) arrives") { script.moment(of: name) != nil }
            }
            #expect(isRunning(process) && child.exit == nil)
            try await child.kill()
        }
    }

    @Test("What the program has started ends with it, also what has left its group", arguments: [false, true])
    func descendants(isAlone: Bool) async throws {
        try await withTemporaryFolder { folder in
            let script = GuardedScript(folder: folder)
            let words = try script.words()
            let starter = isAlone ? "setsid -f" : ""
            // The one in the group does not heed SIGTERM; the other one has a session of its own.
            let text = "\(starter) sh \(words[1]) & while [ ! -e \(script.notes) ]; do sleep 0.02; done; exit 5"
            let child = try start(["sh", "-c", text], grace: 300)
            feed(child)
            let process = try await script.process()
            #expect(try await child.waitForExit().status == .code(5))
            #expect(!isRunning(process) && script.moment(of: "TERM") != nil)
        }
    }

    @Test("The program has an empty input, its environment, and no descriptor but three")
    func inheritance() async throws {
        let text = "cat; echo $GIVEN; ls /proc/self/fd | wc -l"
        let child = try ChildProcess(
            try Ours.executable,
            ["guard", "--grace-ms", "1000", "--", "sh", "-c", text],
            environment: ["GIVEN": "yes"],
            hasInput: true
        )
        feed(child)
        #expect(try await child.waitForExit().isSuccess)
        // The fourth is that of the folder that `ls` reads.
        #expect(child.standardOutput.split(separator: "\n") == ["yes", "4"])
    }
}
