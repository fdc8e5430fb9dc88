import SQLiteFormat
import Testing

@Suite("Database and page sizes") struct HeaderTests {
    /// The first 100 bytes of a database that SQLite 3.40.1 made: 4096-byte pages, WAL mode, 2 pages.
    static let golden: [UInt8] = [
        0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74, 0x20, 0x33, 0x00, 0x10, 0x00,
        0x02, 0x02,
        0x00, 0x40, 0x20, 0x20, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x01,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x2e,
        0x63, 0x01,
    ]

    private func parse(_ bytes: [UInt8]) -> DatabaseHeader? { DatabaseHeader(parsing: bytes.span.bytes) }

    @Test("A real header is read")
    func real() throws {
        let header = try #require(parse(Self.golden))
        #expect(header.pageSize.byteCount == 4096 && header.isWAL && header.pageCount == 2)
    }

    @Test("Every page size is read, and no other")
    func pageSizes() throws {
        var found: Set<Int> = []
        for value in UInt16.min...UInt16.max {
            var bytes = Self.golden
            (bytes[16], bytes[17]) = (UInt8(value >> 8), UInt8(value & 0xff))
            if let header = parse(bytes) { found.insert(header.pageSize.byteCount) }
        }
        #expect(found.sorted() == (9...16).map { 1 << $0 })
        #expect([0, 1, 511, 513, 131_072, -4096].allSatisfy { PageSize(byteCount: $0) == nil })
    }

    @Test("Short, encrypted and rollback-mode files are told apart")
    func others() throws {
        for count in 0..<100 { #expect(parse(Array(Self.golden[..<count])) == nil) }
        for offset in 0..<16 {
            var bytes = Self.golden
            bytes[offset] ^= 0x20
            #expect(parse(bytes) == nil)
        }
        var bytes = Self.golden
        (bytes[18], bytes[19]) = (1, 1)
        #expect(try #require(parse(bytes)).isWAL == false)
    }

    @Test("The lock page is the one at 1 GiB", arguments: [(512, 2_097_153), (4096, 262_145), (65536, 16_385)])
    func lockPage(byteCount: Int, page: UInt32) throws {
        #expect(try #require(PageSize(byteCount: byteCount)).lockPage == page)
    }
}
