/// The fields of a database file's first 100 bytes that replication looks at.
///
/// Format: <https://www.sqlite.org/fileformat2.html#the_database_header>
public struct DatabaseHeader: Hashable, Sendable {
    /// The number of bytes that the header takes.
    public static let byteCount = 100

    /// The size of the database's pages.
    public let pageSize: PageSize
    /// Whether the file says that it is in WAL mode (both format versions are 2).
    public let isWAL: Bool
    /// The size of the database in pages as the header tells it; 0 where an old library left it out.
    public let pageCount: UInt32

    /// Reads a header, or returns `nil` where the bytes are not one: another file, an encrypted one, a short one.
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount else { return nil }
        for (offset, byte) in Self.magic.enumerated() {
            // SAFETY: the load checks its bounds, and any byte is a valid UInt8.
            guard unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) == byte else { return nil }
        }
        guard let pageSize = PageSize(headerValue: bytes.bigEndianUInt16(at: 16)) else { return nil }
        self.pageSize = pageSize
        isWAL = bytes.bigEndianUInt16(at: 18) == 0x0202
        pageCount = bytes.bigEndianUInt32(at: 28)
    }

    private static let magic = Array("SQLite format 3".utf8) + [0]
}
