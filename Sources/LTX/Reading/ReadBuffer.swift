/// A window that moves over a source from its start to its end.
///
/// What is longer than the window is put together in a scratch buffer, which many windows share. So a thousand files
/// side by side need little memory, whatever their page size.
struct ReadBuffer: Sendable {
    /// Where in the file the first unread byte lies.
    private(set) var position: Int64
    private let source: any LTXSource
    private var storage: [UInt8]
    private var unread = 0..<0

    /// The fewest bytes that a window has, if the file is not smaller.
    static let leastByteCount = 256

    init(_ source: any LTXSource, startingAt position: Int64 = 0, byteCount: Int) {
        (self.source, self.position) = (source, position)
        let size = min(Int64(max(byteCount, Self.leastByteCount)), max(source.byteCount - position, 0))
        storage = [UInt8](repeating: 0, count: Int(size))
    }

    /// How many bytes the file has from ``position`` on.
    var remaining: Int64 { source.byteCount - position }

    /// Calls `body` with the unread bytes: `count` of them, at most ``leastByteCount``, or fewer at the file's end.
    mutating func peek<Result>(
        _ count: Int,
        _ body: (RawSpan) throws(LTXError) -> Result
    ) throws(LTXError) -> Result {
        if unread.count < count { try refill() }
        // SAFETY: the elements are bytes, all of them initialized.
        return try body(unsafe storage.span.bytes.extracting(unread))
    }

    /// Moves on by bytes that were looked at.
    mutating func skip(_ count: Int) {
        precondition(count <= unread.count, "only bytes at hand are skipped")
        unread = (unread.lowerBound + count)..<unread.upperBound
        position += Int64(count)
    }

    /// Calls `body` with the next `count` bytes, which the file has, and moves on.
    ///
    /// - Parameter scratch: Grows to `count` bytes where the window is too small.
    mutating func take<Result>(
        _ count: Int,
        scratch: inout [UInt8],
        _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        if unread.count < count, count <= storage.count { try refill() }
        if unread.count >= count {
            let range = unread.lowerBound..<(unread.lowerBound + count)
            // SAFETY: the elements are bytes, all of them initialized.
            let result = try body(unsafe storage.span.bytes.extracting(range))
            skip(count)
            return result
        }
        if scratch.count < count { scratch.append(contentsOf: repeatElement(0, count: count - scratch.count)) }
        for offset in 0..<unread.count { scratch[offset] = storage[unread.lowerBound + offset] }
        try Self.read(source, at: position + Int64(unread.count), into: &scratch, unread.count..<count)
        unread = 0..<0
        position += Int64(count)
        // SAFETY: the elements are bytes, all of them initialized.
        return try body(unsafe scratch.span.bytes.extracting(0..<count))
    }

    /// Gives the window's memory back; nothing more may be read.
    mutating func release() {
        storage = []
        unread = 0..<0
    }

    /// Moves what is unread to the window's start and fills up the rest.
    private mutating func refill() throws(LTXError) {
        let kept = unread.count
        if unread.lowerBound > 0 {
            for offset in 0..<kept { storage[offset] = storage[unread.lowerBound + offset] }
        }
        let count = Int(min(Int64(storage.count - kept), remaining - Int64(kept)))
        unread = 0..<kept
        guard count > 0 else { return }
        try Self.read(source, at: position + Int64(kept), into: &storage, kept..<(kept + count))
        unread = 0..<(kept + count)
    }

    private static func read(
        _ source: any LTXSource,
        at offset: Int64,
        into bytes: inout [UInt8],
        _ range: Range<Int>
    ) throws(LTXError) {
        var span = bytes.mutableSpan
        // SAFETY: the elements are bytes, so any bytes are valid; the buffer does not leave the closure.
        var target = unsafe span.mutableBytes
        try unsafe target.withUnsafeMutableBytes { (buffer) throws(LTXError) in
            try unsafe source.fill(UnsafeMutableRawBufferPointer(rebasing: buffer[range]), at: offset)
        }
    }
}
