/// A run of page frames in memory, ready to be appended to a file.
///
/// Threads fill blocks side by side, each its own; a writer then takes them in page order. Buffers are kept by
/// ``removeAll()``, so that a block used again allocates nothing for a page. It is a value: a copy that is alive while
/// the block changes costs a copy of the buffers.
///
/// ```swift
/// var block = FrameBlock(pageSize: 4096)
/// for (number, page) in pages { block.append(pageNumber: number, page: page.span.bytes) }
/// try writer.append(block)
/// ```
public struct FrameBlock: Sendable {
    /// One frame of a block.
    public struct Entry: Hashable, Sendable {
        /// The page number, from 1.
        public let pageNumber: UInt32
        /// The size of the whole frame in bytes: header, size field and data.
        public let frameByteCount: Int
        /// The page's linear remainder; see ``CRC64``.
        public let remainder: UInt64
    }

    /// The page size in bytes.
    public let pageSize: Int
    /// The frames, in the order of appending.
    public private(set) var entries: [Entry] = []
    /// The share of these frames in the file checksum.
    public private(set) var part = ChecksumPart()
    /// The size of all frames in bytes.
    public private(set) var byteCount = 0

    /// Frames, then room that is not used.
    private var storage: [UInt8]

    /// Creates an empty block.
    ///
    /// - Parameters:
    ///   - pageSize: The page size in bytes, a valid one.
    ///   - capacity: The number of pages to make room for at once, as if none of them could be compressed.
    public init(pageSize: Int, capacity: Int = 0) {
        precondition(LTXPageSize.isValid(pageSize), "\(pageSize) is no page size")
        self.pageSize = pageSize
        let frameBound = FrameLayout.blockHeaderByteCount + LTXPageSize.blockBound(pageSize: pageSize)
        storage = [UInt8](repeating: 0, count: capacity * frameBound)
        entries.reserveCapacity(capacity)
    }

    /// Compresses a page and appends its frame.
    ///
    /// - Parameters:
    ///   - pageNumber: From 1; the order is checked when the block is appended to a writer.
    ///   - page: Exactly one page.
    /// - Returns: The page's linear remainder, from which ``DatabaseChecksum`` computes its checksum.
    @discardableResult
    public mutating func append(pageNumber: UInt32, page: RawSpan) -> UInt64 {
        precondition(page.byteCount == pageSize, "a page has the block's page size")
        let remainder = CRC64.remainder(of: page)
        // SAFETY: the target has room for any block, and is not kept.
        unsafe append(pageNumber: pageNumber, remainder: remainder) { target in
            unsafe LZ4Block.compress(page, into: target)
        }
        return remainder
    }

    /// Appends a frame whose page is stored as it is, for pages known not to compress.
    ///
    /// - Parameter remainder: ``CRC64/remainder(of:)`` of the page.
    public mutating func append(pageNumber: UInt32, storing page: RawSpan, remainder: UInt64) {
        precondition(page.byteCount == pageSize, "a page has the block's page size")
        // SAFETY: the target has room for any block, and is not kept.
        unsafe append(pageNumber: pageNumber, remainder: remainder) { target in
            unsafe LZ4Block.store(page, into: target)
        }
    }

    /// Appends the frame of a page that is compressed already.
    ///
    /// - Parameters:
    ///   - frame: A whole frame of the kind with a size field, page header included, as ``FrameDecoder`` accepted it.
    ///   - remainder: The remainder that ``FrameDecoder`` gave for its page.
    /// - Precondition: The frame has the page number, the flag and the size that it claims.
    public mutating func append(pageNumber: UInt32, copying frame: RawSpan, remainder: UInt64) {
        let header = FrameLayout.blockHeaderByteCount
        precondition(
            frame.byteCount > header && frame.bigEndian(at: 0, as: UInt32.self) == pageNumber
                && frame.bigEndian(at: 4, as: UInt16.self) == 1
                && Int(frame.bigEndian(at: 6, as: UInt32.self)) == frame.byteCount - header,
            "a copied frame has a block with its size"
        )
        append(pageNumber: pageNumber, block: frame.extracting(header..<frame.byteCount), remainder: remainder)
    }

    /// Appends a page that is compressed already.
    ///
    /// - Parameters:
    ///   - block: The LZ4 block without any header, at most as long as the format allows.
    ///   - remainder: ``CRC64/remainder(of:)`` of the page that it decompresses to.
    public mutating func append(pageNumber: UInt32, block: RawSpan, remainder: UInt64) {
        precondition(
            block.byteCount <= LTXPageSize.blockBound(pageSize: pageSize),
            "a block is no longer than its bound"
        )
        // SAFETY: the target has room for the bound, checked above, and is not kept.
        unsafe append(pageNumber: pageNumber, remainder: remainder) { target in
            unsafe block.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
            return block.byteCount
        }
    }

    /// Removes all frames and keeps the buffers.
    public mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        (part, byteCount) = (ChecksumPart(), 0)
    }

    /// Calls `body` with all frames as they stand in a file.
    public func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the elements are bytes, all of them initialized.
        try body(unsafe storage.span.bytes.extracting(0..<byteCount))
    }

    /// Appends a frame whose data `fill` writes into the room it is given; it returns their size.
    @inline(__always)
    private mutating func append(
        pageNumber: UInt32,
        remainder: UInt64,
        fill: (UnsafeMutableRawBufferPointer) -> Int
    ) {
        let (start, header) = (byteCount, FrameLayout.blockHeaderByteCount)
        let end = start + header + LTXPageSize.blockBound(pageSize: pageSize)
        if storage.count < end {
            storage.append(contentsOf: repeatElement(0, count: max(end, 2 * storage.count) - storage.count))
        }
        // SAFETY: the storage reaches `end`, so the slice lies inside.
        let size = unsafe storage.withUnsafeMutableBytes { target in
            unsafe fill(UnsafeMutableRawBufferPointer(rebasing: target[(start + header)..<end]))
        }
        storage.put(bigEndian: pageNumber, at: start)
        (storage[start + 4], storage[start + 5]) = (0, 1)
        storage.put(bigEndian: UInt32(size), at: start + 6)
        byteCount = start + header + size
        entries.append(Entry(pageNumber: pageNumber, frameByteCount: header + size, remainder: remainder))
        // SAFETY: the elements are bytes, all of them initialized.
        let headerPart = ChecksumPart(of: unsafe storage.span.bytes.extracting(start..<(start + header)))
        part.append(headerPart)
        part.append(remainder: remainder, byteCount: pageSize)
    }
}
