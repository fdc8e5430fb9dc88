/// The two numbers that tell one generation of a write-ahead log from the next.
public struct WALSalts: Hashable, Sendable {
    /// Grows by one when a connection restarts the log; random otherwise.
    public let first: UInt32
    /// Random.
    public let second: UInt32

    /// Takes the numbers as they are.
    public init(first: UInt32, second: UInt32) { (self.first, self.second) = (first, second) }
}

/// The 32 bytes at the start of a write-ahead log.
///
/// Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
public struct WALHeader: Hashable, Sendable {
    /// The number of bytes that the header takes.
    public static let byteCount = 32

    /// The byte order in which the log's checksums read words.
    public let checksumByteOrder: ByteOrder
    /// The size of the pages in the log.
    public let pageSize: PageSize
    /// The salts that each valid frame repeats.
    public let salts: WALSalts
    /// The checksum of the header, with which the running checksum of the frames begins.
    public let checksum: WALChecksum

    /// Reads a header, or returns `nil` where the bytes are not a complete and valid one.
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        let magic = bytes.bigEndianUInt32(at: 0)
        guard magic & ~1 == 0x377f_0682, bytes.bigEndianUInt32(at: 4) == 3_007_000,
            let pageSize = PageSize(byteCount: Int(bytes.bigEndianUInt32(at: 8)))
        else { return nil }
        checksumByteOrder = magic & 1 == 1 ? .big : .little
        self.pageSize = pageSize
        salts = WALSalts(first: bytes.bigEndianUInt32(at: 16), second: bytes.bigEndianUInt32(at: 20))
        var sum = WALChecksum()
        sum.update(with: bytes.extracting(0..<24), byteOrder: checksumByteOrder)
        guard sum.first == bytes.bigEndianUInt32(at: 24), sum.second == bytes.bigEndianUInt32(at: 28) else {
            return nil
        }
        checksum = sum
    }
}
