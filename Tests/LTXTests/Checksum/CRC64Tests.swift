import Testing

@testable import LTX

@Suite struct CRC64Tests {
    @Test("The check value and the one of no bytes are those of CRC-64/GO-ISO")
    func checkValues() {
        let digits = Array("123456789".utf8)
        #expect(CRC64.checksum(of: digits.span.bytes) == 0xb909_56c7_75a4_1001)
        #expect(CRC64.checksum(of: [UInt8]().span.bytes) == 0)
    }

    @Test("Every length and every alignment gives what the bitwise definition gives")
    func lengths() {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(700)
        for start in [0, 1, 3, 7] {
            var reference = ReferenceCRC()
            for end in start...bytes.count {
                let part = bytes.span.bytes.extracting(start..<end)
                #expect(CRC64.checksum(of: part) == reference.checksum, "bytes \(start) to \(end)")
                if end < bytes.count { reference.update([bytes[end]]) }
            }
        }
    }

    @Test("The split into parts does not matter, and their remainders combine")
    func parts() {
        var random = SeededGenerator(seed: 2)
        for round in 0..<300 {
            let bytes = random.bytes(Int(random.next() % 3000))
            let split = Int(random.next() % UInt64(bytes.count + 1))
            let (head, tail) = (
                bytes.span.bytes.extracting(0..<split), bytes.span.bytes.extracting(split..<bytes.count)
            )
            let state = random.next()
            #expect(
                CRC64.update(CRC64.update(state, with: head), with: tail)
                    == CRC64.update(state, with: bytes.span.bytes),
                "round \(round)"
            )
            var part = ChecksumPart(of: head)
            part.append(ChecksumPart(of: tail))
            #expect(part == ChecksumPart(of: bytes.span.bytes), "round \(round)")
            var checksum = FileChecksum()
            checksum.update(part)
            #expect(checksum.value == ReferenceCRC.checksum(bytes) | FileChecksum.flag, "round \(round)")
        }
    }

    @Test(
        "Advancing is the same as so many zero bytes",
        arguments: Array(0...130) + [255, 1000, 4095] + LTXPageSize.all
    )
    func advance(by count: Int) {
        let zeros = [UInt8](repeating: 0, count: count)
        for state in [0, 1, 1 << 63, 0x0123_4567_89ab_cdef, UInt64.max] {
            #expect(CRC64.advance(state, byteCount: count) == CRC64.update(state, with: zeros.span.bytes))
        }
    }

    @Test("Advancing by large counts is consistent")
    func advanceFar() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let state = random.next()
            let (first, second) = (Int(random.next() % (1 << 40)), Int(random.next() % (1 << 61)))
            let steps = CRC64.advance(CRC64.advance(state, byteCount: first), byteCount: second)
            #expect(steps == CRC64.advance(state, byteCount: first + second))
        }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var state: UInt64 = 0x0123_4567_89ab_cdef
        let start = state
        for _ in 0..<3 { state = CRC64.update(state, with: zeros.span.bytes) }
        #expect(CRC64.advance(start, byteCount: 3 << 20) == state)
    }
}

@Suite struct XXH32Tests {
    @Test(
        "Known hashes",
        arguments: [
            ("", 0x02cc_5d05), ("a", 0x550d_7456), ("abc", 0x32d1_53ff),
            ("Nobody inspects the spammish repetition", 0xe229_3b2f),
        ] as [(String, UInt32)]
    )
    func known(_ text: String, _ hash: UInt32) {
        let bytes = Array(text.utf8)
        #expect(XXH32.hash(of: bytes.span.bytes) == hash)
    }
}
