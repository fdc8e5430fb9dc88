/// The checksum of a whole database: one number that says whether two databases are equal, page for page.
///
/// It is the XOR over all pages but the lock page of ``page(number:remainder:pageSize:)``, all 64 bits and no flag. So it
/// is kept up to date by two XORs for a changed page, and does not depend on the order of pages.
public enum DatabaseChecksum {
    /// The checksum of an empty database.
    public static let empty: UInt64 = 0

    /// The share of one page: CRC-64/ISO of its number, as 4 bytes big-endian, followed by the page.
    ///
    /// - Parameters:
    ///   - number: The page number, from 1.
    ///   - remainder: ``CRC64/remainder(of:)`` of the page. The page itself is not looked at again.
    ///   - pageSize: The page size in bytes.
    public static func page(number: UInt32, remainder: UInt64, pageSize: Int) -> UInt64 {
        // The number's bytes come most significant first, a register takes the first byte lowest.
        let start = CRC64.times(~0 ^ UInt64(number.byteSwapped), xToThe: 32)
        return ~(CRC64.advance(start, byteCount: pageSize) ^ remainder)
    }
}
