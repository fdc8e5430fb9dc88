/// Writes the frames of one commit as SQLite's own writer lays them out: the log's header where it is new, each frame's
/// header with the running checksum, the commit mark on the last frame.
///
/// Pure: bytes in, bytes out. Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
public struct WALFrameWriter: Sendable {
    /// The salts of the generation.
    public let salts: WALSalts
    /// The byte order of its checksums.
    public let byteOrder: ByteOrder
    /// The size of its pages.
    public let pageSize: PageSize
    /// The running checksum at the last frame written.
    public private(set) var checksum: WALChecksum

    /// Goes on behind the frames of a generation.
    public init(salts: WALSalts, byteOrder: ByteOrder, pageSize: PageSize, checksum: WALChecksum) {
        (self.salts, self.byteOrder, self.pageSize, self.checksum) = (salts, byteOrder, pageSize, checksum)
    }

    /// Begins a generation, whose header is appended to `bytes`.
    public init(newLogIn bytes: inout [UInt8], salts: WALSalts, byteOrder: ByteOrder, pageSize: PageSize) {
        (self.salts, self.byteOrder, self.pageSize, checksum) = (salts, byteOrder, pageSize, WALChecksum())
        let start = bytes.count
        let magic: UInt32 = byteOrder == .big ? 0x377f_0683 : 0x377f_0682
        for word in [magic, 3_007_000, UInt32(pageSize.byteCount), 0, salts.first, salts.second] {
            bytes.appendBigEndian(word)
        }
        checksum.update(with: unsafe bytes.span.bytes.extracting(start..<start + 24), byteOrder: byteOrder)
        bytes.appendBigEndian(checksum.first)
        bytes.appendBigEndian(checksum.second)
    }

    /// Appends the frame of a page to `bytes`.
    ///
    /// - Parameters:
    ///   - page: The page's number.
    ///   - image: Its bytes.
    ///   - commitSize: The size of the database in pages, if this frame ends a transaction; 0 if it does not.
    ///   - bytes: What the frame is appended to.
    /// - Precondition: `image` has the page size.
    public mutating func append(page: UInt32, image: RawSpan, commitSize: UInt32, to bytes: inout [UInt8]) {
        precondition(image.byteCount == pageSize.byteCount, "a frame holds one page")
        let start = bytes.count
        bytes.appendBigEndian(page)
        bytes.appendBigEndian(commitSize)
        checksum.update(with: unsafe bytes.span.bytes.extracting(start..<start + 8), byteOrder: byteOrder)
        checksum.update(with: image, byteOrder: byteOrder)
        for word in [salts.first, salts.second, checksum.first, checksum.second] { bytes.appendBigEndian(word) }
        // SAFETY: the image is only read, during the call.
        unsafe image.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ word: UInt32) {
        append(UInt8(truncatingIfNeeded: word >> 24))
        append(UInt8(truncatingIfNeeded: word >> 16))
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
