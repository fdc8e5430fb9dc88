/// CRC-64/ISO the plain way, bit by bit: what the fast one is compared with.
struct ReferenceCRC {
    private(set) var state: UInt64 = ~0

    mutating func update(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt64(byte)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0xd800_0000_0000_0000 }
        }
    }

    var checksum: UInt64 { ~state }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var crc = ReferenceCRC()
        crc.update(bytes)
        return crc.checksum
    }
}
