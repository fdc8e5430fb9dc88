import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Child processes", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("Output, exit code and environment of a program are those that it had")
    func runs() async throws {
        let result = try await ChildProcess.run(
            "sh",
            ["-c", "echo out; echo $NAME$HOME >&2; exit 3"],
            environment: ["NAME": "value", "HOME": nil]
        )
        #expect(result.standardOutput == "out\n")
        #expect(result.standardError == "value\n")
        #expect(result.exit.status == .code(3))
        let error = #expect(throws: TestSupportError.self) { try result.checked() }
        #expect(error?.message.contains("exit code 3") == true)
    }

    @Test("Output larger than any pipe neither blocks the program nor is cut")
    func largeOutput() async throws {
        let result = try await ChildProcess.run("sh", ["-c", "head -c 3000000 /dev/zero | tr '\\0' x"])
        #expect(result.standardOutput.utf8.count == 3_000_000)
    }

    @Test("A program that does not end in time is killed, and the error shows what it said")
    func timeLimit() async throws {
        let child = try ChildProcess("sh", ["-c", "echo waiting; exec sleep 100"])
        try await child.waitForOutput(containing: "waiting")
        let error = await #expect(throws: TestSupportError.self) {
            try await child.waitForExit(within: .milliseconds(50))
        }
        #expect(error?.message.contains("waiting") == true)
        #expect(child.exit?.status == .signal(SIGKILL))
    }

    @Test("A signal ends a program, and none is sent once it is gone")
    func signals() async throws {
        let child = try ChildProcess("sleep", ["100"])
        let exit = try await child.terminate()
        #expect(exit.status == .signal(SIGTERM))
        #expect(exit.shellCode == 143)
        #expect(!child.signal(SIGTERM))
    }

    @Test("Standard input can be written and ended; the working directory is the one asked for")
    func input() async throws {
        let child = try ChildProcess("sh", ["-c", "pwd; cat"], directory: "/usr", hasInput: true)
        child.write("line\n")
        child.closeInput()
        try await child.waitForExit()
        #expect(child.standardOutput == "/usr\nline\n")
    }

    @Test("A program inherits no descriptor but the standard streams")
    func descriptors() async throws {
        let leaked = try FileDescriptor.open("/dev/null", .readOnly)  // Without close-on-exec.
        try await leaked.closeAfter {
            let result = try await ChildProcess.run("sh", ["-c", "ls /proc/$$/fd"])
            #expect(Set(result.standardOutput.split(separator: "\n")).isSubset(of: ["0", "1", "2"]))
        }
    }

    @Test("A process ends with the object that started it")
    func ownership() async throws {
        var child: ChildProcess? = try ChildProcess("sleep", ["100"])
        let processID = try #require(child?.processID)
        #expect(try ProcessStatistics(of: processID).threadNames.count == 1)
        child = nil
        // It is killed at once, and reaped a moment later.
        while FileManager.default.fileExists(atPath: "/proc/\(processID)") {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test("A program that does not exist is an error that names it")
    func missing() throws {
        let error = #expect(throws: TestSupportError.self) { try ChildProcess("/no/such/program") }
        #expect(error?.message.contains("/no/such/program") == true)
    }
}

extension FileDescriptor {
    /// `closeAfter` for a body that waits.
    fileprivate func closeAfter(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            try close()
            throw error
        }
        try close()
    }
}
