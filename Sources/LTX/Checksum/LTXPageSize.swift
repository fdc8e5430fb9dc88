/// What the format knows of page sizes.
public enum LTXPageSize {
    /// The sizes that SQLite has: the powers of two from 512 to 65,536.
    public static let all = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]

    /// Whether a database can have pages of this size, in bytes.
    public static func isValid(_ pageSize: Int) -> Bool {
        pageSize >= 512 && pageSize <= 65536 && pageSize & (pageSize - 1) == 0
    }

    /// The number of the page that holds byte 2³⁰ of the database, which SQLite locks and never writes.
    ///
    /// It counts in a database's size, and is absent from every transaction file and every database checksum.
    ///
    /// - Precondition: `pageSize` is valid.
    public static func lockPage(pageSize: Int) -> UInt32 {
        precondition(isValid(pageSize), "\(pageSize) is no page size")
        return UInt32(0x4000_0000 / pageSize + 1)
    }

    /// The most bytes that the LZ4 block of one page can have.
    static func blockBound(pageSize: Int) -> Int { pageSize + pageSize / 255 + 16 }
}
