import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// The page at 1 GiB, on which SQLite keeps its file locks and never data.
@Suite("Past 1 GiB") struct LockPageTests {
    @Test("A database that grows past 1 GiB is captured without its lock page", .timeLimit(.minutes(6)))
    func growth() async throws {
        try await withTemporaryFolder("lockpage") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile(path, .init(busyTimeout: .seconds(20), autocheckpoint: 0))
            try application.execute(
                """
                PRAGMA page_size = 65536; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                CREATE TABLE item(id INTEGER PRIMARY KEY, body BLOB);
                """
            )
            let lockPage = UInt32(0x4000_0000 / 65536) + 1
            // Up to a few pages before it, without an engine: zeros take little room in a transaction file.
            try application.execute("BEGIN")
            for _ in 0..<31 { try application.execute("INSERT INTO item(body) VALUES (zeroblob(\(32 << 20)))") }
            try application.execute("INSERT INTO item(body) VALUES (zeroblob(\(31 << 20))); COMMIT")
            try application.checkpoint(.truncate)
            let before = try application.integer("PRAGMA page_count")
            try #require(before < lockPage - 1 && before > lockPage - 40, "\(before)")

            let base = folder.appending("base.db")
            try await ChildProcess.run("cp", ["--sparse=always", path.string, base.string]).checked()

            let session = CaptureSession(path)
            try await session.engine.attach()
            try await session.flush(within: .seconds(200))
            for _ in 0..<6 {
                try application.write65536(pages: 8)
                try await session.flush()
            }
            let after = try application.integer("PRAGMA page_count")
            try #require(after > lockPage + 4, "\(after)")
            try await check(base, path, pages: after, lockPage: lockPage, source: application)
            try #require(session.events.unexpected.isEmpty && session.events.failures.isEmpty)
            #expect(await session.engine.status().counters.wholeCopies == 1)
            try await session.engine.detach()
        }
    }

    /// Lays the local files upon each other and compares the result with the source, byte for byte.
    ///
    /// Decoding 1 GiB takes long in a debug build: there the first file is held to its index, and the later ones are
    /// laid upon the database as it was when the first one was made.
    private func check(
        _ base: FilePath,
        _ path: FilePath,
        pages: Int64,
        lockPage: UInt32,
        source: SQLiteFile
    ) async throws {
        let file = try FileDescriptor.open(base, .readWrite)
        let metadata = MetadataFolder(root: MetadataFolder.defaultPath(for: path))
        var (next, commit) = (TransactionID.first, UInt32(0))
        while let source = try LocalFileSource(metadata.transactionFile(next)) {
            if next == .first, !Self.isWhole {
                var cursor = try LTXIndexCursor(LTXIndex(of: source), of: source, header: header(of: source))
                var numbers: [UInt32] = []
                while let entry = try cursor.next() { numbers.append(entry.pageNumber) }
                commit = try #require(numbers.last)
                #expect(numbers == (1...commit).filter { $0 != lockPage })
            } else {
                if next == .first { try file.resize(to: 0) }
                let summary = try LTXVerifier(source).verify(as: LTXFileName(min: next, max: next)) { number, page, _ in
                    #expect(number != lockPage)
                    try page.withUnsafeBytes { _ = try file.writeAll(toAbsoluteOffset: Int64(number - 1) * 65536, $0) }
                }
                commit = summary.header.commit
            }
            next = next.next
        }
        #expect(Int64(commit) == pages)
        try file.resize(to: Int64(commit) * 65536)
        try file.close()
        // The source's file is whole only after a checkpoint.
        try source.checkpoint(.truncate)
        try await ChildProcess.run("cmp", [base.string, path.string]).checked()
    }

    private func header(of source: LocalFileSource) throws -> LTXHeader {
        var bytes = [UInt8](repeating: 0, count: LTXHeader.byteCount)
        try bytes.withUnsafeMutableBytes { try source.read(into: $0, at: 0) }
        return try LTXHeader(parsing: bytes.span.bytes)
    }

    private static let isWhole = ProcessInfo.processInfo.environment["LOCK_PAGE"] == "whole"
}

extension SQLiteFile {
    fileprivate func write65536(pages: Int) throws {
        try execute("INSERT INTO item(body) VALUES (randomblob(64) || zeroblob(\(pages * 65536)))")
    }
}
