/// Where a page's frame lies in a transaction file.
public struct PageIndexEntry: Hashable, Sendable {
    /// The page number, from 1.
    public let pageNumber: UInt32
    /// Where the frame begins, in bytes from the file's start.
    public let offset: Int64
    /// The size of the whole frame in bytes: header, size field and data.
    public let byteCount: Int

    /// Creates an entry.
    public init(_ pageNumber: UInt32, offset: Int64, byteCount: Int) {
        (self.pageNumber, self.offset, self.byteCount) = (pageNumber, offset, byteCount)
    }

    /// The bytes of the frame in the file.
    public var range: Range<Int64> { offset..<(offset + Int64(byteCount)) }
}
