import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Requirements: the store or the disk fails", .timeLimit(.minutes(3)))
struct StoreAwayTests {
    @Test(
        "R-60: capture begins without the store, and everything is shipped when it appears",
        .enabled(if: Servers.areExpected)
    )
    func awayAtStart() async throws {
        try await withTemporaryFolder { folder in
            let gone = try await S3TestServer.moto()
            try await gone.stop()
            let application = try Application(folder.appending("app.db"), rows: 60)
            let process = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: gone.url("app")),
                in: folder,
                environment: gone.environment
            )
            try await process.waitForOutput(containing: "msg=Attached", within: .seconds(15))
            // That nothing is lost, whatever the application does meanwhile: the engine holds its place in the WAL.
            for mode in SQLiteFile.CheckpointMode.allCases {
                try application.write()
                try application.connection.setBusyTimeout(.milliseconds(50))
                do throws(SQLiteFailure) { try application.connection.checkpoint(mode) } catch { #expect(error.isBusy) }
                try application.connection.setBusyTimeout(.seconds(10))
                try application.write(rows: 30)
            }
            let server = try RestartedServer(gone)
            try await server.waitUntilReady()
            try await waitForReplica(
                gone.url("app"),
                commit: application.commits,
                of: process,
                environment: gone.environment,
                within: .seconds(60)
            )
            try await process.stopShipped()
            let output = folder.appending("out.db")
            try await Ours.restore(gone.url("app"), to: output, environment: gone.environment)
            #expect(try DatabaseImage(file: output).complaint(comparedWith: application.image()) == nil)
            try await server.stop()
        }
    }

    @Test("R-64: uploads that fail half-way are repeated; no part of one is left, no descriptor stays open")
    func failedUploads() async throws {
        try await withTemporaryFolder { folder in
            let (replica, shims) = (ReplicaFolder(folder.appending("replica")), folder.appending("shim"))
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: true)
            let shim = try await FaultShim(in: shims)
            let application = try Application(folder.appending("app.db"), rows: 200)
            let process = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: replica.url),
                in: folder,
                environment: shim.environment
            )
            try await replica.waitForCommit(application.commits, of: process)
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processID)/fd").count
            }
            let before = try descriptors()
            let faults: [(FaultShim.Rule.Fault, [String])] = [
                (.error("EIO"), ["write"]), (.torn("ENOSPC"), ["write"]), (.error("EIO"), ["fsync", "fdatasync"]),
                (.error("EIO"), ["rename", "link"]), (.error("EMFILE"), ["open"]),
            ]
            for (fault, calls) in faults {
                try shim.set([.init(fault, count: 2, calls: calls, pathPrefixes: [replica.path])])
                try application.write(rows: 5)
                try await replica.waitForCommit(application.commits, of: process)
                let counts = try shim.counts()[0]
                #expect(counts.injected > 0 || counts.matching == 0, "\(calls): \(counts)")
            }
            #expect(process.standardOutput.contains("Shipping failed"))
            #expect(process.standardOutput.contains("Shipping recovered"))
            #expect(try descriptors() <= before + 1, "\(before) descriptors before")
            try await process.stopShipped()
            #expect(
                replica.everything().allSatisfy { $0.hasSuffix(".ltx") || !$0.contains(".") },
                "\(replica.everything())"
            )
            for name in replica.names() { _ = try replica.summary(name) }
        }
    }

    @Test(
        "R-62: on a full disk capture pauses, the application does not notice, and capture goes on once there is room"
    )
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            let (replica, shims) = (ReplicaFolder(folder.appending("replica")), folder.appending("shim"))
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: true)
            let shim = try await FaultShim(in: shims)
            let application = try Application(folder.appending("app.db"), rows: 60)
            let process = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: replica.url),
                in: folder,
                environment: shim.environment
            )
            try await replica.waitForCommit(application.commits, of: process)
            let metadata = DatabaseFiles.metadata(of: application.path)
            try shim.set([.init(.torn("ENOSPC"), count: 0, calls: ["write"], pathPrefixes: [metadata])])
            for _ in 0..<10 { try application.write() }
            try await process.waitForOutput(containing: "Capture failed")
            #expect(
                process.standardOutput.contains("full") || process.standardOutput.contains("No space left"),
                "\(process.outputForMessages)"
            )
            for _ in 0..<10 { try application.write() }
            for name in ReplicaFolder(metadata).names() { _ = try ReplicaFolder(metadata).summary(name) }
            try shim.set([])
            let start = ContinuousClock.now
            try await replica.waitForCommit(application.commits, of: process, within: .seconds(20))
            #expect(start.duration(to: .now) < .seconds(15))
            try await process.stopShipped()
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try DatabaseImage(file: output).complaint(comparedWith: application.image()) == nil)
            #expect(try replica.wholeCopies() == [replica.names()[0]])
        }
    }

    @Test(
        "R-12: a local file is lost while the store is away: what follows begins above the replica's last transaction"
    )
    func localStateLost() async throws {
        try await withTemporaryFolder { folder in
            let (replica, shims) = (ReplicaFolder(folder.appending("replica")), folder.appending("shim"))
            try FileManager.default.createDirectory(atPath: shims.string, withIntermediateDirectories: true)
            let shim = try await FaultShim(in: shims)
            let application = try Application(folder.appending("app.db"), rows: 60)
            let process = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: replica.url),
                in: folder,
                environment: shim.environment
            )
            for _ in 0..<3 {
                try application.write()
                try await replica.waitForCommit(application.commits, of: process)
            }
            let before = replica.highest()
            try shim.set([.init(.error("EIO"), count: 0, calls: ["open", "write"], pathPrefixes: [replica.path])])
            let local = ReplicaFolder(DatabaseFiles.metadata(of: application.path))
            try application.write()
            try await eventually("a local file that is not shipped") { local.highest() > before }
            for _ in 0..<3 { try application.write() }
            let lost = try #require(local.names().first { $0 > replica.names()[replica.names().count - 1] })
            try FileManager.default.removeItem(atPath: local.file(lost).string)
            try shim.set([])
            for _ in 0..<3 { try application.write() }
            try await replica.waitForCommit(application.commits, of: process, within: .seconds(60))
            try await process.stopShipped()
            #expect(replica.highest() > before)
            for restore in [Ours.restoring, Litestream.restoring] {
                let output = folder.appending("out.db")
                DatabaseFiles.remove(output)
                try await restore(replica.url, output)
                #expect(try RestoredDatabase(output).digest == application.digest())
            }
        }
    }
}

extension Ours {
    /// A restore as a value.
    static let restoring: @Sendable (String, FilePath) async throws -> Void = { try await restore($0, to: $1) }
}

extension Litestream {
    /// A restore as a value; by this program where Litestream is not installed.
    static let restoring: @Sendable (String, FilePath) async throws -> Void = { url, output in
        if isExpected { try await restore(url, to: output) } else { try await Ours.restore(url, to: output) }
    }
}
