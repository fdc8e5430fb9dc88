/// Merges transaction files that follow one another into one, in a single pass and in bounded memory.
///
/// Of each page the newest input's version is taken, and pages above the final database size are dropped. Pages stay
/// compressed as they are. Every frame of every input is nevertheless decoded once, also where a newer input wins, and
/// every file checksum is verified before the output is completed.
///
/// ```swift
/// var merger = try LTXMerger(inputs)
/// var writer = try LTXWriter(pageSize: merger.header.pageSize, sink: sink)
/// let summary = try merger.merge(into: &writer)
/// ```
public struct LTXMerger: ~Copyable, Sendable {
    /// The header of the result: it begins where the first input does; all else is the last one's, without its place
    /// in a WAL.
    public private(set) var header: LTXHeader
    /// The size of all inputs in bytes.
    public let inputByteCount: Int64

    private var readers: [FrameReader]
    private var decoder: FrameDecoder
    private var scratch: [UInt8]

    /// How far a merge has come: called about once for each MiB of input. What it throws ends the merge.
    public typealias Progress = (_ bytesRead: Int64) throws -> Void

    /// Reads the headers of the inputs, and the first part of each.
    ///
    /// - Parameters:
    ///   - inputs: The files, oldest first.
    ///   - bufferBudget: How many bytes all read buffers may have together. Each has from 4 KiB to 1 MiB, and none is
    ///     larger than its file.
    /// - Throws: ``LTXError`` with code `noncontiguousInputs` unless the inputs have one page size and each begins at
    ///   most one transaction after the end of the one before and ends after it; or as for reading a header.
    public init(_ inputs: [any LTXSource], bufferBudget: Int = 24 << 20) throws(LTXError) {
        guard !inputs.isEmpty else { throw LTXError(.noncontiguousInputs, "There is no file to merge.") }
        let share = min(max(bufferBudget / inputs.count, 4 << 10), 1 << 20)
        var readers: [FrameReader] = []
        readers.reserveCapacity(inputs.count)
        var total: Int64 = 0
        for input in inputs {
            do throws(LTXError) {
                let reader = try FrameReader(input, bufferByteCount: share)
                if let last = readers.last?.header { try Self.check(reader.header, follows: last) }
                readers.append(reader)
            } catch { throw error.naming(input.name) }
            total += input.byteCount
        }
        let (first, last) = (readers[0].header, readers[readers.count - 1].header)
        (self.readers, inputByteCount, scratch) = (readers, total, [])
        header = LTXHeader(
            pageSize: first.pageSize,
            commit: last.commit,
            minTXID: first.minTXID,
            maxTXID: last.maxTXID,
            timestampMilliseconds: last.timestampMilliseconds,
            sourceMark: last.sourceMark
        )
        // Like its mark: who has written the state that this leads to.
        header.nodeID = last.nodeID
        decoder = FrameDecoder(pageSize: first.pageSize)
    }

    /// Merges into one file.
    ///
    /// - Parameters:
    ///   - writer: An empty writer, which this finishes.
    ///   - result: The header to write instead of ``header``; pages above its commit are dropped.
    ///   - progress: See ``Progress``.
    /// - Returns: What the result holds.
    /// - Throws: ``LTXError``; its message names the input at fault. Code `stopped` where `progress` threw.
    public consuming func merge<Sink: LTXSink>(
        into writer: inout LTXWriter<Sink>,
        as result: LTXHeader? = nil,
        progress: Progress = { _ in }
    ) throws(LTXError) -> LTXFileSummary {
        precondition(writer.pageSize == header.pageSize && writer.pageCount == 0, "a merge begins with an empty writer")
        if let result { header = result }
        let header = header
        var block = FrameBlock(pageSize: header.pageSize)
        do {
            try run(progress: progress) { frame, layout, bytes, page in
                switch layout.kind {
                case .block:
                    block.append(pageNumber: frame.pageNumber, copying: bytes, remainder: frame.remainder)
                case .frameCompressed:
                    let data = bytes.extracting(layout.payload)
                    block.append(pageNumber: frame.pageNumber, block: data, remainder: frame.remainder)
                case .frameStored:
                    block.append(pageNumber: frame.pageNumber, storing: page, remainder: frame.remainder)
                }
                guard block.byteCount >= Self.blockByteCount else { return }
                try writer.append(block)
                block.removeAll()
            }
            try writer.append(block)
            return try writer.finish(header: header)
        } catch let error as LTXError {
            throw error
        } catch {
            throw LTXError(.stopped, "The merge of \(header.fileName) was stopped.", cause: error)
        }
    }

    /// Merges without an output file: hands out the pages of the database after the last input.
    ///
    /// Pages are handed out before the file checksums, which stand at the ends, could be verified.
    ///
    /// - Parameters:
    ///   - progress: See ``Progress``.
    ///   - body: Called in page order with a page's number, its content, which is valid during the call only, and its
    ///     linear remainder.
    /// - Throws: ``LTXError`` whose message names the input at fault, and what `body` and `progress` throw.
    public consuming func decodePages(
        progress: Progress = { _ in },
        _ body: (_ pageNumber: UInt32, _ page: RawSpan, _ remainder: UInt64) throws -> Void
    ) throws {
        try run(progress: progress) { frame, _, _, page in try body(frame.pageNumber, page, frame.remainder) }
    }

    /// How many bytes of frames go to the writer at a time.
    private static var blockByteCount: Int { 256 << 10 }
    /// How many bytes lie between two calls of a progress callback.
    private static var progressByteCount: Int64 { 1 << 20 }

    private mutating func run(
        progress: Progress,
        emit: (FrameDecoder.Frame, FrameLayout, RawSpan, RawSpan) throws -> Void
    ) throws {
        var heap = PageHeap(inputCount: readers.count)
        var (bytesRead, reported): (Int64, Int64) = (0, 0)
        for input in readers.indices {
            bytesRead += readers[input].position
            if let page = try advance(input) { heap.insert(page, input: input) }
        }
        var emitted: UInt32 = 0
        while let (page, input) = heap.first {
            let isWanted = page != emitted && page <= header.commit
            emitted = page
            let start = readers[input].position
            try decode(input) { frame, layout, bytes, content in
                if isWanted { try emit(frame, layout, bytes, content) }
            }
            bytesRead += readers[input].position - start
            heap.advanceFirst(to: try advance(input))
            if bytesRead - reported >= Self.progressByteCount {
                reported = bytesRead
                try progress(bytesRead)
            }
        }
        try progress(inputByteCount)
    }

    /// The next page of an input; at the end of its pages, verifies the rest of the file.
    private mutating func advance(_ input: Int) throws(LTXError) -> UInt32? {
        do throws(LTXError) {
            if let page = try readers[input].nextPageNumber() { return page }
            _ = try readers[input].finish()
            return nil
        } catch { throw error.naming(readers[input].source.name) }
    }

    private mutating func decode(
        _ input: Int,
        _ body: (FrameDecoder.Frame, FrameLayout, RawSpan, RawSpan) throws -> Void
    ) throws {
        // What `body` throws is not an error of this input, so it goes around the naming.
        var failure: (any Error)?
        do {
            try readers[input].decodeNext(with: &decoder, scratch: &scratch) { frame, layout, bytes, page in
                do {
                    try body(frame, layout, bytes, page)
                } catch {
                    failure = error
                    throw error
                }
            }
        } catch let error as LTXError where failure == nil {
            throw error.naming(readers[input].source.name)
        } catch {
            throw failure ?? error
        }
    }

    private static func check(_ header: LTXHeader, follows last: LTXHeader) throws(LTXError) {
        guard header.pageSize == last.pageSize else {
            throw LTXError(
                .noncontiguousInputs,
                "The page size is \(header.pageSize), that of the file before it \(last.pageSize)."
            )
        }
        guard header.minTXID <= last.maxTXID.next, header.maxTXID > last.maxTXID else {
            throw LTXError(
                .noncontiguousInputs,
                "The file holds transactions \(header.minTXID) to \(header.maxTXID), which do not continue the file "
                    + "before it: that one ends at \(last.maxTXID)."
            )
        }
    }
}
