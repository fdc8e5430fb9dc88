import SQLiteFormat

/// Reads committed frames and verifies them: salts, running checksum, and the commit flag at the end.
///
/// Only frames up to a `mxFrame` that was published while a reader of ours is held may be asked for (B12).
struct WALReader {
    private let file: WALFile
    private let buffer: ReadBuffer

    /// Reads from `file` through `buffer`, which is the caller's to share.
    init(file: WALFile, buffer: ReadBuffer) { (self.file, self.buffer) = (file, buffer) }

    /// Visits frames `position.frame + 1 ... last` in order.
    ///
    /// - Parameters:
    ///   - position: Where the frames follow; frame 0 for the start of the generation.
    ///   - last: The last frame, which must carry a commit flag.
    ///   - visit: Called with the frame's number, its header and its page, valid for the call.
    /// - Returns: The position at `last`, and the size of the database there in pages.
    func frames(
        after position: WALPosition,
        through last: UInt32,
        pageSize: PageSize,
        visit: (_ number: UInt32, _ header: WALFrameHeader, _ page: RawSpan) throws -> Void
    ) throws -> (position: WALPosition, commitSize: UInt32) {
        guard let header = try file.header(), header.salts == position.salts else {
            throw Discontinuity(.anotherGeneration, "the WAL's header does not belong to its index")
        }
        guard header.pageSize == pageSize else {
            throw Discontinuity(.anotherFile, "the page size changed to \(header.pageSize.byteCount)")
        }
        var running = position.frame == 0 ? header.checksum : position.checksum
        let geometry = WALGeometry(pageSize: pageSize)
        let frameSize = geometry.frameByteCount
        let perRead = max(1, buffer.byteCount / frameSize)
        var next = position.frame + 1
        var commitSize: UInt32 = 0
        while next <= last {
            let count = min(perRead, Int(last - next) + 1)
            unsafe try buffer.fill(count * frameSize) { target in
                unsafe try file.read(into: target, at: geometry.offset(ofFrame: next))
            } _: { bytes in
                guard bytes.byteCount == count * frameSize else {
                    throw Discontinuity(.framesGone, "the WAL ends before frame \(last)")
                }
                for index in 0..<count {
                    let frame = bytes.extracting(index * frameSize..<(index + 1) * frameSize)
                    let frameHeader = WALFrameHeader(parsing: frame)
                    let page = frame.extracting(WALFrameHeader.byteCount..<frameSize)
                    running.update(with: frame.extracting(0..<8), byteOrder: header.checksumByteOrder)
                    running.update(with: page, byteOrder: header.checksumByteOrder)
                    guard frameHeader.salts == header.salts, frameHeader.checksum == running,
                        frameHeader.pageNumber > 0
                    else { throw Discontinuity(.damagedFrame, "frame \(next)") }
                    commitSize = frameHeader.commitSize
                    try visit(next, frameHeader, page)
                    next += 1
                }
            }
        }
        guard commitSize > 0 || last == position.frame else {
            throw Discontinuity(.damagedFrame, "frame \(last) carries no commit flag")
        }
        return (WALPosition(salts: header.salts, frame: last, checksum: running), commitSize)
    }
}

/// Memory for reading in large blocks, allocated at first use and given back when the database is quiet.
@safe final class ReadBuffer {
    /// The size in bytes.
    let byteCount: Int
    private var memory: UnsafeMutableRawBufferPointer?

    init(byteCount: Int) { self.byteCount = byteCount }

    deinit { release() }

    /// Reads at most `count` bytes with `read`, which returns how many it has read, and shows them to `body`.
    func fill<Result>(
        _ count: Int,
        _ read: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ body: (RawSpan) throws -> Result
    ) throws -> Result {
        let memory = unsafe allocated(count)
        let got = unsafe try read(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        return unsafe try body(UnsafeRawBufferPointer(rebasing: memory[..<got]).bytes)
    }

    /// Gives the memory back.
    func release() {
        unsafe memory?.deallocate()
        unsafe memory = nil
    }

    private func allocated(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if let memory = unsafe memory, memory.count >= count { return unsafe memory }
        release()
        let new = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, count), alignment: 4096)
        unsafe memory = unsafe new
        return unsafe new
    }
}
