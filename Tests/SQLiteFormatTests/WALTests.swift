import SQLiteFormat
import Testing

@Suite("Write-ahead log") struct WALTests {
    /// A header that SQLite 3.40.1 wrote; its last 8 bytes are the checksum of the first 24.
    static let golden: [UInt8] = [
        0x37, 0x7f, 0x06, 0x82, 0x00, 0x2d, 0xe2, 0x18, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x3d, 0xe5, 0x62, 0x81, 0xa3, 0x3b, 0xcf, 0xc4, 0x56, 0x49, 0xe8, 0x50, 0xd3, 0x00, 0xfb, 0x98,
    ]

    /// A valid header of any kind.
    static func header(pageSize: UInt32, order: ByteOrder) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in [0x377f_0682 | (order == .big ? 1 : 0), 3_007_000, pageSize, 7, 0x1111_2222, 0x3333_4444]
            as [UInt32]
        {
            bytes += word.bigEndianBytes
        }
        var sum = WALChecksum()
        sum.update(with: bytes.span.bytes, byteOrder: order)
        return bytes + sum.first.bigEndianBytes + sum.second.bigEndianBytes
    }

    private func parse(_ bytes: [UInt8]) -> WALHeader? { WALHeader(parsing: bytes.span.bytes) }

    @Test("A real header is read, and its checksum is what the frames go on from")
    func real() throws {
        let header = try #require(parse(Self.golden))
        #expect(header.checksumByteOrder == .little && header.pageSize.byteCount == 4096)
        #expect(header.salts == WALSalts(first: 0x3de5_6281, second: 0xa33b_cfc4))
        #expect(header.checksum == WALChecksum(first: 0x5649_e850, second: 0xd300_fb98))
    }

    @Test("Both byte orders and every page size are read")
    func kinds() throws {
        for order in [ByteOrder.little, .big] {
            for exponent in 9...16 {
                let bytes = Self.header(pageSize: 1 << exponent, order: order)
                let header = try #require(parse(bytes))
                #expect(header.checksumByteOrder == order && header.pageSize.byteCount == 1 << exponent)
                #expect(header.salts == WALSalts(first: 0x1111_2222, second: 0x3333_4444))
            }
            for wrong: UInt32 in [0, 1, 256, 4095, 131_072, .max] {
                #expect(parse(Self.header(pageSize: wrong, order: order)) == nil)
            }
        }
    }

    @Test("A flipped bit anywhere in a header is noticed")
    func flippedBits() {
        for bit in 0..<Self.golden.count * 8 {
            var bytes = Self.golden
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(parse(bytes) == nil, "bit \(bit)")
        }
        for count in 0..<32 { #expect(parse(Array(Self.golden[..<count])) == nil) }
    }

    @Test("The checksum does not depend on where the input is split, and reads words in the order asked for")
    func checksum() {
        for order in [ByteOrder.little, .big] {
            let whole = sum(Self.golden, order)
            for offset in stride(from: 0, through: 32, by: 8) {
                let start = sum(Array(Self.golden[..<offset]), order)
                #expect(sum(Array(Self.golden[offset...]), order, after: start) == whole)
            }
            // Counted one word at a time.
            var (first, second): (UInt32, UInt32) = (0, 0)
            for index in stride(from: 0, to: 32, by: 8) {
                first = first &+ word(index, order) &+ second
                second = second &+ word(index + 4, order) &+ first
            }
            #expect(whole == WALChecksum(first: first, second: second))
        }
    }

    private func sum(_ bytes: [UInt8], _ order: ByteOrder, after start: WALChecksum = WALChecksum()) -> WALChecksum {
        var sum = start
        sum.update(with: bytes.span.bytes, byteOrder: order)
        return sum
    }

    private func word(_ offset: Int, _ order: ByteOrder) -> UInt32 {
        let bytes = Self.golden[offset..<offset + 4].map { UInt32($0) }
        let big = bytes.reduce(0) { $0 << 8 | $1 }
        return order == .big ? big : big.byteSwapped
    }

    @Test("Frames lie where their geometry says")
    func geometry() throws {
        for exponent in 9...16 {
            let pageSize = try #require(PageSize(byteCount: 1 << exponent))
            let geometry = WALGeometry(pageSize: pageSize)
            #expect(geometry.offset(ofFrame: 1) == 32)
            for frame: UInt32 in [1, 2, 77, .max - 2] {
                let end = geometry.offset(ofFrame: frame + 1)
                #expect(end - geometry.offset(ofFrame: frame) == Int64(24 + (1 << exponent)))
                #expect(geometry.lastFrame(endingAt: end) == frame && geometry.lastFrame(endingAt: end + 1) == nil)
            }
            #expect(geometry.lastFrame(endingAt: 32) == 0 && geometry.lastFrame(endingAt: 31) == nil)
            #expect(geometry.lastFrame(endingAt: .max) == nil && geometry.lastFrame(endingAt: -8) == nil)
        }
    }

    @Test("A frame's header is read field by field")
    func frame() {
        let words: [UInt32] = [9, 12, 3, 4, 5, 6]
        var bytes: [UInt8] = []
        for word in words { bytes += word.bigEndianBytes }
        let header = WALFrameHeader(parsing: bytes.span.bytes)
        #expect(header.pageNumber == 9 && header.commitSize == 12)
        #expect(header.salts == WALSalts(first: 3, second: 4) && header.checksum == WALChecksum(first: 5, second: 6))
    }
}

@Suite("wal-index") struct WALIndexTests {
    /// The start of a wal-index as SQLite lays it out, with a right checksum.
    static func index(frame: UInt32, backfilled: UInt32, isInitialized: Bool = true) -> [UInt8] {
        var header = UInt32(3_007_000).nativeBytes + UInt32(0).nativeBytes + UInt32(17).nativeBytes
        header += [isInitialized ? 1 : 0, 0] + [0x00, 0x10]
        for word in [frame, 40, 0xaaaa_0001, 0xbbbb_0002] as [UInt32] { header += word.nativeBytes }
        header += UInt32(0x0102_0304).bigEndianBytes + UInt32(0x0506_0708).bigEndianBytes
        var sum = WALChecksum()
        sum.update(with: header.span.bytes, byteOrder: 1.littleEndian == 1 ? .little : .big)
        header += sum.first.nativeBytes + sum.second.nativeBytes
        return header + header + backfilled.nativeBytes + [UInt8](repeating: 0xff, count: 36)
    }

    private func parse(_ bytes: [UInt8]) -> WALIndexHeader? { WALIndexHeader(parsing: bytes.span.bytes) }

    @Test("A consistent header is read")
    func consistent() throws {
        let header = try #require(parse(Self.index(frame: 12, backfilled: 5)))
        #expect(
            header.lastFrame == 12 && header.pageCount == 40 && header.backfilledFrames == 5 && !header.isBackfilled
        )
        #expect(header.salts == WALSalts(first: 0x0102_0304, second: 0x0506_0708))
        #expect(header.checksum == WALChecksum(first: 0xaaaa_0001, second: 0xbbbb_0002))
        let done = try #require(parse(Self.index(frame: 12, backfilled: 12)))
        #expect(done.isBackfilled)
    }

    @Test("A header that is being written is never taken: any changed byte of either copy")
    func torn() {
        let bytes = Self.index(frame: 12, backfilled: 5)
        for offset in 0..<96 {
            var other = bytes
            other[offset] ^= 1
            #expect(parse(other) == nil, "byte \(offset)")
            // The same change in both copies does not fit the checksum.
            other[(offset + 48) % 96] ^= 1
            #expect(parse(other) == nil, "byte \(offset) of both")
        }
        #expect(parse(Array(bytes[..<135])) == nil)
        #expect(parse(Self.index(frame: 1, backfilled: 0, isInitialized: false)) == nil)
    }
}

extension UInt32 {
    var bigEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> UInt32(24 - $0 * 8)) } }
    var nativeBytes: [UInt8] { 1.littleEndian == 1 ? bigEndianBytes.reversed() : bigEndianBytes }
}
