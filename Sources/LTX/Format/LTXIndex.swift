/// Where the page index of a file lies, and with it where its frames end.
///
/// It is found from the end of the file, without the frames:
///
/// ```swift
/// let index = try LTXIndex(tail: lastBytes.span.bytes, fileByteCount: size)
/// var cursor = LTXIndexCursor(index, of: source, header: header)
/// while let entry = try cursor.next() { … }
/// ```
public struct LTXIndex: Hashable, Sendable {
    /// The fewest bytes from a file's end that ``init(tail:fileByteCount:)`` needs.
    public static let tailByteCount = 8 + LTXTrailer.byteCount
    /// The size of the smallest possible file, one without pages.
    public static let smallestFileByteCount =
        LTXHeader.byteCount + FrameLayout.markerByteCount + 1 + tailByteCount

    /// The size of the whole file in bytes.
    public let fileByteCount: Int64
    /// The bytes of the entries and the terminator, without the size field.
    public let range: Range<Int64>
    /// The file's trailer.
    public let trailer: LTXTrailer

    /// The bytes of all frames, without the end-of-pages marker.
    public var framesRange: Range<Int64> {
        Int64(LTXHeader.byteCount)..<(range.lowerBound - Int64(FrameLayout.markerByteCount))
    }

    /// Finds the index by the last bytes of a file.
    ///
    /// - Parameters:
    ///   - tail: The end of the file, ``tailByteCount`` bytes or more.
    ///   - fileByteCount: The size of the whole file.
    /// - Throws: ``LTXError`` with code `truncated` or `invalidIndex`.
    public init(tail: RawSpan, fileByteCount: Int64) throws(LTXError) {
        guard fileByteCount >= Int64(Self.smallestFileByteCount), tail.byteCount >= Self.tailByteCount else {
            throw LTXError(
                .truncated,
                "The file has \(fileByteCount) bytes, too few for one of this format "
                    + "(\(Self.smallestFileByteCount) at least)."
            )
        }
        let start = tail.byteCount - Self.tailByteCount
        let size = tail.bigEndian(at: start, as: UInt64.self)
        let end = fileByteCount - Int64(Self.tailByteCount)
        let room = end - Int64(LTXHeader.byteCount + FrameLayout.markerByteCount)
        guard let byteCount = Int64(exactly: size), byteCount >= 1, byteCount <= room else {
            throw LTXError(
                .invalidIndex,
                "The page index is said to have \(size) bytes, which a file of \(fileByteCount) cannot hold: "
                    + "it is cut short or damaged at its end."
            )
        }
        self.fileByteCount = fileByteCount
        range = (end - byteCount)..<end
        trailer = try LTXTrailer(parsing: tail.extracting((start + 8)..<tail.byteCount))
    }

    /// Finds the index of a file, by reading its last 24 bytes.
    ///
    /// - Throws: ``LTXError`` as for ``init(tail:fileByteCount:)``, or with code `sourceFailed`.
    public init(of source: any LTXSource) throws(LTXError) {
        let size = source.byteCount
        let count = min(Int64(Self.tailByteCount), max(size, 0))
        let tail = try source.bytes(at: size - count, byteCount: Int(count))
        // SAFETY: the elements are bytes, all of them initialized.
        try unsafe self.init(tail: tail.span.bytes, fileByteCount: size)
    }
}
