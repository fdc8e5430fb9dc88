/// The running checksum of a write-ahead log.
///
/// Format: <https://www.sqlite.org/fileformat2.html#checksum_algorithm>
public struct WALChecksum: Hashable, Sendable {
    /// The first sum.
    public private(set) var first: UInt32
    /// The second sum.
    public private(set) var second: UInt32

    /// Starts from known sums; from zero at the log's header.
    public init(first: UInt32 = 0, second: UInt32 = 0) {
        (self.first, self.second) = (first, second)
    }

    /// Adds `bytes` to the checksum.
    ///
    /// - Precondition: `bytes` is a whole number of 8-byte groups.
    public mutating func update(with bytes: RawSpan, byteOrder: ByteOrder) {
        precondition(bytes.byteCount.isMultiple(of: 8), "WAL checksums cover whole 8-byte groups")
        switch byteOrder {
        case .little: sum(bytes, UInt32.init(littleEndian:))
        case .big: sum(bytes, UInt32.init(bigEndian:))
        }
    }

    /// The hot loop: state in locals, the branch on byte order outside, no allocation, no ARC.
    @inline(__always)
    private mutating func sum(_ bytes: RawSpan, _ decode: (UInt32) -> UInt32) {
        var (s0, s1) = (first, second)
        for offset in stride(from: 0, to: bytes.byteCount, by: 8) {
            // SAFETY: offset + 8 <= byteCount, checked by the caller; any four bytes are a valid UInt32.
            let (x0, x1) = unsafe (
                bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self),
                bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset + 4, as: UInt32.self)
            )
            s0 &+= decode(x0) &+ s1
            s1 &+= decode(x1) &+ s0
        }
        (first, second) = (s0, s1)
    }
}
