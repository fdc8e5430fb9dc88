/// CRC-64/ISO in Go's sense (also called CRC-64/GO-ISO), the one algorithm behind every checksum of a transaction file.
///
/// The basis here is the *linear remainder*: the register after the bytes, begun at zero and not inverted at the end.
/// Remainders of parts combine, whoever computed them and in which order:
///
///     remainder(a + b) == advance(remainder(a), byteCount: b.count) ^ remainder(b)
///
/// The polynomial x⁶⁴ + x⁴ + x³ + x + 1 is sparse, so multiplying by powers of x needs only shifts and XORs. There are
/// no tables; a page is read as eight interleaved streams of words that are joined at the end.
///
/// Registers are reflected: bit 63 of a `UInt64` is the coefficient of x⁰, bit 0 that of x⁶³.
public enum CRC64 {
    /// The checksum as other programs compute it: all ones before, all ones after. Of `123456789` it is
    /// `b90956c775a41001`, of no bytes 0.
    public static func checksum(of bytes: RawSpan) -> UInt64 { ~update(~0, with: bytes) }

    /// The linear remainder of `bytes`: the register begun at zero, not inverted at the end.
    public static func remainder(of bytes: RawSpan) -> UInt64 { update(0, with: bytes) }

    /// The register `state` after `bytes`.
    public static func update(_ state: UInt64, with bytes: RawSpan) -> UInt64 {
        let byteCount = bytes.byteCount
        var (state, offset) = (state, 0)
        if byteCount >= 128 {
            // Each lane holds every eighth word; the register goes into the first one, as the CRC is linear.
            var lanes = words(of: bytes, at: 0)
            lanes[0] ^= state
            offset = 64
            while offset <= byteCount &- 64 {
                lanes = timesX512(lanes) ^ words(of: bytes, at: offset)
                offset &+= 64
            }
            state = 0
            for lane in 0..<8 { state = timesX64(state ^ lanes[lane]) }
        }
        while offset <= byteCount &- 8 {
            // SAFETY: offset + 8 <= byteCount; any eight bytes are a valid UInt64.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            state = timesX64(state ^ UInt64(littleEndian: word))
            offset &+= 8
        }
        while offset < byteCount {
            // SAFETY: offset < byteCount.
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            state = times(state ^ UInt64(byte), xToThe: 8)
            offset &+= 1
        }
        return state
    }

    /// Eight words at `offset`, which the caller has checked to lie at least 64 bytes before the end.
    @inline(__always)
    private static func words(of bytes: RawSpan, at offset: Int) -> SIMD8<UInt64> {
        // SAFETY: offset + 64 <= byteCount, by the loop conditions of the only caller; any 64 bytes are valid.
        let words = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD8<UInt64>.self)
        #if _endian(big)
            return SIMD8<UInt64>(
                words[0].byteSwapped,
                words[1].byteSwapped,
                words[2].byteSwapped,
                words[3].byteSwapped,
                words[4].byteSwapped,
                words[5].byteSwapped,
                words[6].byteSwapped,
                words[7].byteSwapped
            )
        #else
            return words
        #endif
    }

    /// Each lane times x⁵¹², which is x³² + x²⁴ + x⁸ + 1 = (1 + x⁸)(1 + x²⁴) modulo the polynomial.
    @inline(__always)
    private static func timesX512(_ value: SIMD8<UInt64>) -> SIMD8<UInt64> {
        let low = value ^ (value &>> 8)
        let over = value &<< 56
        let overflow = over ^ (over &>> 24) ^ (low &<< 40)
        let folded = overflow ^ (overflow &>> 1)
        return low ^ (low &>> 24) ^ folded ^ (folded &>> 3)
    }
}
