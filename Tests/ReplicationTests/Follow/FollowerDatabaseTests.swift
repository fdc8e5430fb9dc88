import Foundation
import LTX
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

@Suite(.timeLimit(.minutes(3))) struct FollowerDatabaseTests {
    @Test(
        "N10 Files are applied one after another, from memory and from the disk, also where the database gets smaller",
        arguments: [512, 4096, 65_536]
    )
    func applies(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "applying at \(pageSize)")
            let chain = try FollowedChain(folder, pageSize: pageSize)
            let path = folder.appending("file")
            for round in 0..<18 {
                let before = chain.state
                try chain.change(&random)
                guard let bytes = try chain.next() else { continue }
                try Data(bytes).write(to: URL(filePath: path.string))
                // Images kept, none kept of bytes in memory, none kept of a file.
                let decoded: DecodedTransaction? =
                    switch round % 3 {
                    case 0: try DecodedTransaction(path)
                    case 1: try DecodedTransaction(bytes: bytes, name: "file", keeping: 0)
                    default: try DecodedTransaction(path, keeping: 0)
                    }
                let transaction = try #require(decoded)
                #expect(transaction.state == chain.state && transaction.byteCount == bytes.count)
                #expect(try chain.follower.apply(transaction, from: before.checksum))
                #expect(try chain.follower.checkpointIfLong())
                #expect(try chain.complaint() == nil)
                #expect(chain.follower.journal.recorded == chain.state && chain.follower.journal.intended == nil)
            }
            // The checksums that were kept up to date are those of the pages.
            #expect(try chain.follower.examine(node: 2)?.checksum == chain.state.checksum)
            #expect(try SQLiteFile(chain.copy).integrityCheck() == "ok")
        }
    }

    @Test("N10 Files that follow each other are joined into one commit that leads to the same state")
    func joined() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "joining")
            let chain = try FollowedChain(folder, pageSize: 1024)
            for _ in 0..<10 {
                let before = chain.state
                var files: [DecodedTransaction] = []
                for _ in 0..<Int.random(in: 1...7, using: &random) {
                    try chain.change(&random)
                    guard let bytes = try chain.next() else { continue }
                    files.append(try #require(try DecodedTransaction(bytes: bytes, name: "file")))
                }
                guard !files.isEmpty else { continue }
                let joined = try #require(DecodedTransaction.joining(files))
                #expect(joined.header.minTXID.rawValue == before.number + 1 && joined.state == chain.state)
                #expect(try chain.follower.apply(joined, from: before.checksum))
                #expect(try chain.complaint() == nil)
            }
            let bytes = try chain.file([1], checksum: 0)
            let large = try #require(try DecodedTransaction(bytes: bytes, name: "file", keeping: 0))
            #expect(DecodedTransaction.joining([large, large]) == nil)
        }
    }

    @Test("N10 A file that does not lead to its mark, or begins elsewhere, changes nothing")
    func unfit() async throws {
        try await withTemporaryFolder { folder in
            let chain = try FollowedChain(folder, pageSize: 4096)
            let start = chain.state
            try chain.source.execute("INSERT INTO t(body) VALUES (randomblob(9000))")
            let good = try #require(try chain.next())
            let end = chain.state
            let bad = try chain.file([1, 2], checksum: end.checksum ^ 1)
            let unfit = try #require(try DecodedTransaction(bytes: bad, name: "bad"))
            let fit = try #require(try DecodedTransaction(bytes: good, name: "good"))
            #expect(try !chain.follower.apply(unfit, from: start.checksum))
            #expect(try !chain.follower.apply(fit, from: start.checksum ^ 1))
            #expect(chain.follower.checksum == start.checksum && chain.follower.journal.intended == nil)
            #expect(try chain.follower.apply(fit, from: start.checksum))
            #expect(chain.follower.checksum == end.checksum)
            #expect(try !chain.follower.apply(fit, from: start.checksum))
        }
    }

    @Test("N10 A file that is changed after it was checked is noticed before anything is committed")
    func changedMeanwhile() async throws {
        try await withTemporaryFolder { folder in
            let chain = try FollowedChain(folder, pageSize: 4096)
            let start = chain.state
            try chain.source.execute("INSERT INTO t(body) VALUES (randomblob(30000))")
            let good = try #require(try chain.next())
            let end = chain.state
            let other = try chain.file([1, 2, 3], checksum: end.checksum)
            let path = folder.appending("file")
            try Data(good).write(to: URL(filePath: path.string))
            let transaction = try #require(try DecodedTransaction(path, keeping: 0))
            try Data(other).write(to: URL(filePath: path.string))
            #expect(throws: LTXError.self) { try chain.follower.apply(transaction, from: start.checksum) }
            #expect(chain.follower.checksum == start.checksum)
            // As after a death at this point: what was about to happen is on record.
            #expect(chain.follower.journal.intended == end && chain.follower.journal.recorded == start)
            try Data(good).write(to: URL(filePath: path.string))
            #expect(try chain.follower.apply(transaction, from: start.checksum))
            #expect(try SQLiteFile(chain.copy).image().complaint(comparedWith: chain.source.image()) == nil)
        }
    }
}
