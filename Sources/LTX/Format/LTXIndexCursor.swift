/// Reads the entries of a page index one after another, with a small buffer however long the index is.
///
/// Every entry is checked: pages ascend and lie inside the database, and the frames lie side by side from the header
/// to the end-of-pages marker.
public struct LTXIndexCursor: Sendable {
    private let name: String
    private let index: LTXIndex
    private var input: ReadBuffer
    private var parser: PageIndexParser
    private var isAtEnd = false

    /// Creates a cursor at the first entry.
    ///
    /// - Parameters:
    ///   - index: Where the index lies.
    ///   - source: The file, or a window of it from the index to the end.
    ///   - header: The file's header.
    ///   - bufferByteCount: How much is read at a time, in bytes.
    public init(
        _ index: LTXIndex,
        of source: any LTXSource,
        header: LTXHeader,
        bufferByteCount: Int = 64 << 10
    ) {
        (self.index, name) = (index, source.name)
        parser = PageIndexParser(header)
        input = ReadBuffer(source, startingAt: index.range.lowerBound, byteCount: bufferByteCount)
    }

    /// The next entry, or `nil` after the last.
    ///
    /// - Throws: ``LTXError`` with code `invalidIndex`, `truncated` or `sourceFailed`; it names the source.
    public mutating func next() throws(LTXError) -> PageIndexEntry? {
        guard !isAtEnd else { return nil }
        do throws(LTXError) {
            var (parser, used) = (parser, 0)
            let entry = try input.peek(PageIndexParser.entryByteCountBound) { (bytes) throws(LTXError) in
                try parser.next(in: bytes, at: &used)
            }
            self.parser = parser
            input.skip(used)
            if let entry { return entry }
            guard input.position == index.range.upperBound else {
                throw .index("ends at byte \(input.position), not at \(index.range.upperBound) as its size says")
            }
            guard parser.nextOffset == index.framesRange.upperBound else {
                throw .index("lists frames up to byte \(parser.nextOffset), not to \(index.framesRange.upperBound)")
            }
            isAtEnd = true
            return nil
        } catch { throw error.naming(name) }
    }
}
