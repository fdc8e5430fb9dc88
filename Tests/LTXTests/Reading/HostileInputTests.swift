import Testing

@testable import LTX

@Suite struct HostileInputTests {
    /// Lets everything that reads look at the bytes; what they say does not matter, only that nothing traps.
    static func read(_ bytes: [UInt8]) {
        let source = MemorySource(bytes, name: "hostile")
        let verifier = LTXVerifier(source, bufferByteCount: 256)
        _ = try? verifier.verify()
        let header = (try? verifier.readHeader()) ?? LTXHeader(512, commit: .max, 1, .max)
        if let index = try? LTXIndex(of: source) {
            var cursor = LTXIndexCursor(index, of: source, header: header, bufferByteCount: 1)
            while let entry = try? cursor.next() {
                _ = source.byteCount - entry.range.upperBound
            }
        }
        _ = try? verifier.readPage(1)
        var decoder = FrameDecoder(pageSize: header.pageSize)
        _ = try? decoder.decode(bytes.span.bytes) { _, _, _ in }
        if bytes.count > 100 {
            _ = try? decoder.decode(bytes.span.bytes.extracting(100..<bytes.count)) { _, _, _ in }
        }
        _ = try? TestFile.merge([source, source], bufferBudget: 1)
        _ = try? TestFile.merge([source], bufferBudget: 1)
    }

    @Test("Random bytes never trap, with and without a header and frames that look right", arguments: [1, 2, 3])
    func random(seed: UInt64) {
        print("hostile bytes: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1500 {
            var bytes = random.bytes(Int(random.next() % 600))
            if random.next() % 4 != 0 {
                let size = LTXPageSize.all[Int(random.next() % 3)]
                let id = random.next() % 3 == 0 ? UInt64.max : random.next() % 3 + 1
                bytes = LTXHeader(size, commit: UInt32(random.next() % 9), id, .max).encoded() + bytes
                if random.next() % 2 == 0, bytes.count > 120 {
                    // A frame whose header is right.
                    bytes.replaceSubrange(100..<109, with: [0, 0, 0, 1, 0, UInt8(random.next() % 2), 0, 0, 0])
                }
                if random.next() % 2 == 0, bytes.count > 140 {
                    // An index whose size is possible.
                    let tail = bytes.count - 24
                    bytes.replaceSubrange(tail..<(tail + 7), with: [UInt8](repeating: 0, count: 7))
                }
            }
            Self.read(bytes)
        }
    }

    @Test("Real files with random damage never trap", arguments: [4, 5, 6])
    func damaged(seed: UInt64) throws {
        print("damaged files: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var raw = RawFile(LTXHeader(512, commit: 4, 1, 2))
        for number in UInt32(1)...4 {
            if number % 2 == 0 {
                raw.addBlock(number, random.page(512))
            } else {
                raw.addLZ4Frame(number, random.page(512))
            }
        }
        let file = raw.bytes
        #expect(TestFile.refusal(of: file) == nil)
        for _ in 0..<1500 {
            var bytes = file
            for _ in 0...(random.next() % 6) {
                let offset = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 5 {
                case 0: bytes[offset] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[offset] = 0xff
                case 2: bytes.removeSubrange(offset..<min(bytes.count, offset + Int(random.next() % 40)))
                case 3: bytes.insert(contentsOf: random.bytes(Int(random.next() % 40)), at: offset)
                default: bytes[offset] ^= 1 << UInt8(random.next() % 8)
                }
                if bytes.isEmpty { break }
            }
            Self.read(bytes)
            if bytes != file, let pages = try? TestFile.pages(bytes) {
                #expect(pages == (try TestFile.pages(file)), "seed \(seed)")
            }
        }
    }

    @Test("A source that throws, and one that ends before its size, give errors")
    func badSources() throws {
        struct Failing: LTXSource {
            let name = "failing"
            let byteCount: Int64 = 1000
            struct Failure: Error {}
            func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws { throw Failure() }
        }
        let error = #expect(throws: LTXError.self) { try LTXVerifier(Failing()).verify() }
        #expect(error?.code == .sourceFailed && error?.cause is Failing.Failure)
        #expect(error?.message.contains("failing") == true)

        let bytes = try TestFile.write(LTXHeader(512, commit: 1, 1, 1), [1: [UInt8](repeating: 1, count: 512)])
        let window = MemorySource(
            Array(bytes.dropFirst(100)),
            startingAt: 100,
            fileByteCount: Int64(bytes.count),
            name: "w"
        )
        #expect(throws: LTXError.self) { try LTXVerifier(window).verify() }
        var cursor = LTXIndexCursor(try LTXIndex(of: window), of: window, header: LTXHeader(512, commit: 1, 1, 1))
        #expect(try cursor.next()?.pageNumber == 1)
        #expect(try cursor.next() == nil)
    }

    @Test("What the page callback throws comes out as it is")
    func callbackError() throws {
        struct Enough: Error {}
        let bytes = try TestFile.write(LTXHeader(512, commit: 1, 1, 1), [1: [UInt8](repeating: 1, count: 512)])
        let source = MemorySource(bytes, name: "x")
        #expect(throws: Enough.self) { try LTXVerifier(source).verify { _, _, _ in throw Enough() } }
        #expect(throws: Enough.self) { try LTXMerger([source]).decodePages { _, _, _ in throw Enough() } }
        var decoder = FrameDecoder(pageSize: 512)
        let end = Int(try LTXIndex(of: source).framesRange.upperBound)
        #expect(throws: Enough.self) {
            try decoder.decode(bytes.span.bytes.extracting(100..<end)) { _, _, _ in throw Enough() }
        }
    }
}
