/// The size of a database's pages: a power of two from 512 to 65536 bytes.
///
/// Format: <https://www.sqlite.org/fileformat2.html#page_size>
public struct PageSize: Hashable, Sendable {
    /// The size in bytes.
    public let byteCount: Int

    /// The smallest page size, 512 bytes.
    public static let minimum = PageSize(exponent: 9)

    private init(exponent: Int) { byteCount = 1 << exponent }

    /// Takes a size in bytes, or returns `nil` where SQLite has no such page size.
    public init?(byteCount: Int) {
        guard byteCount >= 512, byteCount <= 65536, byteCount & (byteCount - 1) == 0 else { return nil }
        self.byteCount = byteCount
    }

    /// Takes the 16-bit form of the database header, in which 1 stands for 65536.
    public init?(headerValue: UInt16) {
        self.init(byteCount: headerValue == 1 ? 65536 : Int(headerValue))
    }

    /// The number of the page that holds the byte at 1 GiB, where SQLite keeps its file locks: it never holds data.
    public var lockPage: UInt32 { UInt32(0x4000_0000 / byteCount) + 1 }
}
