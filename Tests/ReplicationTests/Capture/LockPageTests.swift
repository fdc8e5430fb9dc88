import Foundation
import LTX
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// The page at 1 GiB, on which SQLite keeps its file locks and never data.
@Suite("Past 1 GiB") struct LockPageTests {
    @Test("A database that grows past 1 GiB is captured without its lock page", .timeLimit(.minutes(3)))
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

            print("made", ContinuousClock.now)
            let session = CaptureSession(path)
            try await session.engine.attach()
            try await session.flush(within: .seconds(60))
            print("copied", ContinuousClock.now)
            for _ in 0..<6 {
                try application.write65536(pages: 8)
                try await session.flush()
            }
            let after = try application.integer("PRAGMA page_count")
            try #require(after > lockPage + 4, "\(after)")
            print("grown", ContinuousClock.now)
            try check(folder, path, pages: after, lockPage: lockPage, source: application)
            try #require(session.events.unexpected.isEmpty && session.events.failures.isEmpty)
            #expect(await session.engine.status().counters.wholeCopies == 1)
            try await session.engine.detach()
        }
    }

    /// Lays the local files into a file and compares it with the source, piece by piece.
    private func check(
        _ folder: FilePath,
        _ path: FilePath,
        pages: Int64,
        lockPage: UInt32,
        source: SQLiteFile
    ) throws {
        let output = folder.appending("restored.db")
        let file = try FileDescriptor.open(output, .readWrite, options: [.create], permissions: .ownerReadWrite)
        let metadata = MetadataFolder(root: MetadataFolder.defaultPath(for: path))
        var next = TransactionID.first
        var commit: UInt32 = 0
        while let source = try LocalFileSource(metadata.transactionFile(next)) {
            let name = LTXFileName(min: next, max: next)
            let summary = try LTXVerifier(source).verify(as: name) { number, page, _ in
                #expect(number != lockPage)
                try page.withUnsafeBytes { bytes in
                    // Zeros stay holes.
                    guard bytes.contains(where: { $0 != 0 }) else { return }
                    _ = try file.writeAll(toAbsoluteOffset: Int64(number - 1) * 65536, bytes)
                }
            }
            if summary.header.commit > commit, commit > 0 { #expect(summary.pageCount > 0) }
            commit = summary.header.commit
            next = next.next
        }
        print("verified", ContinuousClock.now)
        #expect(Int64(commit) == pages)
        try file.resize(to: Int64(commit) * 65536)
        try file.close()
        let restored = try SQLiteFile(output)
        #expect(try restored.integrityCheck() == "ok")
        for sql in ["SELECT count(*), sum(length(body)) FROM item", "SELECT group_concat(hex(substr(body, 1, 8))) FROM item"] {
            #expect(try restored.query(sql) == source.query(sql))
        }
        print("queried", ContinuousClock.now)
        // Page for page, but for the end of the WAL: the source is checkpointed for that.
        restored.close()
        try source.checkpoint(.truncate)
        print("truncated", ContinuousClock.now)
        let complaint = try compare(output, path, lockPage: lockPage)
        #expect(complaint == nil, "\(complaint ?? "")")
    }

    /// The first page that differs, in another process: closing a database in this one would drop its locks.
    private func compare(_ one: FilePath, _ other: FilePath, lockPage: UInt32) throws -> String? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/cmp")
        process.arguments = [one.string, other.string]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus == 0 { return nil }
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}

extension SQLiteFile {
    fileprivate func write65536(pages: Int) throws {
        try execute("INSERT INTO item(body) VALUES (randomblob(64) || zeroblob(\(pages * 65536)))")
    }
}
