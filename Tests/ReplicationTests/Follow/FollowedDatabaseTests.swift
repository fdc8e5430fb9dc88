import Dispatch
import Foundation
import SQLiteFormat
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

@Suite(.timeLimit(.minutes(3))) struct FollowedDatabaseTests {
    @Test(
        "N10 Commits that are applied give the source page for page, and no reader sees half of one",
        arguments: [512, 1024, 4096, 65_536]
    )
    func applies(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "following at \(pageSize)")
            let pair = try Pair(folder, pageSize: pageSize)
            let readers = Readers(of: pair.copyPath)
            for round in 0..<60 {
                try pair.change(&random)
                try pair.follow()
                if round % 7 == 6 {
                    try pair.follower.unlock()
                    try pair.follower.checkpoint()
                }
            }
            let seen = readers.end()
            #expect(seen.transactions > 0 && seen.torn == 0 && seen.errors.isEmpty, "\(seen)")
            #expect(try pair.complaint() == nil)
            #expect(try SQLiteFile(pair.copyPath).integrityCheck() == "ok")
        }
    }

    @Test("N10 A follower that is killed at any step leaves a whole database, and applies the commit again")
    func killed() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "killed followers")
            let pair = try Pair(folder, pageSize: 1024, hasFollower: false)
            let readers = Readers(of: pair.copyPath)
            let host = try BuiltProduct.path(of: "engine-host")
            for round in 0..<48 {
                try pair.change(&random)
                guard let images = try pair.images(in: folder) else { continue }
                var arguments = [
                    pair.copyPath.string, "role=follower", "images=\(images.path)", "size=\(images.pageCount)",
                ]
                let step = CommitStep.allCases[round % CommitStep.allCases.count]
                let killed = try await ChildProcess.run(host, arguments + ["kill-at=\(step.rawValue)"])
                #expect(killed.exit.status == .signal(SIGKILL), "\(killed.standardError)")
                // The page images of a commit: twice is once.
                arguments.append("again=\(round)")
                try await ChildProcess.run(host, arguments).checked()
                #expect(try pair.complaint() == nil, "after \(step)")
            }
            let seen = readers.end()
            #expect(seen.transactions > 0 && seen.torn == 0 && seen.errors.isEmpty, "\(seen)")
            #expect(try SQLiteFile(pair.copyPath).integrityCheck() == "ok")
        }
    }

    @Test("The frames are, byte for byte, those that SQLite writes", arguments: [512, 4096, 65_536])
    func frames(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("a.db")
            let database = try SQLiteFile(path, .init(autocheckpoint: 0))
            try database.execute("PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; CREATE TABLE t(x)")
            for _ in 0..<5 { try database.execute("INSERT INTO t VALUES (randomblob(3000))") }
            // A log carries no locks, so reading it here does no harm.
            let log = [UInt8](try Data(contentsOf: URL(filePath: path.string + "-wal")))
            let parsed = WALHeader(parsing: log.span.bytes)
            let header = try #require(parsed)
            var written: [UInt8] = []
            var writer = WALFrameWriter(
                newLogIn: &written,
                salts: header.salts,
                byteOrder: header.checksumByteOrder,
                pageSize: header.pageSize
            )
            while written.count < log.count {
                let frame = WALFrameHeader(parsing: log.span.bytes.extracting(written.count...))
                let image = Array(log[(written.count + 24)..<(written.count + 24 + pageSize)])
                writer.append(
                    page: frame.pageNumber,
                    image: image.span.bytes,
                    commitSize: frame.commitSize,
                    to: &written
                )
            }
            #expect(written == log && written.count > 5 * pageSize)
        }
    }

    @Test("N10 A database that has more frames than a block of its index holds")
    func manyFrames() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "many frames")
            let pair = try Pair(folder, pageSize: 512)
            for _ in 0..<6 {
                try pair.source.transaction {
                    for _ in 0..<400 { try pair.insert(&random, byteCount: 3_000) }
                }
                try pair.follow()
            }
            #expect(try pair.complaint() == nil)
            try pair.follower.unlock()
            #expect(try SQLiteFile(pair.copyPath).integrityCheck() == "ok")
            try pair.follower.checkpoint()
            #expect(try FileStatus(path: FilePath(pair.copyPath.string + "-wal"))?.byteCount == 0)
            #expect(try pair.complaint() == nil)
        }
    }

    @Test("N10 What a writer that died has left in the index is forgotten", .enabled(if: Servers.areExpected))
    func leftEntries() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "left entries")
            let pair = try Pair(folder, pageSize: 1024)
            try pair.change(&random)
            try pair.follow()
            try pair.follower.unlock()
            let log = FilePath(pair.copyPath.string + "-wal")
            let length = try #require(try FileStatus(path: log)).byteCount
            // A small cache makes SQLite write frames of a transaction that does not commit; its writer dies.
            let program = """
                import os, signal, sqlite3, sys
                con = sqlite3.connect(sys.argv[1], isolation_level=None)
                con.execute("pragma cache_size = 5")
                con.execute("begin immediate")
                for _ in range(60):
                    con.execute("insert into t(v, body) values (1, randomblob(900))")
                os.kill(os.getpid(), signal.SIGKILL)
                """
            _ = try await ChildProcess.run("python3", ["-c", program, pair.copyPath.string])
            #expect(try #require(try FileStatus(path: log)).byteCount > length)
            #expect(try pair.follower.lock())
            #expect(try pair.follower.isUntouched())
            for _ in 0..<5 {
                try pair.change(&random)
                try pair.follow()
            }
            #expect(try pair.complaint() == nil)
            try pair.follower.unlock()
            #expect(try SQLiteFile(pair.copyPath).integrityCheck() == "ok")
        }
    }

    @Test("N10 While the lock is held nobody else writes; a commit of somebody else is noticed")
    func otherWriters() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "other writers")
            let pair = try Pair(folder, pageSize: 4096)
            try pair.change(&random)
            try pair.follow()
            let other = try SQLiteFile(pair.copyPath, .init(busyTimeout: .zero))
            #expect(throws: TestDatabases.SQLiteFailure.self) { try other.execute("DELETE FROM t") }
            #expect(try pair.follower.isUntouched())
            try pair.follower.unlock()
            try other.execute("DELETE FROM t")
            #expect(try pair.follower.lock())
            #expect(try !pair.follower.isUntouched())
        }
    }

    @Test("N10 A commit that fails half-way leaves the database as it was")
    func failure() async throws {
        try await withTemporaryFolder { folder in
            var random = SeededGenerator.announced(for: "a failing commit")
            let pair = try Pair(folder, pageSize: 4096)
            try pair.change(&random)
            try pair.follow()
            struct Broken: Error {}
            let image = [UInt8](repeating: 7, count: 4096)
            #expect(throws: Broken.self) {
                try pair.follower.commit(2) { images in
                    try images.append(page: 1, image: image.span.bytes)
                    try images.append(page: 2, image: image.span.bytes)
                    throw Broken()
                }
            }
            #expect(try pair.complaint() == nil)
            try pair.change(&random)
            try pair.follow()
            #expect(try pair.complaint() == nil)
        }
    }

    @Test("A database that is not in WAL mode cannot follow")
    func notWAL() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("a.db")
            try SQLiteFile(path).execute("CREATE TABLE t(x)")
            let error = #expect(throws: CaptureError.self) { try FollowedDatabase(path) }
            #expect(error?.code == .notInWALMode)
        }
    }
}

/// A source that changes by ordinary transactions, and a copy that follows it.
private final class Pair {
    let source: SQLiteFile
    let copyPath: FilePath
    private let opened: FollowedDatabase?
    private var followed: DatabaseImage

    /// The follower of this process.
    var follower: FollowedDatabase {
        guard let opened else { preconditionFailure("this pair is followed by other processes") }
        return opened
    }

    init(_ folder: FilePath, pageSize: Int, hasFollower: Bool = true) throws {
        let sourcePath = folder.appending("source.db")
        copyPath = folder.appending("copy.db")
        for path in [sourcePath, copyPath] {
            let database = try SQLiteFile(path)
            try database.execute("PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL")
            if path == copyPath { try database.execute("CREATE TABLE empty(x)") }
        }
        source = try SQLiteFile(sourcePath)
        try source.execute(
            """
            CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, body BLOB); CREATE INDEX tv ON t(v);
            CREATE TABLE total(n INTEGER, s INTEGER); INSERT INTO total VALUES (0, 0)
            """
        )
        let first = try FollowedDatabase(copyPath)
        opened = hasFollower ? first : nil
        followed = DatabaseImage(pageSize: pageSize, bytes: [])
        try follow(with: first)
        if !hasFollower { try first.unlock() }
    }

    /// One transaction, or a VACUUM.
    func change(_ random: inout SeededGenerator) throws {
        if Int.random(in: 0..<30, using: &random) == 0 { return try source.execute("VACUUM") }
        try source.transaction {
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let chosen =
                        "(SELECT id FROM t ORDER BY id LIMIT 1 OFFSET \(Int.random(in: 0..<50, using: &random)))"
                    try source.execute(
                        """
                        UPDATE total SET n = n - (SELECT count(*) FROM t WHERE id = \(chosen)),
                            s = s - (SELECT coalesce(sum(v), 0) FROM t WHERE id = \(chosen));
                        DELETE FROM t WHERE id = \(chosen)
                        """
                    )
                } else {
                    try insert(&random, byteCount: Int.random(in: 0...3_000, using: &random))
                }
            }
        }
    }

    func insert(_ random: inout SeededGenerator, byteCount: Int) throws {
        let value = Int.random(in: 0..<1_000, using: &random)
        try source.execute(
            """
            INSERT INTO t(v, body) VALUES (\(value), randomblob(\(byteCount)));
            UPDATE total SET n = n + 1, s = s + \(value)
            """
        )
    }

    /// What has changed since, in the form of a file for another process; `nil` if nothing has.
    func images(in folder: FilePath) throws -> (path: FilePath, pageCount: Int)? {
        guard let (pages, now) = try changes() else { return nil }
        var bytes: [UInt8] = []
        for (page, image) in pages {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: page >> (8 * $0)) }
            bytes += image
        }
        let path = folder.appending("images")
        try Data(bytes).write(to: URL(filePath: path.string))
        return (path, now.pageCount)
    }

    private func changes() throws -> (pages: [(Int, [UInt8])], now: DatabaseImage)? {
        let now = try source.image()
        let changed = now.differences(from: followed, limit: .max).filter { $0 <= now.pageCount }
        guard !changed.isEmpty || now.pageCount != followed.pageCount else { return nil }
        followed = now
        let pages = (changed.isEmpty ? [1] : changed).map { page in
            (page, Array(now.bytes[(page - 1) * now.pageSize..<page * now.pageSize]))
        }
        return (pages, now)
    }

    /// Applies what has changed since, as one commit.
    func follow() throws { try follow(with: follower) }

    private func follow(with follower: FollowedDatabase) throws {
        guard let (pages, now) = try changes() else { return }
        #expect(try follower.lock())
        try follower.commit(UInt32(now.pageCount)) { images in
            for (page, image) in pages { try images.append(page: UInt32(page), image: image.span.bytes) }
        }
    }

    /// How the copy, as SQLite reads it, differs from the source.
    func complaint() throws -> String? {
        try SQLiteFile(copyPath).image().complaint(comparedWith: source.image())
    }
}

/// Connections that read a database all the while, each transaction comparing a total with what it totals.
private final class Readers: Sendable {
    struct Seen: Sendable {
        var transactions = 0
        var torn = 0
        var errors: [String] = []
    }

    private struct State {
        var seen = Seen()
        var isOver = false
        var running = 3
    }

    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    init(of path: FilePath) {
        for _ in 0..<3 {
            Thread { [self] in
                read(path)
                let left = state.withLock { state in
                    state.running -= 1
                    return state.running
                }
                if left == 0 { done.signal() }
            }.start()
        }
    }

    func end() -> Seen {
        state.withLock { $0.isOver = true }
        done.wait()
        return state.withLock { $0.seen }
    }

    private func read(_ path: FilePath) {
        do {
            let database = try SQLiteFile(path, .init(isReadOnly: true, busyTimeout: .seconds(10)))
            while !state.withLock({ $0.isOver }) {
                try database.execute("BEGIN")
                let total = try database.query("SELECT n, s FROM total")
                let actual = try database.query("SELECT count(*), coalesce(sum(v), 0) FROM t")
                try database.execute("COMMIT")
                state.withLock { state in
                    state.seen.transactions += 1
                    if total != actual { state.seen.torn += 1 }
                }
            }
        } catch {
            state.withLock { $0.seen.errors.append("\(error)") }
        }
    }
}
