import Testing

@testable import LTX

@Suite struct DatabaseChecksumTests {
    @Test("Two empty pages of 512 bytes give the values of the format's text")
    func workedExample() {
        let zeros = [UInt8](repeating: 0, count: 512)
        let remainder = CRC64.remainder(of: zeros.span.bytes)
        let first = DatabaseChecksum.page(number: 1, remainder: remainder, pageSize: 512)
        let second = DatabaseChecksum.page(number: 2, remainder: remainder, pageSize: 512)
        #expect(first | FileChecksum.flag == 0xefb1_f44f_ecd9_9000)
        #expect(second | FileChecksum.flag == 0xef63_e89f_ecd9_9000)
        #expect(first ^ second | FileChecksum.flag == 0x80d2_1cd0_0000_0000)
    }

    @Test("A page's checksum is that of its number and its bytes, all 64 bits", arguments: LTXPageSize.all)
    func pages(pageSize: Int) {
        var random = SeededGenerator(seed: UInt64(pageSize))
        for number in [1, 2, 255, 65536, 0x0102_0304, UInt32.max] {
            let page = random.bytes(pageSize)
            var bytes: [UInt8] = []
            bytes.append(bigEndian: number)
            let expected = ReferenceCRC.checksum(bytes + page)
            let remainder = CRC64.remainder(of: page.span.bytes)
            #expect(DatabaseChecksum.page(number: number, remainder: remainder, pageSize: pageSize) == expected)
        }
    }

    @Test("The lock page is the one that holds byte 1 GiB")
    func lockPage() {
        let pages: [UInt32] = [2_097_153, 1_048_577, 524_289, 262_145, 131_073, 65_537, 32_769, 16_385]
        #expect(LTXPageSize.all.map { LTXPageSize.lockPage(pageSize: $0) } == pages)
        #expect(LTXPageSize.all.allSatisfy(LTXPageSize.isValid))
        #expect(![0, 1, 256, 513, 4095, 131_072, -4096].contains(where: LTXPageSize.isValid))
    }
}
