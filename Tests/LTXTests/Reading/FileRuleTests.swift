import Testing

@testable import LTX

/// Files that break one rule each, with a checksum that fits all the same.
@Suite struct FileRuleTests {
    static let pages = (0..<5).map { seed in
        var random = SeededGenerator(seed: UInt64(seed))
        return random.page(512)
    }

    static func file(
        _ numbers: [UInt32],
        commit: UInt32 = 5,
        min: UInt64 = 2,
        _ change: (inout RawFile) -> Void = { _ in }
    ) -> [UInt8] {
        var file = RawFile(LTXHeader(512, commit: commit, min, min))
        for (index, number) in numbers.enumerated() { file.addBlock(number, pages[index]) }
        change(&file)
        return file.bytes
    }

    static func expect(_ code: LTXError.Code, _ bytes: [UInt8], location: SourceLocation = #_sourceLocation) {
        let error = TestFile.refusal(of: bytes)
        #expect(error?.code == code, "\(error?.message ?? "accepted")", sourceLocation: location)
    }

    @Test("A file that keeps every rule is read, with pages or without")
    func good() throws {
        #expect(try TestFile.pages(Self.file([1, 3, 5])) == [1: Self.pages[0], 3: Self.pages[1], 5: Self.pages[2]])
        #expect(try TestFile.pages(Self.file([])).isEmpty)
        #expect(try TestFile.pages(Self.file([1, 2, 3], commit: 3, min: 1)).count == 3)
        #expect(Self.file([]).count == LTXIndex.smallestFileByteCount)
    }

    @Test("Both kinds of frames may stand in one file, compressed and stored")
    func mixed() throws {
        var random = SeededGenerator(seed: 5)
        let contents = [[UInt8](repeating: 7, count: 512), random.bytes(512), random.bytes(512)]
        var file = RawFile(LTXHeader(512, commit: 3, 2, 2))
        file.addLZ4Frame(1, contents[0])
        file.addLZ4Frame(2, contents[1])
        file.addBlock(3, contents[2])
        #expect(try TestFile.pages(file.bytes) == [1: contents[0], 2: contents[1], 3: contents[2]])
        #expect(file.frames[1].data.count == 7 + 4 + 512 + 8)
        // A page of the older kind is damaged, and the file checksum is made to fit: the page's own tells.
        var damaged = file
        damaged.frames[1].data[11] ^= 1
        damaged.frames[1].page[0] ^= 1
        #expect(TestFile.refusal(of: damaged.bytes)?.message.contains("Page 2 is damaged: its LZ4 frame says") == true)
        for offset in [0, 4, 5, 6, 9, 10, 523, 526] {
            var bad = file
            bad.frames[1].data[offset] ^= 0x40
            #expect(TestFile.refusal(of: bad.bytes) != nil, "byte \(offset) of the LZ4 frame")
        }
    }

    @Test("Page numbers ascend, keep below the commit, and leave out the lock page")
    func order() {
        Self.expect(.invalidPageOrder, Self.file([2, 1]))
        Self.expect(.invalidPageOrder, Self.file([2, 2]))
        Self.expect(.invalidPageOrder, Self.file([1, 6]))
        Self.expect(.invalidPageOrder, Self.file([1, 2_097_153], commit: 3_000_000))
    }

    @Test("A snapshot holds every page")
    func incomplete() {
        Self.expect(.incompleteSnapshot, Self.file([1, 3], commit: 3, min: 1))
        Self.expect(.incompleteSnapshot, Self.file([2, 3], commit: 3, min: 1))
        Self.expect(.incompleteSnapshot, Self.file([1, 2], commit: 3, min: 1))
        Self.expect(.incompleteSnapshot, Self.file([], commit: 3, min: 1))
    }

    @Test("Page headers have no other flags, sizes and numbers than the format's")
    func frames() {
        Self.expect(.invalidFrame, Self.file([1]) { $0.frames[0].flags = 3 })
        Self.expect(.invalidFrame, Self.file([1]) { $0.frames[0].flags = 0x8001 })
        Self.expect(.invalidFrame, Self.file([1]) { $0.frames[0].flags = 0 })
        Self.expect(.invalidFrame, Self.file([1]) { $0.marker[5] = 1 })
        Self.expect(.invalidFrame, Self.file([1]) { ($0.frames[0].sizeField, $0.frames[0].data) = (0, []) })
        Self.expect(.invalidFrame, Self.file([1]) { $0.frames[0].sizeField = 512 + 2 + 16 + 1 })
        Self.expect(.invalidFrame, Self.file([1]) { $0.frames[0].sizeField = .max })
    }

    @Test("A block that gives less or more than a page is refused", arguments: [511, 513, 1024])
    func pageSize(_ count: Int) {
        // One literal and one match that repeats it; then the last five literals.
        let rest = count - 6 - 19
        var block: [UInt8] = [0x1f, 0x07, 0x01, 0x00]
        block += [UInt8](repeating: 255, count: rest / 255) + [UInt8(rest % 255)]
        block += [0x50, 7, 7, 7, 7, 7]
        let page = [UInt8](repeating: 7, count: count)
        Self.expect(
            .invalidFrame,
            Self.file([1]) { file in
                file.frames[0].data = block
                file.frames[0].sizeField = UInt32(block.count)
                file.frames[0].page = page
            }
        )
    }

    @Test("A block that was not made by any common compressor is read: literals alone, overlapping matches")
    func foreignBlocks() throws {
        var overlapping: [UInt8] = [0x1f, 0x07, 0x01, 0x00, 255, UInt8(512 - 6 - 19 - 255)]
        overlapping += [0x50, 7, 7, 7, 7, 7]
        let literals: [UInt8] = [0xf0, 255, UInt8(512 - 15 - 255)] + Self.pages[1]
        let file = Self.file([1, 2]) { file in
            file.frames[0].data = overlapping
            file.frames[0].sizeField = UInt32(overlapping.count)
            file.frames[0].page = [UInt8](repeating: 7, count: 512)
            file.frames[1].data = literals
            file.frames[1].sizeField = UInt32(literals.count)
        }
        #expect(try TestFile.pages(file) == [1: [UInt8](repeating: 7, count: 512), 2: Self.pages[1]])
    }

    @Test("The index lists the frames, no more, no less, and elsewhere nothing")
    func index() throws {
        let good = Self.file([1, 3])
        let sizes = [1, 3].map { number in
            let block = RawFile.block(of: Self.pages[number == 1 ? 0 : 1])
            return UInt64(block.count + 10)
        }
        func entries(_ numbers: [UInt64]...) -> [UInt8] { numbers.flatMap { $0.flatMap(RawFile.varint) } }
        func with(_ entries: [UInt8]) -> [UInt8] { Self.file([1, 3]) { $0.entries = entries } }
        let (first, second): ([UInt64], [UInt64]) = ([1, 100, sizes[0]], [3, 100 + sizes[0], sizes[1]])
        #expect(with(entries(first, second)) == good)
        Self.expect(.invalidIndex, with(entries(first)))
        Self.expect(.invalidIndex, with(entries(first, second, [4, 100 + sizes[0] + sizes[1], 40])))
        Self.expect(.invalidIndex, with(entries(first, [4, second[1], second[2]])))
        Self.expect(.invalidIndex, with(entries([3, 100, sizes[0]], [1, second[1], second[2]])))
        Self.expect(.invalidIndex, with(entries([1, 101, sizes[0]], second)))
        Self.expect(.invalidIndex, with(entries([1, 100, sizes[0] + 1], [3, 101 + sizes[0], sizes[1] - 1])))
        Self.expect(.invalidIndex, with(entries([1, 100, .max], second)))
        Self.expect(.invalidIndex, with(entries([1, .max, sizes[0]], second)))
        Self.expect(.invalidIndex, with(entries([.max, 100, sizes[0]], second)))
        Self.expect(.invalidIndex, with([UInt8](repeating: 0xff, count: 9) + [0x02, 0x01, 0x01]))
        Self.expect(.invalidIndex, Self.file([1, 3]) { $0.indexSize = 6 })
        Self.expect(.invalidIndex, Self.file([1, 3]) { $0.indexSize = .max })

        // Longer forms of a number are read all the same.
        var long: [UInt8] = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]
        long += entries([100, sizes[0]], second)
        #expect(TestFile.refusal(of: with(long)) == nil)
        var cursor = LTXIndexCursor(
            try LTXIndex(of: MemorySource(with(long), name: "long")),
            of: MemorySource(with(long), name: "long"),
            header: LTXHeader(512, commit: 5, 2, 2)
        )
        #expect(try cursor.next()?.pageNumber == 1)
    }

    @Test("The trailer's checksums are the right ones and carry bit 63")
    func trailer() {
        Self.expect(.checksumMismatch, Self.file([1]) { $0.checksumMask = 1 })
        Self.expect(.checksumMismatch, Self.file([1]) { $0.checksumFlag = false })
        Self.expect(.checksumMismatch, Self.file([1]) { $0.postApply = FileChecksum.flag })
    }

    @Test("A file that tracks the database checksum is verified by it")
    func tracking() throws {
        var header = LTXHeader(512, commit: 2, 1, 1)
        header.tracksChecksum = true
        var file = RawFile(header)
        file.addBlock(1, [UInt8](repeating: 0, count: 512))
        file.addBlock(2, [UInt8](repeating: 0, count: 512))
        file.postApply = 0x80d2_1cd0_0000_0000
        #expect(TestFile.refusal(of: file.bytes) == nil)
        file.postApply ^= 1
        Self.expect(.checksumMismatch, file.bytes)

        (header.minTXID, header.maxTXID) = (TransactionID(rawValue: 2), TransactionID(rawValue: 2))
        header.preApplyChecksum = FileChecksum.flag
        var increment = RawFile(header)
        increment.addBlock(2, [UInt8](repeating: 1, count: 512))
        increment.postApply = FileChecksum.flag | 5
        #expect(TestFile.refusal(of: increment.bytes) == nil)
        increment.postApply = 5
        Self.expect(.checksumMismatch, increment.bytes)
    }

    @Test("A file with every page is checked against the source's mark, whatever its transactions", arguments: [1, 7])
    func mark(_ id: UInt64) throws {
        let pages: [UInt32: [UInt8]] = [1: Self.pages[0], 2: Self.pages[1], 3: Self.pages[2]]
        let checksum = TestFile.databaseChecksum(pages)
        let mark = SourceMark(checksum: checksum, epoch: 9)
        let bytes = try TestFile.write(LTXHeader(512, commit: 3, id, id, mark: mark), pages)
        let summary = try LTXVerifier(MemorySource(bytes, name: "marked")).verify()
        #expect(summary.databaseChecksum == checksum && summary.header.sourceMark == mark)
        let wrong = SourceMark(checksum: checksum ^ 1)
        Self.expect(
            .checksumMismatch,
            Self.file([1, 2, 3], commit: 3, min: id) { file in
                file.header = LTXHeader(512, commit: 3, id, id, mark: wrong).encoded()
            }
        )
        // Of a file with some pages nothing can be said.
        _ = try TestFile.write(LTXHeader(512, commit: 4, 7, 7, mark: wrong), pages)
    }
}
