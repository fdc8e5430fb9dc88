import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage
import TestSupport
import Testing

@testable import Replication

private func pageSize(_ byteCount: Int) -> SQLiteFormat.PageSize? { .init(byteCount: byteCount) }

@Suite("Page arena") struct PageArenaTests {
    @Test("It keeps the newest image of each page, whatever is stored, dropped and stored again")
    func model() throws {
        for exponent in [9, 12, 16] {
            let size = try #require(pageSize(1 << exponent))
            var random = SeededGenerator(seed: UInt64(exponent))
            let arena = PageArena(pageSize: size)
            var model: [UInt32: UInt8] = [:]
            for _ in 0..<600 {
                switch Int.random(in: 0..<20, using: &random) {
                case 0:
                    let limit = UInt32.random(in: 1...60, using: &random)
                    arena.drop(above: limit)
                    model = model.filter { $0.key <= limit }
                case 1:
                    let page = UInt32.random(in: 1...60, using: &random)
                    arena.drop(page)
                    model[page] = nil
                default:
                    let (page, byte) = (
                        UInt32.random(in: 1...60, using: &random), UInt8.random(in: 0...255, using: &random)
                    )
                    arena.store(page, [UInt8](repeating: byte, count: size.byteCount).span.bytes)
                    model[page] = byte
                }
            }
            #expect(arena.pageNumbers == model.keys.sorted() && arena.count == model.count)
            for (page, byte) in model {
                let isRight = arena.withImage(of: page) { image in
                    image.byteCount == size.byteCount
                        && (0..<image.byteCount).allSatisfy {
                            image.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == byte
                        }
                }
                #expect(isRight == true)
            }
            #expect(arena.withImage(of: 61) { _ in 0 } == nil)
            arena.removeAll()
            #expect(arena.byteCount == 0 && arena.pageNumbers.isEmpty)
        }
    }
}

@Suite("Open capture") struct OpenCaptureTests {
    private let size = SQLiteFormat.PageSize.minimum
    private func image(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 512) }
    private let start = WALPosition.start(of: WALSalts(first: 1, second: 2))

    @Test("R-02 A page that a growing transaction should have written and has not is named")
    func missingPage() {
        let capture = OpenCapture(pageSize: size, baseSize: 10)
        for page: UInt32 in [11, 13] { capture.store(page, image(1).span.bytes) }
        capture.note(from: start, size: 13, at: Timestamp(rawValue: 1))
        #expect(capture.missingPage(lockPage: size.lockPage) == 12)
        #expect(capture.missingPage(lockPage: 12) == nil)
        capture.store(12, image(1).span.bytes)
        #expect(capture.missingPage(lockPage: size.lockPage) == nil)
    }

    @Test("What is cut off and grown again must be written again")
    func shrinkAndGrow() {
        let capture = OpenCapture(pageSize: size, baseSize: 4)
        for page: UInt32 in 5...9 { capture.store(page, image(1).span.bytes) }
        capture.noteCommit(size: 9)
        capture.noteCommit(size: 6)
        capture.store(7, image(2).span.bytes)
        capture.note(from: start, size: 8, at: Timestamp(rawValue: 1))
        #expect(capture.missingPage(lockPage: size.lockPage) == 8)
        #expect(capture.pages.pageNumbers == [5, 6, 7])
    }

    @Test("Pages that a transaction wrote and then cut off itself are not kept")
    func cutOffWithin() {
        let capture = OpenCapture(pageSize: size, baseSize: 6)
        for page: UInt32 in [3, 7, 8] { capture.store(page, image(1).span.bytes) }
        capture.noteCommit(size: 6)
        #expect(capture.pages.pageNumbers == [3] && !capture.holds(7))
    }

    @Test("Its fields of the WAL are those of the last generation")
    func fields() {
        let capture = OpenCapture(pageSize: size, baseSize: 6)
        capture.note(from: start, size: 6, at: Timestamp(rawValue: 1))
        let next = WALPosition(salts: WALSalts(first: 2, second: 9), frame: 0, checksum: WALChecksum())
        capture.note(from: next, size: 6, at: Timestamp(rawValue: 2))
        let end = WALPosition(salts: next.salts, frame: 5, checksum: WALChecksum())
        let fields = capture.walFields(upTo: end, pageSize: size)
        #expect(fields.offset == 32 && fields.byteCount == 5 * 536 && fields.salts == next.salts)
        #expect(capture.timestamp.rawValue == 2)
    }
}

@Suite("Page table") struct PageTableTests {
    @Test("Its sum is that of its entries, through sets, cuts and growth")
    func sum() {
        var random = SeededGenerator(seed: 5)
        var table = PageTable()
        for _ in 0..<500 {
            if random.happens(0.1) {
                table.resize(to: UInt32.random(in: 0...80, using: &random))
            } else {
                table.set(UInt32.random(in: 1...90, using: &random), random.next())
            }
            #expect(table.checksum == table.entries.reduce(0, ^) && Int(table.count) == table.entries.count)
        }
        #expect(table[0] == nil && table[table.count + 1] == nil)
        #expect(PageTable(entries: table.entries) == table)
    }

    @Test("A stored table is read as it was; one that is cut or changed anywhere is not read at all")
    func stored() async throws {
        let table = PageTable(entries: (1...20).map { UInt64($0) &* 0x9e37_79b9_7f4a_7c15 })
        let stored = StoredPageTable(
            transaction: TransactionID(rawValue: 7),
            fileChecksum: 99,
            pageSize: try #require(pageSize(4096)),
            table: table
        )
        let bytes = stored.encoded()
        try await withTemporaryFolder { folder in
            let path = folder.appending("pages")
            func read(_ bytes: [UInt8]) throws -> StoredPageTable? {
                try Disk.replace(path, with: bytes, mode: 0o600, durable: false)
                return try StoredPageTable(contentsOf: path)
            }
            let again = try #require(try read(bytes))
            #expect(again.table == table && again.transaction == stored.transaction && again.fileChecksum == 99)
            for count in 0..<bytes.count { #expect(try read(Array(bytes[..<count])) == nil) }
            for offset in bytes.indices {
                var other = bytes
                other[offset] ^= 4
                #expect(try read(other) == nil, "byte \(offset)")
            }
            #expect(try StoredPageTable(contentsOf: folder.appending("none")) == nil)
        }
    }
}

@Suite("Position record") struct PositionRecordTests {
    static let record = PositionRecord(
        transaction: TransactionID(rawValue: 26),
        fileChecksum: 0x8000_0000_0000_0001,
        position: WALPosition(
            salts: WALSalts(first: 1, second: .max),
            frame: 77,
            checksum: WALChecksum(first: 3, second: 4)
        ),
        databaseSize: 12,
        pageSize: SQLiteFormat.PageSize.minimum,
        database: FileIdentity(device: 2049, inode: 1234),
        bootID: "0-1-2",
        quiet: QuietMark(byteCount: 6144, modified: -5, changed: 1_700_000_000_000_000_000),
        checksum: .max
    )

    @Test("It is read as it was written, with and without the quiet mark")
    func roundTrip() {
        #expect(PositionRecord(parsing: Self.record.encoded()) == Self.record)
        var other = Self.record
        (other.quiet, other.bootID) = (nil, "")
        #expect(PositionRecord(parsing: other.encoded()) == other)
    }

    @Test("One that is torn anywhere, or changed in any bit, is not read as another one")
    func damaged() {
        let bytes = Self.record.encoded()
        for count in bytes.indices {
            let read = PositionRecord(parsing: Array(bytes[..<count]))
            #expect(read == nil || read == Self.record, "\(count) bytes")
        }
        for bit in 0..<bytes.count * 8 {
            var other = bytes
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            let read = PositionRecord(parsing: other)
            #expect(read == nil || read == Self.record, "bit \(bit)")
        }
        // Written in place over an older one and cut short by a crash.
        var older = Self.record
        older.position.frame = 70
        let before = older.encoded()
        for count in bytes.indices {
            let read = PositionRecord(parsing: Array(bytes[..<count] + before[min(count, before.count)...]))
            #expect(read == nil || read == Self.record || read == older, "\(count)")
        }
    }

    @Test("Foreign and hostile text is refused")
    func hostile() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<300 { #expect(PositionRecord(parsing: random.bytes(.random(in: 0...900, using: &random))) == nil) }
        for text in ["", "end 0\n", "sqlite-replicate-position 1\nend 0\n", "sqlite-replicate-position 2\n"] {
            #expect(PositionRecord(parsing: Array(text.utf8)) == nil)
        }
    }
}

@Suite("Upload pacer") struct UploadPacerTests {
    @Test("A few uploads follow a pause at once, then one each interval; the average stays under the ceiling")
    func ceiling() {
        let start = ContinuousClock.now
        var pacer = UploadPacer(interval: .seconds(1), now: start)
        var now = start
        var uploads = 0
        // Commits without a pause for 100 s.
        while start.duration(to: now) < .seconds(100) {
            let next = pacer.nextUpload(at: now)
            #expect(next >= now)
            now = max(next, now)
            pacer.spend(at: now)
            uploads += 1
        }
        let few = Int(UploadPacer.burst)
        #expect((99 + few...102 + few).contains(uploads), "\(uploads)")
    }

    @Test("After a pause the bucket is full again, and never fuller")
    func refill() {
        let start = ContinuousClock.now
        var pacer = UploadPacer(interval: .milliseconds(100), now: start)
        for round in 1...3 {
            let now = start + .seconds(round * 3600)
            for _ in 0..<Int(UploadPacer.burst) {
                #expect(pacer.nextUpload(at: now) == now)
                pacer.spend(at: now)
            }
            let next = pacer.nextUpload(at: now)
            #expect(next > now && now.duration(to: next) <= .milliseconds(100))
        }
    }

    @Test("An interval of zero holds nothing up")
    func zero() {
        let now = ContinuousClock.now
        var pacer = UploadPacer(interval: .zero, now: now)
        for _ in 0..<100 {
            #expect(pacer.nextUpload(at: now) == now)
            pacer.spend(at: now)
        }
    }
}

@Suite("File systems of several machines") struct SharedFileSystemTests {
    @Test("The kind of file system is found by its device")
    func device() {
        let mounts = """
            22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
            36 22 0:44 / /mnt/a rw,relatime shared:1 - nfs4 server:/a rw
            37 22 0:45 / /mnt/b rw,relatime - tmpfs tmpfs rw
            broken line
            """
        #expect(SharedFileSystem.name(ofDevice: 8 << 8 | 1, mounts: mounts) == nil)
        #expect(SharedFileSystem.name(ofDevice: 44, mounts: mounts) == "nfs4")
        #expect(SharedFileSystem.name(ofDevice: 45, mounts: mounts) == nil)
        #expect(SharedFileSystem.name(ofDevice: 46, mounts: mounts) == nil)
    }
}
