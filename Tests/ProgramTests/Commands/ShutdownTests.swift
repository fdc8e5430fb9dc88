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

@Suite("The end of replicate", .timeLimit(.minutes(2)))
struct ShutdownTests {
    /// A replica that no request reaches: nothing listens at the discard port of this host.
    private static let unreachable = "s3://test/app?endpoint=http://127.0.0.1:9&forcePathStyle=true&region=us-east-1"
    private static let keys: [String: String?] = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"]

    @Test("R-61: SIGTERM and SIGINT ship what was just committed, and end with 0", arguments: [SIGTERM, SIGINT])
    func shipsTheRest(_ signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let process = try Ours.replicate(
                Ours.plainConfiguration(of: application.path, to: replica.url),
                in: folder
            )
            try await replica.waitForTransaction(above: 0, of: process)
            for _ in 0..<20 { try application.write() }
            process.signal(signal)
            let exit = try await process.waitForExit()
            #expect(exit.isSuccess, "\(process.outputForMessages)")
            #expect(process.standardError.isEmpty)
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try RestoredDatabase(output).digest == application.digest())
            #expect(try RestoredDatabase(output).commits == application.commits)
        }
    }

    @Test("R-61: with the store away it gives up after shutdown-sync-timeout, ends with 1, and ships at the next start")
    func storeAway() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            func configuration(_ url: String) -> String {
                Ours.plainConfiguration(of: application.path, to: url, global: ["shutdown-sync-timeout: 2s"])
            }
            let process = try Ours.replicate(configuration(Self.unreachable), in: folder, environment: Self.keys)
            try await process.waitForOutput(containing: "msg=Attached")
            try await process.waitForOutput(containing: "Connection refused")
            for _ in 0..<5 { try application.write() }
            let start = ContinuousClock.now
            let exit = try await process.terminate(within: .seconds(20))
            #expect(exit.status == .code(1), "\(exit)\(process.outputForMessages)")
            #expect(start.duration(to: .now) < .seconds(12))
            #expect(process.standardOutput.contains("not shipped"), "\(process.outputForMessages)")

            let replica = ReplicaFolder(folder.appending("replica"))
            let next = try Ours.replicate(configuration(replica.url), in: folder)
            try await replica.waitForCommit(application.commits, of: next)
            try await next.stopShipped()
        }
    }

    @Test("A second signal ends it at once with 128 and its number", arguments: [SIGTERM, SIGINT])
    func secondSignal(_ signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let process = try Ours.replicate(
                Ours.plainConfiguration(
                    of: application.path,
                    to: Self.unreachable,
                    global: ["shutdown-sync-timeout: 10m"]
                ),
                in: folder,
                environment: Self.keys
            )
            try await process.waitForOutput(containing: "Connection refused")
            process.signal(SIGTERM)
            try await process.waitForOutput(containing: "shutting down")
            let start = ContinuousClock.now
            process.signal(signal)
            let exit = try await process.waitForExit(within: .seconds(10))
            #expect(exit.shellCode == 128 + signal)
            #expect(start.duration(to: .now) < .seconds(8))
            #expect(try application.connection.integrityCheck() == "ok")
        }
    }

    @Test("-once ships what there is and ends; -force-snapshot adds a snapshot, and nothing twice")
    func once() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let replica = ReplicaFolder(folder.appending("replica"))
            let arguments = ["replicate", "-once", application.path.string, replica.url]
            try await Ours.run(arguments).checked()
            #expect(replica.names().count == 1 && replica.names(level: 9).isEmpty)
            try await Ours.run(arguments).checked()
            #expect(replica.names().count == 1, "nothing was committed in between")
            try application.write()
            try await Ours.run(arguments + ["-force-snapshot"]).checked()
            let highest = replica.names().last ?? ""
            #expect(replica.names().count == 2)
            #expect(replica.names(level: 9) == ["0000000000000001" + highest.dropFirst(16)])
            try await Ours.run(arguments + ["-force-snapshot", "-enforce-retention"]).checked()
            #expect(replica.names(level: 9).count == 1)
            let output = folder.appending("out.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try RestoredDatabase(output).digest == application.digest())
        }
    }

    @Test("-once with the store away ends with 1 within shutdown-sync-timeout")
    func onceAway() async throws {
        try await withTemporaryFolder { folder in
            let application = try Application(folder.appending("app.db"))
            let file = folder.appending("c.yml")
            let text = Ours.plainConfiguration(
                of: application.path,
                to: Self.unreachable,
                global: ["shutdown-sync-timeout: 1s"]
            )
            try text.write(toFile: file.string, atomically: true, encoding: .utf8)
            let result = try await Ours.run(
                ["replicate", "-once", "-config", file.string],
                environment: Self.keys,
                within: .seconds(20)
            )
            #expect(result.exit.status == .code(1))
        }
    }
}
