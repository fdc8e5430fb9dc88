import Foundation
import LTX
import SystemPackage
import TestDatabases
import TestSupport

@testable import Replication

/// A source that changes by ordinary transactions, the transaction files of its history, and a copy that follows them.
final class FollowedChain {
    let source: SQLiteFile
    let follower: FollowerDatabase
    let copy: FilePath
    private(set) var state: ChainState
    private var image: DatabaseImage

    init(_ folder: FilePath, pageSize: Int, pageCount: Int = 30) throws {
        let path = folder.appending("source.db")
        copy = folder.appending("copy.db")
        source = try SQLiteFile(path)
        try source.execute(
            """
            PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL;
            CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB);
            INSERT INTO t(body) VALUES (randomblob(\(pageCount * pageSize)));
            PRAGMA wal_checkpoint(TRUNCATE)
            """
        )
        image = try source.image()
        try Data(image.bytes).write(to: URL(filePath: copy.string))
        state = ChainState(number: 1, checksum: Self.checksum(of: image), epoch: 1)
        follower = try FollowerDatabase(DatabaseSettings(database: copy))
        guard try follower.lock() else { throw TestSupportError("\(copy) is locked") }
        try follower.note(state)
        _ = try follower.examine(node: 2)
    }

    /// One transaction, or a VACUUM, which makes the database smaller.
    func change(_ random: inout SeededGenerator) throws {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: try source.execute("VACUUM")
        case 1: try source.execute("DELETE FROM t WHERE id > 1 AND id IN (SELECT id FROM t ORDER BY id DESC LIMIT 5)")
        default:
            let byteCount = Int.random(in: 0...(20 * image.pageSize), using: &random)
            try source.execute("INSERT INTO t(body) VALUES (randomblob(\(byteCount)))")
        }
    }

    /// The transaction file of what has changed since the one before; `nil` where nothing has.
    func next() throws -> [UInt8]? {
        let now = try source.image()
        let changed = now.differences(from: image, limit: .max).filter { $0 <= now.pageCount }
        guard !changed.isEmpty || now.pageCount != image.pageCount else { return nil }
        image = now
        return try file(changed.isEmpty ? [1] : changed, checksum: Self.checksum(of: now))
    }

    /// A file of the transaction that comes next, which says that it leads to a state with this checksum.
    func file(_ pages: [Int], checksum: UInt64) throws -> [UInt8] {
        state = ChainState(number: state.number + 1, checksum: checksum, epoch: 1)
        return try Self.file(image, pages, state, since: state.number)
    }

    /// A file of all pages that begins with the first transaction.
    func snapshot() throws -> [UInt8] { try Self.file(image, Array(1...image.pageCount), state, since: 1) }

    /// A transaction that the chain never has, behind its present end: random pages, in a database of some other size.
    func tail(_ random: inout SeededGenerator, longerBy difference: Int) throws -> [UInt8] {
        let count = image.pageCount + difference
        var bytes = Array(image.bytes.prefix(count * image.pageSize))
        bytes += [UInt8](repeating: 0, count: max(0, difference) * image.pageSize)
        var pages = Set((0..<3).map { _ in Int.random(in: 2...min(count, image.pageCount), using: &random) })
        if difference > 0 { pages.formUnion(image.pageCount + 1...count) }
        for page in pages { bytes[page * image.pageSize - 1] ^= 1 + UInt8(page & 7) }
        let other = DatabaseImage(pageSize: image.pageSize, bytes: bytes)
        let state = ChainState(number: state.number + 1, checksum: Self.checksum(of: other), epoch: 1)
        return try Self.file(other, pages.sorted(), state, since: state.number)
    }

    private static func file(
        _ image: DatabaseImage,
        _ pages: [Int],
        _ state: ChainState,
        since first: UInt64
    ) throws -> [UInt8] {
        let header = LTXHeader(
            pageSize: image.pageSize,
            commit: UInt32(image.pageCount),
            minTXID: TransactionID(rawValue: first),
            maxTXID: TransactionID(rawValue: state.number),
            timestampMilliseconds: 1_700_000_000_000 + Int64(state.number),
            sourceMark: SourceMark(checksum: state.checksum, epoch: state.epoch)
        )
        var writer = try LTXWriter(pageSize: image.pageSize, sink: MemorySink())
        for page in pages {
            let bytes = Array(image.bytes[(page - 1) * image.pageSize..<page * image.pageSize])
            try writer.append(pageNumber: UInt32(page), page: bytes.span.bytes)
        }
        _ = try writer.finish(header: header)
        return writer.sink.bytes
    }

    /// How the copy, as SQLite reads it, and what the follower knows of it differ from the source.
    func complaint() throws -> String? {
        if follower.checksum != state.checksum { return "the follower knows another checksum" }
        if follower.pageCount != UInt32(image.pageCount) { return "the follower knows another size" }
        return try SQLiteFile(copy).image().complaint(comparedWith: source.image())
    }

    static func checksum(of image: DatabaseImage) -> UInt64 {
        (1...image.pageCount).reduce(0) { sum, page in
            let bytes = Array(image.bytes[(page - 1) * image.pageSize..<page * image.pageSize])
            let remainder = CRC64.remainder(of: bytes.span.bytes)
            return sum ^ DatabaseChecksum.page(number: UInt32(page), remainder: remainder, pageSize: image.pageSize)
        }
    }
}
