import Testing

@testable import LTX

@Suite struct LTXHeaderTests {
    static let bytes: [UInt8] = {
        var header = LTXHeader(4096, commit: 7, 2, 3)
        (header.walOffset, header.walByteCount) = (32, 8240)
        (header.walSalt1, header.walSalt2) = (0x0102_0304, 0x0506_0708)
        return header.encoded()
    }()

    /// The header's bytes with others put at an offset.
    static func changed(_ offset: Int, _ new: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(offset..<(offset + new.count), with: new)
        return bytes
    }

    @Test("A header is read as it was written, with all its fields")
    func roundTrip() throws {
        var header = LTXHeader(65536, commit: .max, 9, 77, timestamp: -5)
        (header.walOffset, header.walByteCount) = (.max, .max)
        (header.walSalt1, header.walSalt2) = (1, .max)
        header.sourceMark = SourceMark(checksum: 0x0123_4567_89ab_cdef, epoch: 42)
        header.nodeID = 5
        (header.tracksChecksum, header.preApplyChecksum) = (true, FileChecksum.flag | 3)
        let bytes = header.encoded()
        #expect(bytes.count == 100)
        #expect(try LTXHeader(parsing: bytes.span.bytes) == header)
    }

    @Test("The mark stands in the reserved bytes, and other bytes there are no mark")
    func mark() throws {
        let mark = SourceMark(checksum: 0x0123_4567_89ab_cdef, epoch: 0x11)
        let bytes = LTXHeader(512, commit: 1, 1, 1, mark: mark).encoded()
        #expect(
            Array(bytes[80...]) == [
                0x53, 0x52, 0x43, 0x31, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0x11,
            ]
        )
        let other = Self.changed(80, [UInt8](repeating: 0xee, count: 20))
        #expect(try LTXHeader(parsing: other.span.bytes).sourceMark == nil)
        #expect(try LTXHeader(parsing: Self.bytes.span.bytes).sourceMark == nil)
    }

    @Test("Fewer than 100 bytes are no header", arguments: [0, 1, 4, 50, 99])
    func short(_ count: Int) {
        let bytes = Array(Self.bytes.prefix(count))
        let error = #expect(throws: LTXError.self) { try LTXHeader(parsing: bytes.span.bytes) }
        #expect(error?.code == .truncated)
    }

    @Test(
        "Each rule of the header is enforced",
        arguments: [
            ("magic", 0, [0x4c, 0x54, 0x58, 0x32]), ("compressed flag", 7, [1]), ("high flag", 4, [0x80]),
            ("page size 0", 8, [0, 0, 0, 0]), ("page size 1", 8, [0, 0, 0, 1]), ("page size 1000", 8, [0, 0, 3, 0xe8]),
            ("page size 131072", 8, [0, 2, 0, 0]), ("page size above 2 GiB", 8, [0x80, 0, 0, 0]),
            ("minimum 0", 16, [UInt8](repeating: 0, count: 8)), ("maximum 0", 24, [UInt8](repeating: 0, count: 8)),
            ("minimum above maximum", 16, [0, 0, 0, 0, 0, 0, 0, 4]), ("negative offset", 48, [0x80]),
            ("negative size", 56, [0x80]), ("salts without offset", 48, [UInt8](repeating: 0, count: 8)),
            (
                "size without offset", 48,
                [0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 0]
            ),
            ("pre-apply without tracking", 40, [0x80]), ("tracking without pre-apply", 7, [0]),
        ] as [(String, Int, [UInt8])]
    )
    func rule(_ name: String, _ offset: Int, _ new: [UInt8]) {
        let bytes = Self.changed(offset, new)
        let error = #expect(throws: LTXError.self, "\(name)") { try LTXHeader(parsing: bytes.span.bytes) }
        #expect(error?.code == .invalidHeader)
    }

    @Test("A snapshot has no pre-apply checksum, even with tracking")
    func snapshotPreApply() {
        var header = LTXHeader(4096, commit: 1, 1, 1)
        header.tracksChecksum = true
        let good = header.encoded()
        #expect(throws: Never.self) { try LTXHeader(parsing: good.span.bytes) }
        header.preApplyChecksum = FileChecksum.flag | 1
        let bad = header.encoded()
        #expect(throws: LTXError.self) { try LTXHeader(parsing: bad.span.bytes) }
    }
}
