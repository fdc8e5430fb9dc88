/// Reads one file from its start to its end, frame by frame, and checks everything on the way.
///
/// The page index is compared with the frames by a digest of both, so memory does not grow with the file.
struct FrameReader: Sendable {
    let source: any LTXSource
    let header: LTXHeader
    private var input: ReadBuffer
    private var pages: PageSequence
    private var checksum = FileChecksum()
    private var digest = FrameDigest()
    /// The frame or marker that comes next, once it was looked at.
    private var upcoming: FrameLayout?

    /// Reads the header of a file.
    init(_ source: any LTXSource, bufferByteCount: Int) throws(LTXError) {
        self.source = source
        input = ReadBuffer(source, byteCount: bufferByteCount)
        var checksum = FileChecksum()
        header = try input.peek(LTXHeader.byteCount) { (bytes) throws(LTXError) in
            let header = try LTXHeader(parsing: bytes)
            checksum.update(bytes.extracting(0..<LTXHeader.byteCount))
            return header
        }
        self.checksum = checksum
        input.skip(LTXHeader.byteCount)
        pages = PageSequence(pageSize: header.pageSize)
    }

    /// Where in the file the next frame begins.
    var position: Int64 { input.position }

    /// The number of the page that comes next, or `nil` at the end of the pages.
    mutating func nextPageNumber() throws(LTXError) -> UInt32? {
        let layout = try nextLayout()
        return layout.isEndMarker ? nil : layout.pageNumber
    }

    /// Decodes the next frame.
    ///
    /// - Parameters:
    ///   - decoder: Room for the page, and nothing that lasts.
    ///   - scratch: Room for a frame that the buffer is too small for; it grows as needed.
    ///   - body: Called with the frame, its layout, its bytes as stored, and its page.
    /// - Precondition: ``nextPageNumber()`` is not `nil`.
    mutating func decodeNext(
        with decoder: inout FrameDecoder,
        scratch: inout [UInt8],
        _ body: (FrameDecoder.Frame, FrameLayout, RawSpan, RawSpan) throws -> Void
    ) throws {
        let layout = try nextLayout()
        guard Int64(layout.byteCount) <= input.remaining else {
            throw LTXError(
                .truncated,
                "The file ends inside the frame of page \(layout.pageNumber), which begins at byte \(position) and has "
                    + "\(layout.byteCount) bytes: \(input.remaining) are there."
            )
        }
        let frame = try input.take(layout.byteCount, scratch: &scratch) { (bytes) throws in
            let frame = try decoder.decode(layout, bytes)
            try decoder.withPage { (page) throws in try body(frame, layout, bytes, page) }
            return frame
        }
        upcoming = nil
        try pages.add(frame.pageNumber, remainder: frame.remainder)
        checksum.update(frame.part)
        digest.add(frame.pageNumber, byteCount: frame.byteCount)
    }

    /// Reads what follows the frames, to the end of the file, and checks it.
    ///
    /// - Precondition: ``nextPageNumber()`` is `nil`.
    mutating func finish() throws(LTXError) -> LTXFileSummary {
        let framesEnd = position
        try consume(FrameLayout.markerByteCount)
        let databaseChecksum = try pages.check(header)
        try readIndex(framesEnd: framesEnd)
        let trailer = try readTrailer(databaseChecksum: databaseChecksum)
        input.release()
        return LTXFileSummary(
            header: header,
            byteCount: source.byteCount,
            pageCount: pages.count,
            fileChecksum: trailer.fileChecksum,
            databaseChecksum: databaseChecksum
        )
    }

    private mutating func nextLayout() throws(LTXError) -> FrameLayout {
        if let upcoming { return upcoming }
        let pageSize = header.pageSize
        let layout = try input.peek(FrameLayout.peekByteCount) { (bytes) throws(LTXError) in
            try FrameLayout(parsing: bytes, pageSize: pageSize)
        }
        if !layout.isEndMarker { try pages.checkOrder(layout.pageNumber) }
        upcoming = layout
        return layout
    }

    /// Moves on by bytes that the checksum covers as they stand, at most 256.
    private mutating func consume(_ count: Int) throws(LTXError) {
        guard Int64(count) <= input.remaining else {
            throw LTXError(.truncated, "The file ends at byte \(source.byteCount), before its trailer.")
        }
        var checksum = checksum
        try input.peek(count) { (bytes) throws(LTXError) in checksum.update(bytes.extracting(0..<count)) }
        self.checksum = checksum
        input.skip(count)
    }

    private mutating func readIndex(framesEnd: Int64) throws(LTXError) {
        let start = position
        var parser = PageIndexParser(header)
        var isAtEnd = false
        while !isAtEnd {
            var used = 0
            isAtEnd = try input.peek(PageIndexParser.entryByteCountBound) { (bytes) throws(LTXError) in
                try parser.next(in: bytes, at: &used) == nil
            }
            try consume(used)
        }
        guard parser.nextOffset == framesEnd, parser.digest == digest else {
            throw .index("does not list the frames as they stand in the file")
        }
        let (expected, remaining) = (position - start, input.remaining)
        guard remaining >= Int64(LTXIndex.tailByteCount) else {
            throw LTXError(.truncated, "The file ends at byte \(source.byteCount), inside its trailer.")
        }
        let size = try input.peek(8) { (bytes) throws(LTXError) in bytes.bigEndian(at: 0, as: UInt64.self) }
        guard size == UInt64(expected) else { throw .index("has \(expected) bytes, but says that it has \(size)") }
        guard remaining == Int64(LTXIndex.tailByteCount) else {
            throw LTXError(
                .trailingBytes,
                "\(remaining - Int64(LTXIndex.tailByteCount)) bytes follow the trailer, where the file should end."
            )
        }
        try consume(8)
    }

    private mutating func readTrailer(databaseChecksum: UInt64?) throws(LTXError) -> LTXTrailer {
        let trailer = try input.peek(LTXTrailer.byteCount) { (bytes) throws(LTXError) in
            try LTXTrailer(parsing: bytes)
        }
        try consume(8)
        guard trailer.fileChecksum == checksum.value else {
            throw LTXError(
                .checksumMismatch,
                "The file is damaged: its checksum is \(HexDigits.text(of: trailer.fileChecksum)), its content gives "
                    + "\(HexDigits.text(of: checksum.value))."
            )
        }
        // Of a file that tracks the checksum and holds only some pages, no more than the flag can be told.
        let stored = trailer.postApplyChecksum
        let expected = header.tracksChecksum ? (databaseChecksum ?? stored) | FileChecksum.flag : 0
        guard stored == expected else {
            throw LTXError(
                .checksumMismatch,
                "The post-apply checksum is \(HexDigits.text(of: stored)), where "
                    + "\(HexDigits.text(of: expected)) was to be."
            )
        }
        return trailer
    }
}
