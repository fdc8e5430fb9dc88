import Foundation
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Full and failing disks, and deaths at any moment (engine-behaviour 4.6), with the engine in a process of its own.
@Suite("Requirements: disk", .timeLimit(.minutes(5))) struct DiskRequirementTests {
    /// Starts an engine with the shim, and a writer beside it that expects every write to succeed.
    private func run(
        options: [String] = ["soft=60", "known=1", "interval-ms=20"],
        _ body: (HostSession, FaultShim, FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("disk") { folder in
            let shim = try await FaultShim(in: folder)
            let session = HostSession(folder.appending("app.db"))
            try SQLiteFile.makeDatabase(session.database, pageSize: 4096, rows: 40).close()
            try session.startOther("writer", seed: 1, rate: 200)
            try await session.start(options, environment: shim.environment)
            try await session.check()
            try await body(session, shim, MetadataFolder.defaultPath(for: session.database))
            try shim.set([])
            try await session.check("after the fault")
            try await session.end()
            #expect(session.applicationFailures.isEmpty, "\(session.applicationFailures.prefix(3))")
            #expect(session.unexpected.isEmpty)
        }
    }

    private func unfinished(in metadata: FilePath) -> [String] {
        names(in: metadata.appending("ltx").appending("0").string).filter { !$0.hasSuffix(".ltx") }
    }

    @Test("R-62 A full disk leaves no partial file; capture goes on by itself soon after space is back")
    func fullDisk() async throws {
        try await run { session, shim, metadata in
            try shim.set([.init(.error("ENOSPC"), count: 0, calls: ["write", "open"], pathPrefixes: [metadata])])
            try await session.wait(for: "failed ")
            try await Task.sleep(for: .seconds(2))
            #expect(unfinished(in: metadata).isEmpty)
            let before = session.lines.filter { $0.hasPrefix("closed ") }.count
            try shim.set([])
            let start = ContinuousClock.now
            while session.lines.filter({ $0.hasPrefix("closed ") }).count == before {
                try #require(start.duration(to: .now) < .seconds(5), "\(session.lines.suffix(5))")
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(start.duration(to: .now) < .seconds(3))
        }
    }

    @Test("R-62 A disk that stays full while more is written than memory may take ends in a difference")
    func fullDiskForLong() async throws {
        let options = ["soft=60", "known=1", "interval-ms=20", "limit=65536"]
        try await run(options: options) { session, shim, metadata in
            try shim.set([.init(.error("ENOSPC"), count: 0, pathPrefixes: [metadata])])
            try await session.wait(for: "failed ")
            try await Task.sleep(for: .seconds(3))
            #expect(byteCount(of: session.database.string + "-wal") < 16 << 20)
        }
    }

    @Test("Every write of the engine may fail once: applications do not notice, and nothing is lost")
    func everyWriteFails() async throws {
        let isWhole = !(ProcessInfo.processInfo.environment["FAULTS"] ?? "").isEmpty
        for error in isWhole ? ["ENOSPC", "EIO"] : ["ENOSPC"] {
            try await run { session, shim, metadata in
                var injected: UInt64 = 0
                for call in FaultShim.Rule.allCalls where call != "ftruncate" && call != "fallocate" {
                    for at in isWhole ? [1, 2, 3, 5, 8] : [1, 4] {
                        // The engine's own files; then those of the database, as far as its checkpoints write them.
                        for prefix in [metadata, session.database] {
                            try shim.set([
                                .init(
                                    .error(error),
                                    at: UInt64(at),
                                    count: 2,
                                    calls: [call],
                                    pathPrefixes: [prefix],
                                    exceptThreads: ["application"]
                                )
                            ])
                            session.send("flush")
                            try await Task.sleep(for: .milliseconds(isWhole ? 150 : 60))
                            injected += try shim.counts()[0].injected
                        }
                    }
                    try shim.set([])
                    try await session.check("\(error) in \(call)")
                    #expect(unfinished(in: metadata).isEmpty, "\(call)")
                }
                print("\(error): \(injected) calls of the engine failed")
                #expect(injected > 4)
            }
        }
    }

    @Test("R-63 After a death anywhere there is no torn file under a final name, and what was unfinished is removed")
    func deaths() async throws {
        try await withTemporaryFolder("r63") { folder in
            let shim = try await FaultShim(in: folder)
            let session = HostSession(folder.appending("app.db"))
            try SQLiteFile.makeDatabase(session.database, pageSize: 4096, rows: 40).close()
            try session.startOther("writer", seed: 1, rate: 300)
            let metadata = MetadataFolder.defaultPath(for: session.database)
            let own = metadata.appending("sqlite-replicate").string
            var deaths = 0
            for at in [2, 5, 9, 14, 20, 33] {
                let fault: FaultShim.Rule.Fault = at.isMultiple(of: 2) ? .killBefore : .killAfter
                try shim.set([.init(fault, at: UInt64(at), pathPrefixes: [metadata])])
                try await session.start(["soft=60", "known=1"], environment: shim.environment, attaches: false)
                let end = ContinuousClock.now + .seconds(5)
                while session.host?.exit == nil, ContinuousClock.now < end {
                    // Files are closed when somebody asks for them.
                    session.send("flush")
                    try await Task.sleep(for: .milliseconds(20))
                }
                if session.host?.exit != nil { deaths += 1 }
                try await session.kill()
                try shim.set([])
                try await session.start(["soft=60", "known=1"], environment: shim.environment)
                try await session.check("death at call \(at)")
                #expect(unfinished(in: metadata).isEmpty)
                try await session.kill()
            }
            #expect(deaths == 6)
            try await session.start(["soft=60"])
            #expect(names(in: own).allSatisfy { !$0.hasSuffix(".tmp") || session.lines.contains("attached") })
            try await session.check()
            try await session.end()
            #expect(session.applicationFailures.isEmpty && session.unexpected.isEmpty)
        }
    }

    @Test("R-63 A transaction file's folder is synced before its transaction is told")
    func folderSynced() async throws {
        try await run { session, shim, metadata in
            let folder = metadata.appending("ltx").appending("0")
            try shim.set([.init(.count, count: 0, calls: ["fsync", "link"], pathPrefixes: [folder])])
            try await Task.sleep(for: .milliseconds(300))
            try shim.set([])
            let lines = try shim.log().filter { $0.contains(folder.string) }
            #expect(lines.contains { $0.contains(" fsync ") || $0.contains(" link ") }, "\(lines.prefix(3))")
        }
    }
}
