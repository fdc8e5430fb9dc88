import Foundation
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("Requirements: one history on one replica", .timeLimit(.minutes(2)))
struct HistoryTests {
    /// A database and the program's arguments for it.
    private struct Side {
        let application: Application
        let replica: ReplicaFolder

        init(_ name: String, in folder: FilePath, to replica: ReplicaFolder, seed: UInt64 = 1) throws {
            application = try Application(folder.appending(name), rows: 60, seed: seed)
            self.replica = replica
        }

        /// Ships what there is.
        @discardableResult
        func once(to other: ReplicaFolder? = nil) async throws -> ChildProcess.Result {
            try await Ours.run(["replicate", "-once", application.path.string, (other ?? replica).url]).checked()
        }

        /// Ships some transactions, each in a file of its own.
        func ship(_ count: Int, to other: ReplicaFolder? = nil) async throws {
            for _ in 0..<count {
                try application.write()
                try await once(to: other)
            }
        }

        var metadata: FilePath { DatabaseFiles.metadata(of: application.path) }
    }

    /// Both programs restore the replica to what the application has.
    private func expectEqual(_ side: Side, in folder: FilePath, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let restored = (ours: folder.appending("ours.db"), theirs: folder.appending("theirs.db"))
        for path in [restored.ours, restored.theirs] { DatabaseFiles.remove(path) }
        try await Ours.restore(side.replica.url, to: restored.ours)
        let digest = try side.application.digest()
        #expect(try SQLiteFile.contentDigest(of: restored.ours) == digest, sourceLocation: sourceLocation)
        guard Litestream.isExpected else { return }
        try await Litestream.restore(side.replica.url, to: restored.theirs)
        #expect(try SQLiteFile.contentDigest(of: restored.theirs) == digest, sourceLocation: sourceLocation)
    }

    @Test("R-05: a database whose history is another one begins anew above the replica's, and says so")
    func twoHistories() async throws {
        try await withTemporaryFolder { folder in
            let shared = ReplicaFolder(folder.appending("replica"))
            let first = try Side("a.db", in: folder, to: shared)
            try await first.ship(4)
            let second = try Side("b.db", in: folder, to: shared, seed: 2)
            try await second.ship(6, to: ReplicaFolder(folder.appending("other")))
            try second.application.write()
            let result = try await second.once()
            #expect(result.standardOutput.contains("whole copy begins a new history"), "\(result.standardOutput)")
            #expect(try shared.wholeCopies() == [shared.names()[0], "0000000000000005-0000000000000005.ltx"])
            try await expectEqual(second, in: folder)
            // What was there before can still be reached.
            let old = folder.appending("old.db")
            try await Ours.restore(shared.url, to: old, options: ["-txid", "4"])
            #expect(try RestoredDatabase(old).digest == first.application.digest())
            try await second.ship(2)
            try await expectEqual(second, in: folder)
        }
    }

    @Test("R-05: a database with fewer transactions than the foreign replica does not append to it either")
    func twoHistoriesBehind() async throws {
        try await withTemporaryFolder { folder in
            let shared = ReplicaFolder(folder.appending("replica"))
            try await Side("a.db", in: folder, to: shared).ship(4)
            let second = try Side("b.db", in: folder, to: shared, seed: 2)
            try await second.ship(2, to: ReplicaFolder(folder.appending("other")))
            try await second.ship(2)
            try await expectEqual(second, in: folder)
            #expect(try shared.wholeCopies().count == 2)
        }
    }

    @Test("R-11: what is written after a restore on a new machine is on the replica at once", arguments: [true, false])
    func afterRestore(_ writesFirst: Bool) async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            try await Side("a.db", in: folder, to: replica).ship(5)
            let path = folder.appending("b.db")
            try await Ours.restore(replica.url, to: path)
            let second = try Side("b.db", in: folder, to: replica)
            if writesFirst { try second.application.write() }
            let process = try Ours.replicate(Ours.plainConfiguration(of: path, to: replica.url), in: folder)
            if !writesFirst {
                try await process.waitForOutput(containing: "The database was read")
                try second.application.write()
            }
            try await replica.waitForCommit(second.application.commits, of: process)
            try await process.stopShipped()
            #expect(replica.highest() == 6)
            // A database that is still as it was restored is recognised: nothing has to be copied again.
            if !writesFirst { #expect(try replica.wholeCopies() == [replica.names()[0]]) }
            try await expectEqual(second, in: folder)
        }
    }

    @Test("R-11: after a restore of an earlier state the next file begins a new history above all others")
    func afterEarlierRestore() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            try await Side("a.db", in: folder, to: replica).ship(5)
            try await Ours.restore(replica.url, to: folder.appending("b.db"), options: ["-txid", "3"])
            let second = try Side("b.db", in: folder, to: replica)
            try await second.ship(2)
            #expect(replica.highest() > 5)
            try await expectEqual(second, in: folder)
        }
    }

    @Test("R-13: local files that are missing, broken or all gone need no person", arguments: LocalLoss.allCases)
    func localFilesLost(_ loss: LocalLoss) async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let side = try Side("a.db", in: folder, to: replica)
            try await side.ship(5)
            try loss.inflict(on: side.metadata)
            try await side.ship(3)
            #expect(replica.highest() >= 8)
            try await expectEqual(side, in: folder)
        }
    }

    @Test("R-14: a file that vanished from the replica is uploaded again from the local one")
    func gapFilled() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let side = try Side("a.db", in: folder, to: replica)
            try await side.ship(6)
            let names = replica.names()
            for name in names[2...3] { try FileManager.default.removeItem(atPath: replica.file(name).string) }
            try await side.ship(1)
            #expect(replica.names() == names + ["0000000000000007-0000000000000007.ltx"])
            #expect(try replica.wholeCopies() == [names[0]])
            try await expectEqual(side, in: folder)
        }
    }

    @Test("R-14: a gap that no local file fills is bridged by a whole copy, which both programs restore")
    func gapBridged() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let side = try Side("a.db", in: folder, to: replica)
            try await side.ship(6)
            let lost = replica.names()[3]
            try FileManager.default.removeItem(atPath: replica.file(lost).string)
            try FileManager.default.removeItem(atPath: ReplicaFolder(side.metadata).file(lost).string)
            try side.application.write()
            let configuration = Litestream.configuration(of: side.application.path, to: replica.url)
            let process = try Ours.replicate(configuration, in: folder)
            try await replica.waitForCommit(side.application.commits, of: process)
            try side.application.write()
            try await process.stopShipped()
            try await expectEqual(side, in: folder)
        }
    }

    @Test("A replica that was emptied is filled anew")
    func emptied() async throws {
        try await withTemporaryFolder { folder in
            let replica = ReplicaFolder(folder.appending("replica"))
            let side = try Side("a.db", in: folder, to: replica)
            try await side.ship(3)
            try FileManager.default.removeItem(atPath: replica.path.string)
            try await side.ship(1)
            try await expectEqual(side, in: folder)
        }
    }
}

/// What can happen to the metadata folder while nobody replicates.
enum LocalLoss: String, CaseIterable, Sendable {
    case everything, allTransactions, newestTransaction, middleTransaction, tornNewest, positionsOnly, pageTables

    /// Does it.
    func inflict(on metadata: FilePath) throws {
        let manager = FileManager.default
        let local = ReplicaFolder(metadata)
        let names = local.names()
        let own = metadata.appending("sqlite-replicate")
        switch self {
        case .everything: try manager.removeItem(atPath: metadata.string)
        case .allTransactions: try manager.removeItem(atPath: metadata.appending("ltx").string)
        case .newestTransaction: try manager.removeItem(atPath: local.file(names[names.count - 1]).string)
        case .middleTransaction: try manager.removeItem(atPath: local.file(names[names.count / 2]).string)
        case .tornNewest:
            let file = URL(filePath: local.file(names[names.count - 1]).string)
            try Data(contentsOf: file).dropLast(40).write(to: file)
        case .positionsOnly, .pageTables:
            let isTable = self == .pageTables
            for name in try manager.contentsOfDirectory(atPath: own.string) where name.contains("page") == isTable {
                try manager.removeItem(atPath: own.appending(name).string)
            }
        }
    }
}
