/// Decodes runs of page frames of either kind.
///
/// A decoder holds room for one page and is used again and again; threads that decode parts of one file have one each
/// and join the parts they get.
public struct FrameDecoder: Sendable {
    /// The page size in bytes.
    public let pageSize: Int
    private var page: [UInt8]

    /// What a frame held, besides its page.
    public struct Frame: Hashable, Sendable {
        /// The page number, from 1.
        public let pageNumber: UInt32
        /// The size of the whole frame in bytes.
        public let byteCount: Int
        /// The page's linear remainder; see ``CRC64``.
        public let remainder: UInt64
        /// The frame's share in the file checksum: its page header and the page.
        public let part: ChecksumPart
    }

    /// Creates a decoder.
    ///
    /// - Parameter pageSize: The page size in bytes, a valid one.
    public init(pageSize: Int) {
        precondition(LTXPageSize.isValid(pageSize), "\(pageSize) is no page size")
        self.pageSize = pageSize
        page = [UInt8](repeating: 0, count: pageSize)
    }

    /// Decodes all frames of a run, in order.
    ///
    /// - Parameters:
    ///   - frames: Whole frames one after another, without the end-of-pages marker.
    ///   - body: Called for each frame with the page number, the page and its linear remainder. The page is valid
    ///     during the call only.
    /// - Returns: The share of the run in the file checksum.
    /// - Throws: ``LTXError`` for a malformed frame, and what `body` throws.
    public mutating func decode(
        _ frames: RawSpan,
        _ body: (_ pageNumber: UInt32, _ page: RawSpan, _ remainder: UInt64) throws -> Void
    ) throws -> ChecksumPart {
        var (offset, part) = (0, ChecksumPart())
        while offset < frames.byteCount {
            let bytes = frames.extracting(offset..<frames.byteCount)
            let frame = try decode(FrameLayout(parsing: bytes, pageSize: pageSize), bytes)
            part.append(frame.part)
            offset += frame.byteCount
            // SAFETY: the elements are bytes, all of them initialized.
            try body(frame.pageNumber, unsafe page.span.bytes, frame.remainder)
        }
        return part
    }

    /// Decodes one frame into a page of the caller's.
    ///
    /// - Parameters:
    ///   - frames: A run of frames.
    ///   - offset: Where in it the frame begins.
    ///   - page: Exactly one page; undefined where this throws.
    /// - Throws: ``LTXError`` with code `truncated`, `invalidFrame` or `checksumMismatch`.
    public func decodeFrame(
        in frames: RawSpan,
        at offset: Int,
        into page: inout MutableRawSpan
    ) throws(LTXError) -> Frame {
        let bytes = frames.extracting(offset..<frames.byteCount)
        let layout = try FrameLayout(parsing: bytes, pageSize: pageSize)
        return try Self.decode(layout, bytes, into: &page)
    }

    /// Decodes one frame into the decoder's own page; see ``withPage(_:)``.
    ///
    /// - Parameter bytes: From the frame's start to its end or farther.
    mutating func decode(_ layout: FrameLayout, _ bytes: RawSpan) throws(LTXError) -> Frame {
        var span = page.mutableSpan
        // SAFETY: the elements are bytes, so any bytes are valid.
        var target = unsafe span.mutableBytes
        return try Self.decode(layout, bytes, into: &target)
    }

    /// Calls `body` with the page decoded last.
    func withPage<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the elements are bytes, all of them initialized.
        try body(unsafe page.span.bytes)
    }

    private static func decode(
        _ layout: FrameLayout,
        _ bytes: RawSpan,
        into page: inout MutableRawSpan
    ) throws(LTXError) -> Frame {
        guard !layout.isEndMarker else { throw .frame(0, "ends the pages where another was to come") }
        guard bytes.byteCount >= layout.byteCount else { throw .truncatedFrame }
        let pageSize = page.byteCount
        let payload = bytes.extracting(layout.payload)
        switch layout.kind {
        case .block, .frameCompressed:
            guard LZ4Block.decompress(payload, into: &page) else {
                throw .frame(layout.pageNumber, "is damaged: it does not decompress to \(pageSize) bytes")
            }
        case .frameStored:
            // SAFETY: the layout has checked that a stored block has exactly the page size.
            unsafe page.withUnsafeMutableBytes { target in
                unsafe payload.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
            }
        }
        if layout.kind != .block {
            let end = bytes.extracting(layout.payload.upperBound..<layout.byteCount)
            try LZ4Frame.check(end: end, of: page.bytes, pageNumber: layout.pageNumber)
        }
        let remainder = CRC64.remainder(of: page.bytes)
        var part = ChecksumPart(of: bytes.extracting(0..<layout.headerByteCount))
        part.append(remainder: remainder, byteCount: pageSize)
        return Frame(
            pageNumber: layout.pageNumber,
            byteCount: layout.byteCount,
            remainder: remainder,
            part: part
        )
    }
}
