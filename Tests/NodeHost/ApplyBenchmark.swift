import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport

/// What it costs a follower to take in transactions of one page, on a database of some size.
///
///     node-host bench-apply FOLDER [MIB] [FILES]
enum ApplyBenchmark {
    private static let pageSize = 4096

    static func run(_ arguments: [String]) throws {
        guard let folder = arguments.first.map({ FilePath($0) }) else {
            throw TestSupportError("usage: node-host bench-apply FOLDER [MIB] [FILES]")
        }
        let megabytes = arguments.count > 1 ? Int(arguments[1]) ?? 512 : 512
        let count = arguments.count > 2 ? Int(arguments[2]) ?? 1000 : 1000
        let path = folder.appending("followed.db")
        let pages = try makeDatabase(path, megabytes, changing: count)
        let follower = try FollowerDatabase(DatabaseSettings(database: path))
        guard try follower.lock() else { throw TestSupportError("\(path) is locked") }
        try follower.note(ChainState(number: 1, checksum: 0, epoch: 1))
        _ = try follower.examine(node: 1)
        guard let start = follower.checksum, let size = follower.pageCount else {
            throw TestSupportError("\(path) has not been read")
        }
        let files = try makeFiles(pages, behind: start, size, in: folder)
        var (checksum, verifying, applying): (UInt64, Int64, [Int64]) = (start, 0, [])
        for path in files {
            let begun = BootClock.now
            guard let file = try DecodedTransaction(path) else { throw TestSupportError("\(path) has no mark") }
            let verified = BootClock.now
            guard try follower.apply(file, from: checksum) else { throw TestSupportError("\(path) does not fit") }
            let applied = BootClock.now
            checksum = file.state.checksum
            verifying += verified - begun
            applying.append(applied - verified)
        }
        let total = applying.reduce(0, +)
        say("database            \(size) pages of \(pageSize) bytes")
        say("files of one page   \(count)")
        say("reading and checking \(microseconds(verifying / Int64(count))) µs a file")
        say("applying            \(microseconds(total / Int64(count))) µs a file")
        say("median of applying  \(microseconds(applying.sorted()[count / 2])) µs")
    }

    /// Makes the database, and tells the pages that are to change, each with its share in the checksum.
    private static func makeDatabase(
        _ path: FilePath,
        _ megabytes: Int,
        changing count: Int
    ) throws -> [(page: UInt32, entry: UInt64)] {
        let file = try SQLiteFile(path, .init(autocheckpoint: 0))
        try file.execute("PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; CREATE TABLE t(x BLOB)")
        for _ in 0..<megabytes { try file.execute("INSERT INTO t VALUES (zeroblob(1048576))") }
        _ = try file.query("PRAGMA wal_checkpoint(TRUNCATE)")
        file.close()
        let database = try FileDescriptor.open(path, .readOnly)
        defer { try? database.close() }  // nobody has opened it yet, so that no lock is lost
        var random = SeededGenerator.announced(for: "the pages of the benchmark")
        let pageCount = UInt32(try database.seek(offset: 0, from: .end)) / UInt32(pageSize)
        var pages: [UInt32: UInt64] = [:]
        var bytes = [UInt8](repeating: 0, count: pageSize)
        while pages.count < count {
            let page = UInt32.random(in: 2...pageCount, using: &random)
            let offset = Int64(page - 1) * Int64(pageSize)
            _ = try unsafe bytes.withUnsafeMutableBytes {
                unsafe try database.read(fromAbsoluteOffset: offset, into: $0)
            }
            pages[page] = share(bytes, page)
        }
        return pages.map { ($0.key, $0.value) }
    }

    private static func makeFiles(
        _ pages: [(page: UInt32, entry: UInt64)],
        behind start: UInt64,
        _ size: UInt32,
        in folder: FilePath
    ) throws -> [FilePath] {
        var checksum = start
        return try pages.enumerated().map { index, old in
            let image = (0..<pageSize).map { UInt8(truncatingIfNeeded: $0 &* (index + 3) >> 4) }
            checksum ^= old.entry ^ share(image, old.page)
            let id = TransactionID(rawValue: UInt64(index) + 2)
            let header = LTXHeader(
                pageSize: pageSize,
                commit: size,
                minTXID: id,
                maxTXID: id,
                timestampMilliseconds: 1_700_000_000_000 + Int64(index),
                sourceMark: SourceMark(checksum: checksum, epoch: 1)
            )
            var writer = try LTXWriter(pageSize: pageSize, sink: MemorySink())
            // SAFETY: the elements are bytes, all of them initialized.
            try writer.append(pageNumber: old.page, page: unsafe image.span.bytes)
            _ = try writer.finish(header: header)
            let path = folder.appending("\(header.fileName)")
            try Data(writer.sink.bytes).write(to: URL(filePath: path.string))
            return path
        }
    }

    private static func share(_ image: [UInt8], _ page: UInt32) -> UInt64 {
        // SAFETY: the elements are bytes, all of them initialized.
        let remainder = unsafe CRC64.remainder(of: image.span.bytes)
        return DatabaseChecksum.page(number: page, remainder: remainder, pageSize: pageSize)
    }

    private static func microseconds(_ nanoseconds: Int64) -> String {
        String(format: "%.0f", Double(nanoseconds) / 1000)
    }
}
