import LTX
import NIOCore
import Synchronization
import SystemPackage

/// Decodes runs of frames and writes those pages that the result has to their places. Used by several threads.
final class RunDecoder: Sendable {
    /// Buffers of one thread, used again for the next run.
    private struct Buffers {
        var input: [UInt8] = []
        var output: [UInt8]
        var checksums: [UInt64] = []
    }

    /// Neighbouring pages are written together, up to so many bytes.
    private static let writeByteCount = 256 << 10

    private let output: SystemPackage.FileDescriptor
    private let pageSize: Int
    private let fileCount: Int
    private let states: StateChecksums
    private let buffers = Mutex<[Buffers]>([])

    /// - Parameters:
    ///   - output: Where pages are written, at their places.
    ///   - pageSize: The page size in bytes.
    ///   - fileCount: The number of files in the chain.
    ///   - states: Told of every version of a page.
    init(output: SystemPackage.FileDescriptor, pageSize: Int, fileCount: Int, states: StateChecksums) {
        (self.output, self.pageSize, self.fileCount, self.states) = (output, pageSize, fileCount, states)
    }

    /// What a run contributes.
    struct Outcome: Sendable {
        /// To the file checksum.
        let part: ChecksumPart
        /// To the checksum of a database that consists of this file alone.
        let pages: UInt64
        /// Bytes of pages that were written.
        let byteCount: Int
    }

    /// Decodes a run whose bytes are at hand. Blocks.
    ///
    /// - Parameter file: Which of the chain's files, from 0.
    /// - Throws: ``LTXError`` for what is wrong with the file, `Errno` where the output cannot be written.
    func decode(_ run: FrameRun, _ bytes: RawSpan, file: Int) throws -> Outcome {
        try withBuffers { buffers in try decode(run, bytes, file: file, &buffers) }
    }

    /// Reads and decodes a run. Blocks.
    func decode(_ run: FrameRun, from source: FileSource, file: Int) throws -> Outcome {
        try withBuffers { buffers in
            let count = run.range.count
            var input: [UInt8] = []
            swap(&input, &buffers.input)
            defer { swap(&input, &buffers.input) }
            if input.count < count { input = [UInt8](repeating: 0, count: count) }
            try unsafe input.withUnsafeMutableBytes { target in
                // SAFETY: the array was made at least as long.
                let region = unsafe UnsafeMutableRawBufferPointer(rebasing: target[..<count])
                try unsafe source.read(into: region, at: run.range.lowerBound)
            }
            // SAFETY: the elements are bytes, all of them initialized.
            return try decode(run, unsafe input.span.bytes.extracting(0..<count), file: file, &buffers)
        }
    }

    private func decode(_ run: FrameRun, _ bytes: RawSpan, file: Int, _ buffers: inout Buffers) throws -> Outcome {
        let decoder = FrameDecoder(pageSize: pageSize)
        // One page of room behind the pages to be written, for those that are not.
        let capacity = buffers.output.count / pageSize - 1
        var (offset, part, pages, written) = (0, ChecksumPart(), UInt64(0), 0)
        var (firstPage, pending) = (UInt32(0), 0)
        buffers.checksums.removeAll(keepingCapacity: true)
        for frame in run.frames {
            let isWinner = Int(frame.end) == fileCount
            let follows = pending == 0 || frame.pageNumber == firstPage &+ UInt32(pending)
            if isWinner, !follows || pending == capacity {
                try write(buffers.output, pageCount: pending, at: firstPage)
                pending = 0
            }
            let decoded = try Self.decode(
                decoder,
                bytes,
                at: offset,
                into: &buffers.output,
                isWinner ? pending : capacity
            )
            guard decoded.pageNumber == frame.pageNumber, decoded.byteCount == Int(frame.byteCount) else {
                throw LTXError(.invalidIndex, "The page index does not match the frame of page \(decoded.pageNumber).")
            }
            if isWinner {
                if pending == 0 { firstPage = frame.pageNumber }
                pending += 1
                written += pageSize
            }
            offset += decoded.byteCount
            part.append(decoded.part)
            let checksum = DatabaseChecksum.page(
                number: frame.pageNumber,
                remainder: decoded.remainder,
                pageSize: pageSize
            )
            pages ^= checksum
            buffers.checksums.append(checksum)
        }
        try write(buffers.output, pageCount: pending, at: firstPage)
        states.add(buffers.checksums, ends: run.frames.lazy.map { Int($0.end) }, from: file)
        return Outcome(part: part, pages: pages, byteCount: written)
    }

    private static func decode(
        _ decoder: FrameDecoder,
        _ bytes: RawSpan,
        at offset: Int,
        into output: inout [UInt8],
        _ slot: Int
    ) throws -> FrameDecoder.Frame {
        let start = slot * decoder.pageSize
        let range = start..<(start + decoder.pageSize)
        return try unsafe output.withUnsafeMutableBytes { target in
            // SAFETY: the slice checks its bounds; any bytes are valid, and the page does not leave the closure.
            var page = unsafe UnsafeMutableRawBufferPointer(rebasing: target[range]).mutableBytes
            return try decoder.decodeFrame(in: bytes, at: offset, into: &page)
        }
    }

    private func write(_ output: [UInt8], pageCount: Int, at page: UInt32) throws {
        guard pageCount > 0 else { return }
        let (count, start) = (pageCount * pageSize, Int64(page - 1) * Int64(pageSize))
        try unsafe output.withUnsafeBytes { source in
            var done = 0
            while done < count {
                // SAFETY: `pageCount` pages were decoded into the buffer.
                let rest = unsafe UnsafeRawBufferPointer(rebasing: source[done..<count])
                done += try unsafe self.output.write(toAbsoluteOffset: start + Int64(done), rest)
            }
        }
    }

    private func withBuffers<Result>(_ body: (inout Buffers) throws -> Result) throws -> Result {
        var own = buffers.withLock { $0.popLast() } ?? Buffers(output: makeOutput())
        defer { buffers.withLock { $0.append(own) } }
        return try body(&own)
    }

    private func makeOutput() -> [UInt8] { [UInt8](repeating: 0, count: Self.writeByteCount + pageSize) }
}
