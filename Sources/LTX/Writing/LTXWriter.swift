/// Writes one transaction file in the shape of Litestream 0.5.17.
///
/// The header comes last, since commit, transaction IDs and checksums depend on the pages: room is kept for it and its
/// share in the file checksum is combined at the end. The page index is kept in memory in its final form, some
/// ten bytes a page.
///
/// ```swift
/// var writer = try LTXWriter(pageSize: 4096, sink: MemorySink())
/// try writer.append(block)
/// let summary = try writer.finish(header: header)
/// ```
///
/// After an error nothing more may be appended; what the sink got is no file.
public struct LTXWriter<Sink: LTXSink>: ~Copyable {
    /// Where the file goes.
    public private(set) var sink: Sink
    /// The page size in bytes.
    public let pageSize: Int
    /// How many bytes were handed to the sink.
    public private(set) var byteCount: Int64 = 0

    private var pages: PageSequence
    private var body = ChecksumPart()
    private var index = PageIndexBuilder()
    private var pending: FrameBlock
    private var isFinished = false

    /// Begins a file: reserves its first 100 bytes.
    ///
    /// - Precondition: `pageSize` is valid.
    /// - Throws: ``LTXError`` with code `sinkFailed`.
    public init(pageSize: Int, sink: Sink) throws(LTXError) {
        (self.sink, self.pageSize) = (sink, pageSize)
        pages = PageSequence(pageSize: pageSize)
        pending = FrameBlock(pageSize: pageSize)
        try write([UInt8](repeating: 0, count: LTXHeader.byteCount))
    }

    /// How many pages were appended.
    public var pageCount: Int { pages.count + pending.entries.count }

    /// Appends the frames of a block.
    ///
    /// - Throws: ``LTXError`` with code `invalidPageOrder` unless its pages ascend and follow those before, or
    ///   `sinkFailed`.
    public mutating func append(_ block: FrameBlock) throws(LTXError) {
        try flush()
        try write(block)
    }

    /// Compresses and appends one page, for callers that have no blocks of their own.
    ///
    /// - Throws: as ``append(_:)``; an error may come up only with a later page.
    public mutating func append(pageNumber: UInt32, page: RawSpan) throws(LTXError) {
        pending.append(pageNumber: pageNumber, page: page)
        if pending.byteCount >= Self.pendingByteCount { try flush() }
    }

    /// Completes the file: end-of-pages marker, index, trailer, and the header at its start.
    ///
    /// - Parameter header: The header; its page size is the writer's.
    /// - Returns: What the file holds.
    /// - Throws: ``LTXError`` with code `invalidHeader` for a header that Litestream would not read,
    ///   `invalidPageOrder` for a page above the commit, `incompleteSnapshot`, `checksumMismatch` where the file holds
    ///   every page and they do not give the header's ``SourceMark``, or `sinkFailed`.
    public mutating func finish(header: LTXHeader) throws(LTXError) -> LTXFileSummary {
        precondition(!isFinished, "a file is finished once")
        try header.validate()
        guard header.pageSize == pageSize else {
            throw .header("has page size \(header.pageSize), the pages have \(pageSize)")
        }
        guard header.commit > 0 else { throw .header("says that the database is empty, which no file can") }
        guard !header.tracksChecksum else { throw .header("has checksums, which Litestream does not merge") }
        try flush()
        let databaseChecksum = try pages.check(header)
        isFinished = true

        let head = header.encoded()
        try writeCovered([UInt8](repeating: 0, count: FrameLayout.markerByteCount))
        index.finish()
        for chunk in index.chunks { try writeCovered(chunk) }
        try writeCovered([UInt8](repeating: 0, count: 8))
        var checksum = FileChecksum()
        // SAFETY: the elements are bytes, all of them initialized.
        unsafe checksum.update(head.span.bytes)
        checksum.update(body)
        var stored: [UInt8] = []
        stored.append(bigEndian: checksum.value)
        try write(stored)
        // SAFETY: as above.
        do { try unsafe sink.replaceStart(head.span.bytes) } catch { throw .sink(error) }
        return LTXFileSummary(
            header: header,
            byteCount: byteCount,
            pageCount: pages.count,
            fileChecksum: checksum.value,
            databaseChecksum: databaseChecksum
        )
    }

    /// How much single pages are gathered before they go to the sink.
    private static var pendingByteCount: Int { 256 << 10 }

    private mutating func flush() throws(LTXError) {
        guard pending.byteCount > 0 else { return }
        var block = FrameBlock(pageSize: pageSize)
        swap(&block, &pending)
        try write(block)
        block.removeAll()
        pending = block
    }

    private mutating func write(_ block: FrameBlock) throws(LTXError) {
        precondition(block.pageSize == pageSize, "a block has the writer's page size")
        var offset = byteCount
        for entry in block.entries {
            try pages.add(entry.pageNumber, remainder: entry.remainder)
            index.append(PageIndexEntry(entry.pageNumber, offset: offset, byteCount: entry.frameByteCount))
            offset += Int64(entry.frameByteCount)
        }
        body.append(block.part)
        try block.withBytes { (bytes) throws(LTXError) in try write(bytes) }
    }

    /// Writes bytes that the file checksum covers as they stand.
    private mutating func writeCovered(_ bytes: [UInt8]) throws(LTXError) {
        // SAFETY: the elements are bytes, all of them initialized.
        unsafe body.append(bytes.span.bytes)
        try write(bytes)
    }

    private mutating func write(_ bytes: [UInt8]) throws(LTXError) {
        // SAFETY: the elements are bytes, all of them initialized.
        try unsafe write(bytes.span.bytes)
    }

    private mutating func write(_ bytes: RawSpan) throws(LTXError) {
        do { try sink.write(bytes) } catch { throw .sink(error) }
        byteCount += Int64(bytes.byteCount)
    }
}

extension LTXWriter: Sendable where Sink: Sendable {}

extension LTXError {
    static func sink(_ cause: any Error) -> Self {
        Self(.sinkFailed, "The file could not be written.", cause: cause)
    }
}
