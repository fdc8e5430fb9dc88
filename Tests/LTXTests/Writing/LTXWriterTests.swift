import Testing

@testable import LTX

@Suite struct LTXWriterTests {
    @Test("What was written is read back, for every page size and kind of content", arguments: LTXPageSize.all)
    func roundTrip(pageSize: Int) throws {
        var random = SeededGenerator(seed: UInt64(pageSize))
        var pages: [UInt32: [UInt8]] = [:]
        for _ in 0..<20 { pages[UInt32(random.next() % 1000 + 1)] = random.page(pageSize) }
        let bytes = try TestFile.write(LTXHeader(pageSize, commit: 1000, 5, 6), pages)
        #expect(try TestFile.pages(bytes) == pages)
        let summary = try LTXVerifier(MemorySource(bytes, name: "x")).verify()
        #expect(summary.databaseChecksum == nil && summary.pageCount == pages.count)
    }

    @Test(
        "A page that does not compress takes what the format says",
        arguments: [(512, 515), (4096, 4114), (65536, 65794)]
    )
    func incompressible(pageSize: Int, blockSize: Int) {
        var random = SeededGenerator(seed: 1)
        let page = random.bytes(pageSize)
        var block = FrameBlock(pageSize: pageSize)
        let remainder = block.append(pageNumber: 1, page: page.span.bytes)
        #expect(block.byteCount == 10 + blockSize)
        #expect(remainder == CRC64.remainder(of: page.span.bytes))
        block.removeAll()
        block.append(pageNumber: 2, storing: page.span.bytes, remainder: remainder)
        #expect(block.byteCount == 10 + blockSize && block.entries.map(\.pageNumber) == [2])
    }

    @Test("Blocks filled side by side give the file that one thread writes")
    func parallel() async throws {
        var random = SeededGenerator(seed: 9)
        let pages = (0..<400).map { _ in random.page(1024) }
        let blocks = await withTaskGroup(of: (Int, FrameBlock).self) { group in
            for start in stride(from: 0, to: pages.count, by: 33) {
                group.addTask {
                    var block = FrameBlock(pageSize: 1024, capacity: 2)
                    for index in start..<min(start + 33, pages.count) {
                        let page = pages[index]
                        block.append(pageNumber: UInt32(index + 1), page: page.span.bytes)
                    }
                    return (start, block)
                }
            }
            var blocks: [(Int, FrameBlock)] = []
            for await block in group { blocks.append(block) }
            return blocks.sorted { $0.0 < $1.0 }.map(\.1)
        }
        var writer = try LTXWriter(pageSize: 1024, sink: MemorySink())
        for block in blocks { try writer.append(block) }
        #expect(writer.pageCount == 400)
        let header = LTXHeader(1024, commit: 400, 1, 1)
        let summary = try writer.finish(header: header)
        let numbered = Dictionary(uniqueKeysWithValues: pages.enumerated().map { (UInt32($0 + 1), $1) })
        #expect(try writer.sink.bytes == TestFile.write(header, numbered))
        #expect(summary.databaseChecksum == TestFile.databaseChecksum(numbered))
        #expect(try LTXVerifier(MemorySource(writer.sink.bytes, name: "x")).verify() == summary)
    }

    @Test("The writer keeps the rules that readers check")
    func rules() throws {
        let page = [UInt8](repeating: 1, count: 512)
        func refusal(_ header: LTXHeader, _ numbers: [UInt32]) -> LTXError.Code? {
            do throws(LTXError) {
                var writer = try LTXWriter(pageSize: 512, sink: DiscardingSink())
                for number in numbers { try writer.append(pageNumber: number, page: page.span.bytes) }
                _ = try writer.finish(header: header)
                return nil
            } catch { return error.code }
        }
        let header = LTXHeader(512, commit: 3, 2, 2)
        #expect(refusal(header, [1, 3]) == nil && refusal(header, []) == nil)
        #expect(refusal(header, [2, 1]) == .invalidPageOrder)
        #expect(refusal(header, [2, 2]) == .invalidPageOrder)
        #expect(refusal(header, [0]) == .invalidPageOrder)
        #expect(refusal(header, [4]) == .invalidPageOrder)
        #expect(refusal(LTXHeader(512, commit: 3_000_000, 2, 2), [2_097_153]) == .invalidPageOrder)
        #expect(refusal(LTXHeader(512, commit: 0, 2, 2), []) == .invalidHeader)
        #expect(refusal(LTXHeader(1024, commit: 3, 2, 2), []) == .invalidHeader)
        #expect(refusal(LTXHeader(512, commit: 3, 2, 1), []) == .invalidHeader)
        #expect(refusal(LTXHeader(512, commit: 3, 1, 1), [1, 3]) == .incompleteSnapshot)
        #expect(refusal(LTXHeader(512, commit: 3, 1, 9), [1, 2]) == .incompleteSnapshot)
        #expect(refusal(LTXHeader(512, commit: 3, 1, 9), [1, 2, 3]) == nil)
        #expect(refusal(LTXHeader(512, commit: 2, 3, 3, mark: SourceMark(checksum: 1)), [1, 2]) == .checksumMismatch)
        var tracking = header
        (tracking.tracksChecksum, tracking.preApplyChecksum) = (true, FileChecksum.flag)
        #expect(refusal(tracking, [1]) == .invalidHeader)
    }

    @Test(
        "A snapshot across 1 GiB leaves out the lock page, wherever it lies",
        arguments: [16384, 16385, 16386] as [UInt32]
    )
    func lockPage(commit: UInt32) throws {
        let page = [UInt8](repeating: 0, count: 65536)
        var one = FrameBlock(pageSize: 65536)
        let remainder = one.append(pageNumber: 1, page: page.span.bytes)
        let data = one.withBytes { bytes in bytes.withUnsafeBytes { [UInt8]($0.dropFirst(10)) } }
        var writer = try LTXWriter(pageSize: 65536, sink: MemorySink())
        var block = FrameBlock(pageSize: 65536)
        for number in 1...commit where number != 16385 {
            block.append(pageNumber: number, block: data.span.bytes, remainder: remainder)
        }
        try writer.append(block)
        let summary = try writer.finish(header: LTXHeader(65536, commit: commit, 1, 1))
        #expect(summary.pageCount == Int(commit == 16384 ? commit : commit - 1))
        #expect(summary.databaseChecksum != nil)
        let source = MemorySource(writer.sink.bytes, name: "large")
        var cursor = LTXIndexCursor(try LTXIndex(of: source), of: source, header: summary.header)
        var count = 0
        while try cursor.next() != nil { count += 1 }
        #expect(count == summary.pageCount)
    }

    @Test("A sink that throws gives an error with its cause")
    func badSink() throws {
        struct Failing: LTXSink {
            struct Failure: Error {}
            var left: Int
            mutating func write(_ bytes: RawSpan) throws {
                left -= 1
                if left < 0 { throw Failure() }
            }
            mutating func replaceStart(_ bytes: RawSpan) throws { try write(bytes) }
        }
        let page = [UInt8](repeating: 1, count: 512)
        for room in 0..<6 {
            let error = #expect(throws: LTXError.self) {
                var writer = try LTXWriter(pageSize: 512, sink: Failing(left: room))
                try writer.append(pageNumber: 1, page: page.span.bytes)
                _ = try writer.finish(header: LTXHeader(512, commit: 1, 1, 1))
            }
            #expect(error?.code == .sinkFailed && error?.cause is Failing.Failure)
        }
    }
}
