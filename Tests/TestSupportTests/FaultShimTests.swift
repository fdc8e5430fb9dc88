import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Fault shim", .timeLimit(.minutes(2)))
struct FaultShimTests {
    @Test("The shim's own checks pass: every call, fault and filter")
    func selfTest() async throws {
        try await ChildProcess.run(PackageRoot.appending("Tests/FaultShim/selftest.sh")).checked()
    }

    @Test("A full disk under SQLite makes its writes fail, and only while the rule is in force")
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            let shim = try await FaultShim(in: folder)
            let database = folder.appending("app.db")
            let arguments = [database.string, "plain", "1", "100"]
            let child = try ChildProcess(
                try BuiltProduct.path(of: "workload"),
                arguments,
                environment: shim.environment
            )
            try await child.waitForOutput(containing: "ready")
            try shim.set([.init(.error("ENOSPC"), count: 3, calls: ["write"], pathSuffixes: ["-wal"])])
            try await child.waitForOutput(containing: "full")
            while try shim.counts()[0].matching < 40 { try await Task.sleep(for: .milliseconds(5)) }
            let exit = try await child.terminate()
            let failures = child.standardError.split(separator: "\n").count
            #expect(exit.isSuccess && failures <= 3 && failures > 0, "\(child.outputForMessages)")
            #expect(try shim.counts()[0].injected == 3)
            #expect(try SQLiteFile(database).integrityCheck() == "ok")
        }
    }

    @Test("A process is killed at the chosen call, and the count goes on in the next one")
    func kill() async throws {
        try await withTemporaryFolder { folder in
            let shim = try await FaultShim(in: folder)
            try shim.set([.init(.killBefore, at: 20, pathPrefixes: [folder.appending("app.db-wal")])])
            let program = try BuiltProduct.path(of: "workload")
            let arguments = [folder.appending("app.db").string, "plain", "1", "0"]
            let child = try ChildProcess(program, arguments, environment: shim.environment)
            #expect(try await child.waitForExit().status == .signal(SIGKILL))
            #expect(try shim.counts()[0] == .init(matching: 20, injected: 1))
            let next = try ChildProcess(program, arguments, environment: shim.environment)
            try await next.waitForOutput(containing: "ready")
            #expect(try await next.terminate().isSuccess)
            #expect(try shim.counts()[0].injected == 1)
            #expect(try shim.log().contains { $0.hasPrefix("20 ") && $0.hasSuffix("kill") })
        }
    }
}
