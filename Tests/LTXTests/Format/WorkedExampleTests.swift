import Testing

@testable import LTX

/// The files that the format's text explains byte by byte.
@Suite(.enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct WorkedExampleTests {
    @Test("Level 0, transaction 1: a snapshot of four pages")
    func snapshot() throws {
        let bytes = try Fixtures.bytes(Fixtures.path("tiny", level: 0, 1, 1))
        #expect(bytes.count == 511)
        let source = MemorySource(bytes, name: "tiny 1")
        let summary = try LTXVerifier(source).verify()
        var header = LTXHeader(512, commit: 4, 1, 1, timestamp: 1_795_378_740_138)
        (header.walOffset, header.walByteCount) = (32, 3216)
        (header.walSalt1, header.walSalt2) = (0x176c_c6ad, 0xeadb_abb8)
        #expect(summary.header == header && header.isSnapshot)
        #expect(summary.pageCount == 4 && summary.fileChecksum == 0xaefa_c157_952a_5e74)
        #expect(header.encoded() == Array(bytes[..<100]))

        let index = try LTXIndex(of: source)
        #expect(index.range == 0x1d6..<0x1e7 && index.framesRange == 0x64..<0x1d0)
        #expect(index.trailer == LTXTrailer(fileChecksum: 0xaefa_c157_952a_5e74))
        var cursor = LTXIndexCursor(index, of: source, header: header)
        var entries: [PageIndexEntry] = []
        while let entry = try cursor.next() { entries.append(entry) }
        #expect(
            entries == [
                PageIndexEntry(1, offset: 100, byteCount: 238), PageIndexEntry(2, offset: 338, byteCount: 42),
                PageIndexEntry(3, offset: 380, byteCount: 42), PageIndexEntry(4, offset: 422, byteCount: 42),
            ]
        )
        let pages = try TestFile.pages(bytes)
        #expect(try #require(pages[1]).starts(with: "SQLite format 3\0".utf8))
        // An empty leaf page, whose cells would begin at its end, byte 0x200.
        #expect(pages[2] == [0x0d, 0, 0, 0, 0, 2, 0, 0] + [UInt8](repeating: 0, count: 504))
        #expect(pages[3] == pages[2] && pages[4] == pages[2])
    }

    @Test("Level 0, transaction 2: one changed page")
    func increment() throws {
        let bytes = try Fixtures.bytes(Fixtures.path("tiny", level: 0, 2, 2))
        #expect(bytes.count == 177)
        let summary = try LTXVerifier(MemorySource(bytes, name: "tiny 2")).verify()
        #expect(summary.header.timestampMilliseconds == 0x1a2_04e9_7bef)
        #expect(summary.header.walOffset == 3248 && summary.header.walByteCount == 536)
        #expect(summary.pageCount == 1 && summary.fileChecksum == 0xbbe6_1eaf_65b8_4984)
        #expect(summary.databaseChecksum == nil)
        let page = try #require(try TestFile.pages(bytes)[2])
        let start: [UInt8] = [0x0d, 0, 0, 0, 1, 0x01, 0xfa, 0, 0x01, 0xfa, 0, 0]
        let cell: [UInt8] = [0x04, 0x01, 0x02, 0x11, 0x68, 0x69]
        #expect(page == start + [UInt8](repeating: 0, count: 494) + cell)
    }

    @Test("The level-1 file of both comes out of a merge, byte for byte")
    func merged() throws {
        let inputs = try [1, 2].map { try Fixtures.source(Fixtures.path("tiny", level: 0, $0, $0)) }
        let merged = try TestFile.merge(inputs)
        #expect(merged.bytes == (try Fixtures.bytes(Fixtures.path("tiny", level: 1, 1, 2))))
    }

    @Test("An LZ4 frame of Litestream 0.5.15")
    func lz4Frame() throws {
        let bytes = try Fixtures.bytes(Fixtures.path("lz4-frames", level: 0, 2, 2))
        #expect(bytes.count == 1547)
        let layout = try FrameLayout(parsing: bytes.span.bytes.extracting(100..<117), pageSize: 4096)
        #expect(layout.pageNumber == 3 && layout.kind == .frameCompressed && layout.byteCount == 1412)
        #expect(layout.payload == 0x11..<0x57c && layout.headerByteCount == 6)
        let summary = try LTXVerifier(MemorySource(bytes, name: "frame")).verify()
        #expect(summary.fileChecksum == 0x87fe_ff27_bf74_34d7)
        let page = try #require(try TestFile.pages(bytes)[3])
        #expect(XXH32.hash(of: page.span.bytes) == 0x9f51_12fe)
    }
}
