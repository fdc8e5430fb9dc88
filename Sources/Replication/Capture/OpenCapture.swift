import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

/// What has been captured since the last transaction file was closed: the newest image of each page.
///
/// It holds images, never frame numbers, so it may span several generations of the write-ahead log; where it came from
/// is told by the last of them (capture-review H1). Past the memory limit images go to spill files: transaction files
/// without a number, of which the newest version of a page counts.
final class OpenCapture {
    let pages: PageArena
    /// Spill files, oldest first.
    var spills: [FilePath] = []
    /// The checksums of the pages in spill files.
    private(set) var spilledChecksums: [UInt32: UInt64] = [:]
    /// The database's size in pages at the newest commit captured.
    private(set) var commitSize: UInt32
    /// The time of the newest look: no commit captured here is later.
    private(set) var timestamp = Timestamp(rawValue: 0)
    /// Whether nothing was captured, not even a commit without a page.
    private(set) var isEmpty = true
    /// The smallest size since this capture was opened: every page above it must have been captured anew.
    private var smallestSize: UInt32
    /// No page above this one was captured.
    private var highestPage: UInt32 = 0
    /// Where in the last generation this capture begins.
    private var origin: WALPosition?
    private var captured = PageSet()

    init(pageSize: PageSize, baseSize: UInt32) {
        pages = PageArena(pageSize: pageSize)
        (smallestSize, commitSize) = (baseSize, baseSize)
    }

    /// Keeps the newest image of a page.
    func store(_ page: UInt32, _ image: RawSpan) {
        highestPage = max(highestPage, page)
        pages.store(page, image)
        captured.insert(page)
    }

    /// Notes the checksum of an image that went to a spill file.
    func noteSpilled(_ page: UInt32, _ checksum: UInt64) { spilledChecksums[page] = checksum }

    /// Notes a commit within what is being captured: pages above its size are no longer part of the database, also
    /// those that the same transaction had written before it cut them off.
    func noteCommit(size: UInt32) {
        smallestSize = min(smallestSize, size)
        guard size < highestPage else { return }
        pages.drop(above: size)
        captured.removeAll(above: size)
        highestPage = size
    }

    /// Forgets images that `table` knows to be shipped, but for that of `kept`; returns their pages.
    func dropPages(knownTo table: PageTable, except kept: UInt32?) -> [UInt32] {
        let known = pages.pageNumbers.filter { page in
            guard page != kept, spilledChecksums[page] == nil else { return false }
            return pages.withImage(of: page) { image in
                table[page]
                    == DatabaseChecksum.page(
                        number: page,
                        remainder: CRC64.remainder(of: image),
                        pageSize: image.byteCount
                    )
            } ?? false
        }
        for page in known { pages.drop(page) }
        return known
    }

    /// Whether an image of `page` was captured, wherever it is now.
    func holds(_ page: UInt32) -> Bool { captured.contains(page) }

    /// The pages captured, ascending.
    var pageNumbers: [UInt32] { captured.pages }

    /// Notes that frames after `position` were captured up to a commit that leaves `size` pages.
    func note(from position: WALPosition, size: UInt32, at time: Timestamp) {
        if origin?.salts != position.salts { origin = position }
        noteCommit(size: size)
        commitSize = size
        timestamp = max(timestamp, time)
        isEmpty = false
    }

    /// The first page that should be here and is not: growing wrote it, so it was lost.
    func missingPage(lockPage: UInt32) -> UInt32? {
        guard commitSize > smallestSize else { return nil }
        return (smallestSize + 1...commitSize).first { $0 != lockPage && !captured.contains($0) }
    }

    /// The WAL fields of the file's header, as Litestream needs them to go on from here.
    func walFields(upTo end: WALPosition, pageSize: PageSize) -> WALFields {
        WALFields(from: origin?.salts == end.salts ? origin?.frame ?? 0 : 0, upTo: end, pageSize: pageSize)
    }
}

/// A set of page numbers as bits.
struct PageSet: Sendable {
    private var words: [UInt64] = []

    /// A set of these pages.
    init(_ pages: [UInt32] = []) {
        for page in pages { insert(page) }
    }

    func contains(_ page: UInt32) -> Bool {
        let word = Int(page >> 6)
        return word < words.count && words[word] & (1 << UInt64(page & 63)) != 0
    }

    /// The members, ascending.
    var pages: [UInt32] {
        words.indices.flatMap { word in
            (0..<64).compactMap { words[word] & (1 << UInt64($0)) == 0 ? nil : UInt32(word * 64 + $0) }
        }
    }

    mutating func insert(_ page: UInt32) {
        let word = Int(page >> 6)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(page & 63)
    }

    mutating func removeAll(above page: UInt32) {
        let word = Int(page >> 6)
        guard word < words.count else { return }
        words.removeLast(words.count - word - 1)
        words[word] &= page & 63 == 63 ? .max : (1 << UInt64(page & 63 + 1)) - 1
    }
}

/// Where a transaction file's pages came from: bytes of the `-wal` file, and its salts.
struct WALFields: Hashable, Sendable {
    var offset: Int64
    var byteCount: Int64
    var salts: WALSalts

    /// The frames after `first` up to `end`.
    init(from first: UInt32, upTo end: WALPosition, pageSize: PageSize) {
        let geometry = WALGeometry(pageSize: pageSize)
        offset = geometry.offset(ofFrame: first + 1)
        byteCount = Int64(end.frame - first) * Int64(geometry.frameByteCount)
        salts = end.salts
    }
}
