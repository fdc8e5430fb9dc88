import Foundation
import LTX
import NIOCore
import ObjectStorage
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

@Suite(.timeLimit(.minutes(3))) struct ChainPagesTests {
    /// A chain in a store without local files, and a copy with a tail.
    private struct Parted {
        let chain: FollowedChain
        let store: ProbeStore
        let replica: Replica
        private(set) var fork = ChainState(number: 0, checksum: 0, epoch: 0)
        /// The copy's checksum behind its tail.
        private(set) var checksum: UInt64 = 0

        init(
            _ folder: FilePath,
            _ random: inout SeededGenerator,
            pageSize: Int = 4096,
            pageCount: Int = 300,
            longerBy difference: Int = 0
        ) async throws {
            store = ProbeStore(folder.appending("replica"))
            replica = Replica(store: store, layout: .folder)
            chain = try FollowedChain(folder, pageSize: pageSize, pageCount: pageCount)
            try await put(try chain.snapshot(), level: 9, 1...1)
            for _ in 0..<4 { try await extend(&random, follows: true) }
            fork = chain.state
            let bytes = try chain.tail(&random, longerBy: difference)
            let tail = try #require(try DecodedTransaction(bytes: bytes, name: "tail"))
            let path = chain.follower.folder.transactionFile(TransactionID(rawValue: fork.number + 1))
            try Data(bytes).write(to: URL(filePath: path.string))
            #expect(try chain.follower.apply(tail, from: fork.checksum))
            checksum = tail.state.checksum
        }

        func put(_ bytes: [UInt8], level: Int, _ range: ClosedRange<UInt64>) async throws {
            let (min, max) = (TransactionID(rawValue: range.lowerBound), TransactionID(rawValue: range.upperBound))
            let key = replica.layout.key(level: level, min: min, max: max)
            let body = ObjectBody.bytes(ByteBuffer(bytes: bytes))
            try await replica.store.put(key, body, metadata: ObjectMetadata(), condition: .none)
        }

        /// One more transaction of the chain.
        func extend(_ random: inout SeededGenerator, follows: Bool = false) async throws {
            let before = chain.state
            try chain.change(&random)
            guard let bytes = try chain.next() else { return }
            try await put(bytes, level: 0, chain.state.number...chain.state.number)
            guard follows else { return }
            let transaction = try #require(try DecodedTransaction(bytes: bytes, name: "next"))
            #expect(try chain.follower.apply(transaction, from: before.checksum))
        }

        func difference(touched: Set<UInt32>? = nil) async throws -> DecodedTransaction? {
            let follower = chain.follower
            let known = try follower.pagesTouched(behind: fork.number)
            return try await ChainPages(replica, scratch: chain.copy).newest(
                behind: fork.number,
                touched: try #require(touched ?? known),
                pageCount: try #require(follower.pageCount),
                pageSize: try #require(follower.pageSize)
            )
        }
    }

    @Test(
        "N11 A database with a tail gets those pages that differ from the chain's newest state, and is there",
        arguments: [-3, 0, 2],
        [0, 1, 5]
    )
    func rewinds(difference: Int, later: Int) async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "rewinding \(difference), \(later)")
            let parted = try await Parted(folder, &random, longerBy: difference)
            for _ in 0..<later { try await parted.extend(&random) }
            let before = parted.store.requests.count
            let transaction = try #require(try await parted.difference())
            #expect(transaction.state == parted.chain.state)
            // Of the snapshot, which is large, parts are read.
            for case .get(let key, let range?) in parted.store.requests.dropFirst(before) where key.contains("ltx/9/") {
                #expect(range.count <= 1 << 20)
            }
            #expect(try parted.chain.follower.rewind(by: transaction))
            #expect(try parted.chain.complaint() == nil)
            #expect(parted.chain.follower.journal.recorded == parted.chain.state)
            #expect(try parted.chain.follower.folder.transactionIDs().isEmpty)
            #expect(try SQLiteFile(parted.chain.copy).integrityCheck() == "ok")
        }
    }

    @Test("N11 Also where all of the chain was merged into one file since, at any page size", arguments: [512, 65_536])
    func merged(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "rewinding to a merged chain at \(pageSize)")
            let parted = try await Parted(folder, &random, pageSize: pageSize, pageCount: 40)
            for _ in 0..<3 { try await parted.extend(&random) }
            try await parted.replica.delete(Array(try await parted.replica.list().files))
            try await parted.put(try parted.chain.snapshot(), level: 9, 1...parted.chain.state.number)
            let transaction = try #require(try await parted.difference())
            #expect(try parted.chain.follower.rewind(by: transaction))
            #expect(try parted.chain.complaint() == nil)
        }
    }

    @Test("N11 Pages that do not lead to the chain's newest state are not written")
    func unfit() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "rewinding by the wrong pages")
            let parted = try await Parted(folder, &random)
            try parted.chain.source.execute("INSERT INTO t(body) VALUES (randomblob(5000))")
            let number = parted.chain.state.number + 1
            try await parted.put(try #require(try parted.chain.next()), level: 0, number...number)
            let all = try #require(try parted.chain.follower.pagesTouched(behind: parted.fork.number))
            // A page of the tail that nobody knows of and the chain has not changed since.
            let changed = Set(try #require(try await parted.difference(touched: [])).pages.map(\.number))
            guard let hidden = all.subtracting(changed).first else { return }  // rare: it has changed all of them
            let transaction = try #require(try await parted.difference(touched: all.subtracting([hidden])))
            #expect(try !parted.chain.follower.rewind(by: transaction))
            #expect(parted.chain.follower.checksum == parted.checksum)
            #expect(try parted.chain.follower.folder.transactionIDs().count == 1)
        }
    }

    @Test("More pages than are got one by one are left to a restore")
    func tooMany() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "too many pages")
            let parted = try await Parted(folder, &random, pageSize: 512, pageCount: 2500)
            #expect(try await parted.difference(touched: Set(1...2049)) == nil)
            #expect(try await parted.difference() != nil)
        }
    }
}
