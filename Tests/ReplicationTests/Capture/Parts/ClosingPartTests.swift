import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Replication

@Suite("Page table") struct PageTableChangeTests {
    @Test("The checksum without some pages is that of the others, whatever the size becomes")
    func checksumWithoutPages() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<200 {
            let entries = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt64.random(in: 0 ... .max, using: &random)
            }
            let count = UInt32.random(in: 0...50, using: &random)
            let pages = (1...60 as ClosedRange<UInt32>).filter { _ in Bool.random(using: &random) }
            let expected = entries.enumerated().reduce(UInt64(0)) { sum, entry in
                let page = UInt32(entry.offset + 1)
                return page > count || pages.contains(page) ? sum : sum ^ entry.element
            }
            #expect(PageTable(entries: entries).checksum(of: count, without: pages) == expected)
        }
    }
}

@Suite("Rhythm of commits") struct CommitRhythmTests {
    private let start = ContinuousClock.now

    /// The rhythm after commits in the given numbers, each so long after the one before.
    private func rhythm(_ commits: [(count: Int, gap: Duration)]) -> CommitRhythm {
        var rhythm = CommitRhythm(now: start)
        var (now, total) = (start, 0)
        for step in commits {
            now += step.gap
            total += step.count
            rhythm.note(total: total, at: now)
        }
        return rhythm
    }

    @Test("A commit every few seconds is no steady stream, one every quarter of a second soon is")
    func steady() {
        #expect(!rhythm([]).isSteady)
        #expect(!rhythm(Array(repeating: (1, .seconds(3)), count: 20)).isSteady)
        #expect(rhythm(Array(repeating: (1, .milliseconds(250)), count: 5)).isSteady)
        #expect(!rhythm(Array(repeating: (1, .milliseconds(250)), count: 20)).isDense)
        #expect(
            !rhythm(Array(repeating: (1, .milliseconds(250)), count: 20) + Array(repeating: (1, .seconds(9)), count: 4))
                .isSteady
        )
    }

    @Test("Commits that are seen many at a time count each: a stream does not seem slow for being looked at seldom")
    func manyAtOnce() {
        #expect(rhythm(Array(repeating: (4, .seconds(1)), count: 10)).isSteady)
        #expect(rhythm([(5000, .milliseconds(250))]).isDense)
        #expect(rhythm(Array(repeating: (1, .seconds(1)), count: 9) + [(1000, .milliseconds(500))]).isDense)
    }
}

@Suite("Write lock") struct WriteLockTests {
    private func take(_ gate: EngineConnection) throws {
        let isTaken = try gate.lockWriters()
        #expect(isTaken)
    }

    @Test("While it is held nobody can write, and it is not taken from a writer")
    func excludes() async throws {
        try await withTemporaryFolder("lock") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            defer { application.close() }
            let other = try SQLiteFile(path, .init(creates: false, busyTimeout: .zero))
            defer { other.close() }
            let gate = try EngineConnection(path: path.string)
            try take(gate)
            #expect(throws: (any Error).self) { try other.execute("BEGIN IMMEDIATE") }
            try other.execute("SELECT count(*) FROM item")
            try gate.unlockWriters()
            try other.execute("BEGIN IMMEDIATE")
            let isTaken = try gate.lockWriters()
            #expect(!isTaken)
            try other.execute("COMMIT")
            try take(gate)
            try gate.unlockWriters()
        }
    }

    @Test("It is taken between two commits, though what this connection last saw of the database is old")
    func oldView() async throws {
        try await withTemporaryFolder("lock") { folder in
            let path = folder.appending("app.db")
            let application = try SQLiteFile.makeDatabase(path)
            defer { application.close() }
            let gate = try EngineConnection(path: path.string)
            for _ in 0..<50 {
                try take(gate)
                try gate.unlockWriters()
                try application.write()
            }
        }
    }
}

@Suite("Closing aside") struct ClosingCaptureTests {
    private let size = SQLiteFormat.PageSize.minimum

    /// The writing of a capture of three pages over a database of four.
    private func writing(into folder: FilePath) throws -> CaptureWriting {
        let capture = OpenCapture(pageSize: size, baseSize: 4)
        for page: UInt32 in [2, 5, 6] {
            capture.store(page, [UInt8](repeating: UInt8(page), count: size.byteCount).span.bytes)
        }
        capture.note(
            from: .start(of: WALSalts(first: 1, second: 2)),
            size: 6,
            at: Timestamp(rawValue: 1_700_000_000_000)
        )
        let id = TransactionID.first.next
        return CaptureWriting(
            capture: capture,
            log: try WALFile(database: folder.appending("app.db")),
            output: folder.appending("transaction.tmp"),
            mode: 0o600,
            header: LTXHeader(
                pageSize: size.byteCount,
                commit: 6,
                minTXID: id,
                maxTXID: id,
                timestampMilliseconds: 1_700_000_000_000
            ),
            unchanged: 0b1011
        )
    }

    private func withWriting(_ body: (CaptureWriting, FilePath) throws -> Void) async throws {
        try await withTemporaryFolder("closing") { folder in
            let application = try SQLiteFile.makeDatabase(folder.appending("app.db"))
            defer { application.close() }
            try body(writing(into: folder), folder)
        }
    }

    @Test("The file holds the pages, and its mark is the checksum of the whole database")
    func file() async throws {
        try await withWriting { writing, _ in
            let closing = ClosingCapture(writing, position: .start(of: WALSalts(first: 1, second: 2)))
            closing.run()
            let written = try closing.takeFile()
            guard case .changed(let pages) = written.change else {
                Issue.record("the whole table was replaced")
                return
            }
            #expect(pages.map(\.page) == [2, 5, 6])
            let opened = try TransactionFileSource(path: written.path)
            let source = try #require(opened)
            let expected = pages.reduce(writing.unchanged) { $0 ^ $1.checksum }
            let (header, trailer) = (try source.header(), try source.trailer())
            #expect(header.sourceMark?.checksum == expected)
            #expect(trailer.fileChecksum == written.summary.fileChecksum)
        }
    }

    @Test("A file that could not be written aside is written when it is taken, also a second time")
    func writtenAnew() async throws {
        try await withWriting { writing, _ in
            let closing = ClosingCapture(writing, position: .start(of: WALSalts(first: 1, second: 2)))
            try Disk.replace(writing.output, with: [1], mode: 0o600, durable: false)
            closing.run()
            #expect(closing.failure != nil, "the name is taken")
            try Disk.remove(writing.output)
            let first = try closing.takeFile()
            try Disk.remove(writing.output)
            let second = try closing.takeFile()
            #expect(second.summary.fileChecksum == first.summary.fileChecksum)
        }
    }

    @Test("Given up, it leaves no file")
    func discarded() async throws {
        try await withWriting { writing, folder in
            let closing = ClosingCapture(writing, position: .start(of: WALSalts(first: 1, second: 2)))
            closing.run()
            #expect(FileStatus.exists(writing.output))
            closing.discard()
            #expect(!FileStatus.exists(writing.output))
        }
    }
}
