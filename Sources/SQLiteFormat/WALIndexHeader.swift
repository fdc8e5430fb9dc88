/// One consistent look at the header of a write-ahead log's index, the shared memory that SQLite keeps in `-shm`.
///
/// Only frames up to ``lastFrame`` are history: what lies beyond in the log may be a transaction that never commits,
/// even where it ends in a valid commit frame.
///
/// Format: <https://www.sqlite.org/walformat.html#the_wal_index_file_format>, in this machine's byte order.
public struct WALIndexHeader: Hashable, Sendable {
    /// The number of bytes to look at: both copies of the header and the checkpoint's numbers.
    public static let byteCount = 136

    /// The last frame that is committed and published (`mxFrame`); 0 where this generation has none yet.
    public let lastFrame: UInt32
    /// The size of the database in pages at that frame.
    public let pageCount: UInt32
    /// The running checksum at that frame.
    public let checksum: WALChecksum
    /// The salts of the generation.
    public let salts: WALSalts
    /// Frames that are known to be in the database file (`nBackfill`).
    public let backfilledFrames: UInt32

    /// Whether nothing is left for a checkpoint to copy.
    public var isBackfilled: Bool { backfilledFrames >= lastFrame }

    /// Reads a header from a copy of the shared memory's start, or returns `nil` where a writer is at work on it:
    /// the two copies differ, or the checksum does not fit.
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        for offset in stride(from: 0, to: 48, by: 4) {
            guard bytes.nativeUInt32(at: offset) == bytes.nativeUInt32(at: offset + 48) else { return nil }
        }
        // SAFETY: the load checks its bounds, and any byte is a valid UInt8.
        guard unsafe bytes.unsafeLoad(fromByteOffset: 12, as: UInt8.self) != 0 else { return nil }
        var sum = WALChecksum()
        sum.update(with: bytes.extracting(0..<40), byteOrder: 1.littleEndian == 1 ? .little : .big)
        guard sum.first == bytes.nativeUInt32(at: 40), sum.second == bytes.nativeUInt32(at: 44) else { return nil }
        lastFrame = bytes.nativeUInt32(at: 16)
        pageCount = bytes.nativeUInt32(at: 20)
        checksum = WALChecksum(first: bytes.nativeUInt32(at: 24), second: bytes.nativeUInt32(at: 28))
        // SQLite copies the salts as the log has them, big-endian.
        salts = WALSalts(first: bytes.bigEndianUInt32(at: 32), second: bytes.bigEndianUInt32(at: 36))
        backfilledFrames = bytes.nativeUInt32(at: 96)
    }
}
