/// The share that a run of bytes has in a checksum, computed apart from what comes before and after it.
///
/// Threads compute the parts of one file side by side; ``append(_:)`` and ``FileChecksum/update(_:)`` join them in
/// file order, without another look at the bytes.
public struct ChecksumPart: Hashable, Sendable {
    /// The linear remainder of the bytes; see ``CRC64``.
    public private(set) var remainder: UInt64
    /// How many bytes the part covers: of a page frame its header and the decompressed page, not the stored bytes.
    public private(set) var byteCount: Int

    /// Creates the part of no bytes at all, or of bytes whose remainder is known.
    public init(remainder: UInt64 = 0, byteCount: Int = 0) {
        (self.remainder, self.byteCount) = (remainder, byteCount)
    }

    /// Creates the part of `bytes`.
    public init(of bytes: RawSpan) {
        self.init(remainder: CRC64.remainder(of: bytes), byteCount: bytes.byteCount)
    }

    /// Adds a part that follows this one.
    public mutating func append(_ part: ChecksumPart) {
        append(remainder: part.remainder, byteCount: part.byteCount)
    }

    /// Adds bytes that follow, of which only the remainder is at hand.
    public mutating func append(remainder: UInt64, byteCount: Int) {
        self.remainder = CRC64.advance(self.remainder, byteCount: byteCount) ^ remainder
        self.byteCount += byteCount
    }

    /// Adds bytes that follow.
    public mutating func append(_ bytes: RawSpan) {
        remainder = CRC64.update(remainder, with: bytes)
        byteCount += bytes.byteCount
    }
}
