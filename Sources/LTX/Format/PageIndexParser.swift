/// Reads page index entries and checks each against those before it: pages ascend, frames lie side by side.
struct PageIndexParser: Sendable {
    /// With so many bytes the next entry, or the terminator, is always whole.
    static let entryByteCountBound = 3 * 10

    private let commit: UInt32
    private let lockPage: UInt32
    private let frameBound: Int
    private var lastPage: UInt32 = 0
    /// Where the frame of the next entry must begin; after the terminator, where the frames end.
    private(set) var nextOffset = Int64(LTXHeader.byteCount)
    /// Grows with each entry's page number and size, so that two lists of frames can be compared.
    private(set) var digest = FrameDigest()

    init(_ header: LTXHeader) {
        commit = header.commit
        lockPage = LTXPageSize.lockPage(pageSize: header.pageSize)
        frameBound = FrameLayout.byteCountBound(pageSize: header.pageSize)
    }

    /// Reads the entry at `offset` and moves behind it.
    ///
    /// - Returns: The entry, or `nil` for the terminator.
    mutating func next(in bytes: RawSpan, at offset: inout Int) throws(LTXError) -> PageIndexEntry? {
        let number = try Self.varint(in: bytes, at: &offset)
        guard number > 0 else { return nil }
        let (start, size) = (try Self.varint(in: bytes, at: &offset), try Self.varint(in: bytes, at: &offset))
        guard let page = UInt32(exactly: number), page > lastPage, page <= commit, page != lockPage else {
            throw .index("lists page \(number) after \(lastPage), in a database of \(commit) pages")
        }
        guard start == UInt64(nextOffset) else {
            throw .index("says that the frame of page \(page) begins at \(start), not at \(nextOffset)")
        }
        guard let byteCount = Int(exactly: size), byteCount > FrameLayout.blockHeaderByteCount, byteCount <= frameBound
        else { throw .index("says that the frame of page \(page) has \(size) bytes") }
        let (end, overflow) = nextOffset.addingReportingOverflow(Int64(byteCount))
        guard !overflow else { throw .index("has frames beyond any file") }
        let entry = PageIndexEntry(page, offset: nextOffset, byteCount: byteCount)
        digest.add(page, byteCount: byteCount)
        (lastPage, nextOffset) = (page, end)
        return entry
    }

    /// Reads an unsigned LEB128 number of at most 10 bytes.
    private static func varint(in bytes: RawSpan, at offset: inout Int) throws(LTXError) -> UInt64 {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while true {
            guard offset < bytes.byteCount else { throw LTXError(.truncated, "The file ends inside its page index.") }
            let byte = bytes.bigEndian(at: offset, as: UInt8.self)
            offset += 1
            guard shift < 63 || byte <= 1 else { throw .index("has a number of more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            guard byte & 0x80 != 0 else { return value }
            shift += 7
        }
    }
}

/// A number that stands for a list of frames: their pages and sizes, in order.
struct FrameDigest: Hashable, Sendable {
    private var state: UInt64 = ~0

    mutating func add(_ pageNumber: UInt32, byteCount: Int) {
        state = CRC64.timesX64(state ^ (UInt64(pageNumber) << 32 | UInt64(truncatingIfNeeded: byteCount)))
    }
}

extension LTXError {
    static func index(_ fact: String) -> Self { Self(.invalidIndex, "The page index \(fact).") }
}
