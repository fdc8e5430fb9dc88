/// XXH32 with seed 0, the content checksum of LZ4 frames.
///
/// Format: <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
enum XXH32 {
    private static let primes: (UInt32, UInt32, UInt32, UInt32, UInt32) =
        (0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1)

    static func hash(of bytes: RawSpan) -> UInt32 {
        let (p1, p2, p3, p4, p5) = primes
        let byteCount = bytes.byteCount
        var offset = 0
        var hash = p5
        if byteCount >= 16 {
            var lanes = SIMD4<UInt32>(p1 &+ p2, p2, 0, 0 &- p1)
            while offset <= byteCount - 16 {
                // SAFETY: offset + 16 <= byteCount; any bytes are a valid vector.
                let words = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD4<UInt32>.self)
                #if _endian(big)
                    let input = SIMD4(
                        words[0].byteSwapped,
                        words[1].byteSwapped,
                        words[2].byteSwapped,
                        words[3].byteSwapped
                    )
                #else
                    let input = words
                #endif
                let sums = lanes &+ input &* p2
                lanes = ((sums &<< 13) | (sums &>> 19)) &* p1
                offset += 16
            }
            hash = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
        }
        hash &+= UInt32(truncatingIfNeeded: byteCount)
        while offset <= byteCount - 4 {
            hash = rotate(hash &+ bytes.littleEndian(at: offset, as: UInt32.self) &* p3, 17) &* p4
            offset += 4
        }
        while offset < byteCount {
            hash = rotate(hash &+ UInt32(bytes.littleEndian(at: offset, as: UInt8.self)) &* p5, 11) &* p1
            offset += 1
        }
        hash = (hash ^ (hash &>> 15)) &* p2
        hash = (hash ^ (hash &>> 13)) &* p3
        return hash ^ (hash &>> 16)
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
        (value &<< count) | (value &>> (32 &- count))
    }
}
