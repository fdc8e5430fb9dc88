/// The running checksum of one transaction file, as its trailer stores it.
///
/// It covers, in file order: the header; of each frame the page header with its size field and then the *decompressed*
/// page; and all bytes from the end-of-pages marker to the first 8 bytes of the trailer. So a file read in pieces is
/// checked by: `update(header)`, `update(part)` for what ``FrameDecoder`` returned for each run of frames, and
/// `update(bytes)` with the rest of the file but its last 8 bytes.
public struct FileChecksum: Hashable, Sendable {
    /// Bit 63, which every stored checksum has set, so that 0 can mean "none".
    public static let flag: UInt64 = 1 << 63

    private var state: UInt64 = ~0

    /// Creates the checksum of no bytes.
    public init() {}

    /// Adds bytes as they stand.
    public mutating func update(_ bytes: RawSpan) { state = CRC64.update(state, with: bytes) }

    /// Adds bytes whose linear remainder was computed elsewhere.
    public mutating func update(remainder: UInt64, byteCount: Int) {
        state = CRC64.advance(state, byteCount: byteCount) ^ remainder
    }

    /// Adds a part that was computed elsewhere.
    public mutating func update(_ part: ChecksumPart) {
        update(remainder: part.remainder, byteCount: part.byteCount)
    }

    /// The checksum of the bytes so far, with ``flag`` set.
    public var value: UInt64 { ~state | Self.flag }
}
