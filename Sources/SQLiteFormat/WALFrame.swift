/// The 24 bytes before each page in a write-ahead log.
///
/// Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
public struct WALFrameHeader: Hashable, Sendable {
    /// The number of bytes that the header takes.
    public static let byteCount = 24

    /// The page that the frame holds.
    public let pageNumber: UInt32
    /// The size of the database in pages after the transaction that this frame ends; 0 on all its other frames.
    public let commitSize: UInt32
    /// The salts of the generation in which the frame was written.
    public let salts: WALSalts
    /// The running checksum up to and including this frame, as stored.
    public let checksum: WALChecksum

    /// Reads a frame's header; nothing about it is checked.
    ///
    /// - Precondition: `bytes` has at least 24 bytes.
    public init(parsing bytes: RawSpan) {
        pageNumber = bytes.bigEndianUInt32(at: 0)
        commitSize = bytes.bigEndianUInt32(at: 4)
        salts = WALSalts(first: bytes.bigEndianUInt32(at: 8), second: bytes.bigEndianUInt32(at: 12))
        checksum = WALChecksum(first: bytes.bigEndianUInt32(at: 16), second: bytes.bigEndianUInt32(at: 20))
    }
}

/// Where the frames of a write-ahead log lie in its file. Frames are counted from 1.
public struct WALGeometry: Hashable, Sendable {
    /// The size of a page.
    public let pageSize: PageSize

    /// Takes the page size that the log's header tells.
    public init(pageSize: PageSize) { self.pageSize = pageSize }

    /// The number of bytes that a frame takes, its header included.
    public var frameByteCount: Int { WALFrameHeader.byteCount + pageSize.byteCount }

    /// The offset in bytes of frame `number` from the start of the file.
    public func offset(ofFrame number: UInt32) -> Int64 {
        precondition(number > 0, "frames count from 1")
        return Int64(WALHeader.byteCount) + Int64(number - 1) * Int64(frameByteCount)
    }

    /// The number of the last frame that ends at `offset`, 0 for the end of the header; `nil` between two frames.
    public func lastFrame(endingAt offset: Int64) -> UInt32? {
        let (frames, rest) = (offset - Int64(WALHeader.byteCount)).quotientAndRemainder(
            dividingBy: Int64(frameByteCount)
        )
        guard rest == 0, frames >= 0 else { return nil }
        return UInt32(exactly: frames)
    }
}
