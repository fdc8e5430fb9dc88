import LTX
import SQLiteFormat
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

/// A database that holds own commits beyond the place where it seals (failover-review N9 b, N12).
@Suite("Opening ahead of the seal") struct OpeningAheadTests {
    private static let node: UInt64 = 5

    /// A database that has opened in epoch 1 behind transaction 11, and then committed on.
    private struct Ahead {
        let settings: DatabaseSettings
        let sealed: ChainState
        let firstPage: [UInt8]
        let pageCount: UInt32
        /// Stays open: its end would be the end of the log, which proves what was committed.
        let file: SQLiteFile

        init(_ path: FilePath) throws {
            settings = DatabaseSettings(database: path)
            file = try SQLiteFile(path, .init(autocheckpoint: 0))
            try file.execute("PRAGMA journal_mode = WAL; CREATE TABLE t(x)")
            for number in 0..<50 { try file.execute("INSERT INTO t VALUES (zeroblob(\(number * 100)))") }
            let follower = try FollowerDatabase(settings)
            defer { follower.close() }
            #expect(try follower.lock())
            #expect(try follower.examine(node: node) == nil)
            let checksum = try #require(follower.checksum)
            try follower.note(ChainState(number: 10, checksum: checksum, epoch: 1))
            sealed = ChainState(number: 11, checksum: checksum, epoch: 1)
            let seal = try follower.writeSeal(sealed, node: node, .ownFirstPage)
            firstPage = try #require(try seal.page(1))
            pageCount = seal.header.commit
            try follower.prepareOpening(seal)
            try follower.unlock()
            for _ in 0..<3 { try file.execute("INSERT INTO t VALUES (randomblob(3000))") }
        }

        /// Looks at the database, as a new process does.
        func examined() throws -> (follower: FollowerDatabase, finding: FollowerDatabase.Finding) {
            let follower = try FollowerDatabase(settings)
            #expect(try follower.lock())
            return (follower, try #require(try follower.examine(node: node)))
        }

        func seal(_ follower: FollowerDatabase) throws -> LocalTransaction {
            let state = ChainState(number: 12, checksum: sealed.checksum, epoch: 2)
            return try follower.writeSeal(state, node: node, .firstPage(firstPage, pageCount: pageCount))
        }
    }

    private func expectKept(_ ahead: Ahead) throws {
        let (follower, finding) = try ahead.examined()
        defer { follower.close() }
        #expect(finding.recorded == ChainState(number: 12, checksum: ahead.sealed.checksum, epoch: 2))
        #expect(finding.ahead.map(\.state.number) == [13])
        #expect(finding.ahead.last?.state.checksum == finding.checksum, "the database must be known")
    }

    @Test("What the database holds beyond the seal is the transaction behind it, with the pages that differ alone")
    func difference() async throws {
        try await withTemporaryFolder { folder in
            let ahead = try Ahead(folder.appending("app.db"))
            let (follower, finding) = try ahead.examined()
            #expect(finding.recorded == ahead.sealed && finding.ahead.map(\.state.number) == [12])
            try follower.prepareOpening(try ahead.seal(follower))
            follower.close()
            try expectKept(ahead)
            let id = try #require(TransactionID(exactly: 13))
            let file = try #require(try LocalTransaction(MetadataFolder.of(ahead.settings).transactionFile(id)))
            #expect(file.byteCount < 20_000, "a difference, not a copy")
            #expect(file.node == Self.node)
        }
    }

    @Test("Where the pages at the seal are not known, all are in it")
    func unknownTable() async throws {
        try await withTemporaryFolder { folder in
            let ahead = try Ahead(folder.appending("app.db"))
            let (follower, _) = try ahead.examined()
            follower.tableAtRecorded = nil
            try follower.prepareOpening(try ahead.seal(follower))
            follower.close()
            try expectKept(ahead)
        }
    }

    @Test("A process that dies while the files take their places has opened all the same", arguments: 0...2)
    func dies(step: Int) async throws {
        try await withTemporaryFolder { folder in
            let ahead = try Ahead(folder.appending("app.db"))
            let (follower, _) = try ahead.examined()
            let seal = try ahead.seal(follower)
            let files = MetadataFolder.of(ahead.settings)
            #expect(seal.state.number == 12)
            let (before, own) = (try Self.contents(files.transactions), files.own)
            let sealBytes = try Self.contents(own)["seal.ltx"]
            try follower.prepareOpening(seal)
            follower.close()
            let after = try Self.contents(files.transactions)
            let (sealName, aheadName) = (after.keys.min() ?? "", after.keys.max())
            let waiting = try #require(aheadName.flatMap { after[$0] })
            // As it was after that step: nothing but the waiting file; the old files gone; the seal in its place.
            for name in after.keys { try Disk.remove(files.transactions.appending(name)) }
            if step == 0 {
                for (name, bytes) in before { try Self.write(bytes, files.transactions.appending(name)) }
            }
            if step < 2 {
                try Self.write(try #require(sealBytes), own.appending("seal.ltx"))
                try follower.journal.record(ahead.sealed)
            } else {
                try Self.write(try #require(after[sealName]), files.transactions.appending(sealName))
            }
            try Self.write(waiting, own.appending("ahead.ltx"))
            for file in [files.positionFile, files.pageTableFile] { try Disk.remove(file) }
            try expectKept(ahead)
        }
    }

    private static func contents(_ folder: FilePath) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for name in try Disk.names(in: folder) where name.hasSuffix(".ltx") {
            found[name] = try Disk.contents(of: folder.appending(name), limit: 1 << 24)
        }
        return found
    }

    private static func write(_ bytes: [UInt8], _ path: FilePath) throws {
        try Disk.replace(path, with: bytes, mode: 0o600, durable: false)
    }
}
