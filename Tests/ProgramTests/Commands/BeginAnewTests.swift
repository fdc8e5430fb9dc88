import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// A cluster that an operator lets begin anew: what each node does, and what both programs restore.
@Suite("The commands cluster adopt and cluster repair -reseed", .timeLimit(.minutes(5)))
struct BeginAnewTests {
    private struct Pair {
        let folder: FilePath
        let replica: ReplicaFolder
        let a: NodeFiles
        let b: NodeFiles

        init(in folder: FilePath) async throws {
            self.folder = folder
            replica = ReplicaFolder(folder.appending("replica"))
            let top = ["service: {writer-interval: 20ms}"]
            a = try await NodeFiles("a", in: folder, replica: replica.url, top: top)
            b = try await NodeFiles("b", in: folder, replica: replica.url, top: top)
        }

        /// Lets both run until the standby has followed, and ends both: all is shipped.
        func live() async throws {
            let service = try a.start("service")
            try await a.waitFor("/primary", of: service)
            let standby = try b.start("standby")
            try await b.waitFor("/replica", of: standby)
            let before = try rows(b).count
            try await eventually("b follows\(standby.outputForMessages)", within: .seconds(60)) {
                try rows(b).count > before + 10
            }
            #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
        }

        func rows(_ node: NodeFiles) throws -> [[SQLiteValue]] { try rows(node.database) }

        func rows(_ database: FilePath) throws -> [[SQLiteValue]] {
            try SQLiteFile(database, .init(creates: false)).query("SELECT * FROM events ORDER BY rowid")
        }

        func haltOf(_ node: NodeFiles, _ process: ChildProcess) async throws -> String {
            var words: String?
            try await eventually("\(node.name) halts\(process.outputForMessages)", within: .seconds(60)) {
                guard process.exit == nil else { throw TestSupportError("It ended.\(process.outputForMessages)") }
                let status = try? await NodeClient().status(of: node.url)  // it may not listen yet
                words = status?.role == "halted" ? status?.failure : nil
                return words != nil
            }
            return words ?? ""
        }

        /// From the new beginning on: one writes, the other, which had halted, follows without being started again; then
        /// both end, and both programs restore what the writer holds.
        func goOn(with service: ChildProcess, _ standby: ChildProcess, tails: Int) async throws {
            try await a.waitFor("/primary", of: service)
            try await b.waitFor("/replica", of: standby)
            let before = try rows(b).count
            try await eventually("b follows again\(standby.outputForMessages)", within: .seconds(60)) {
                try rows(b).count > before + 10
            }
            #expect(try await NodeClient().status(of: b.url).tails?.unacknowledged == tails)
            #expect(try await standby.terminate().isSuccess, "\(standby.outputForMessages)")
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            let all = try rows(a)
            #expect(try rows(b) == Array(all.prefix(try rows(b).count)))
            let output = folder.appending("ours.db")
            try await Ours.restore(replica.url, to: output)
            #expect(try rows(output) == all)
            guard Litestream.isExpected else { return }
            let theirs = folder.appending("theirs.db")
            try await Litestream.restore(replica.url, to: theirs)
            #expect(try rows(theirs) == all)
        }
    }

    @Test(
        "Litestream on the path of a cluster halts its nodes; adopt lets one database count, and the other follows it",
        .enabled(if: Litestream.isExpected)
    )
    func adopt() async throws {
        try await withTemporaryFolder { folder in
            let pair = try await Pair(in: folder)
            try await pair.live()
            let highest = pair.replica.highest()
            let other = folder.appending("other.db")
            let file = try SQLiteFile(other, .init(autocheckpoint: 0))
            try file.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(x)")
            let litestream = try Litestream.replicate(
                configuration: Litestream.configuration(of: other, to: pair.replica.url),
                in: folder
            )
            try await litestream.sync(other)
            try file.execute("INSERT INTO t VALUES (1)")
            try await litestream.sync(other)
            #expect(try await litestream.stop().isSuccess)
            #expect(pair.replica.highest() > highest)

            let service = try pair.a.start("service")
            let standby = try pair.b.start("standby")
            for (node, process) in [(pair.a, service), (pair.b, standby)] {
                let words = try await pair.haltOf(node, process)
                #expect(words.contains("was written by another program") && words.contains("cluster adopt"), "\(words)")
            }
            expectRefusal(try await pair.a.run(["cluster", "adopt", "-yes"]), code: 4, naming: ["stop that one first"])
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            let unsure = try await pair.a.run(["cluster", "adopt"])
            #expect(unsure.exit.status == .code(2) && unsure.standardError.contains("then give -yes"), "\(unsure)")
            let adopted = try await pair.a.run(["cluster", "adopt", "-yes"]).checked()
            #expect(adopted.standardOutput.oneLine.contains("goes on behind transaction"), "\(adopted)")
            let again = try await pair.a.run(["cluster", "adopt", "-yes"]).checked()
            #expect(again.standardOutput.oneLine.contains("nothing was changed"), "\(again)")
            try await pair.goOn(with: try pair.a.start("service"), standby, tails: 0)
        }
    }

    @Test("A store put back to an older copy halts the nodes; after reseed one goes on, and the other follows it")
    func reseed() async throws {
        try await withTemporaryFolder { folder in
            let pair = try await Pair(in: folder)
            try await pair.live()
            _ = try pair.replica.frozen(at: folder.appending("older"))
            try await pair.live()
            try FileManager.default.removeItem(atPath: pair.replica.path.string)
            try FileManager.default.moveItem(
                atPath: folder.appending("older").string,
                toPath: pair.replica.path.string
            )
            let highest = pair.replica.highest()

            let service = try pair.a.start("service")
            let standby = try pair.b.start("standby")
            for (node, process) in [(pair.a, service), (pair.b, standby)] {
                let words = try await pair.haltOf(node, process)
                #expect(words.contains("went back in time") && words.contains("-reseed"), "\(words)")
            }
            #expect(pair.replica.highest() == highest)
            #expect(try await service.terminate().isSuccess, "\(service.outputForMessages)")
            let reseeded = try await pair.a.run(["cluster", "repair", "-reseed", "-yes"]).checked()
            #expect(reseeded.standardOutput.oneLine.contains("behind transaction 00000001"), "\(reseeded)")
            try await pair.goOn(with: try pair.a.start("service"), standby, tails: 1)
            #expect(pair.replica.highest() > 1 << 32)
        }
    }
}
