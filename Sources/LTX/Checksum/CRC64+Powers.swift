extension CRC64 {
    /// The register `state` after `byteCount` zero bytes: its product with x to the power 8 × `byteCount`.
    ///
    /// Powers of two up to 64 KiB, so all page sizes, take some tens of nanoseconds; other counts take one such step or
    /// one general multiplication for each bit that is set.
    ///
    /// - Precondition: `byteCount` is not negative.
    public static func advance(_ state: UInt64, byteCount: Int) -> UInt64 {
        precondition(byteCount >= 0, "a part has at least 0 bytes")
        var (state, bits, exponent) = (state, UInt64(byteCount), 3)
        while bits != 0 {
            let zeros = bits.trailingZeroBitCount
            exponent &+= zeros
            state = times(state, xToThePowerOfTwo: exponent)
            // Two shifts, since one by 64 is none of the processor's.
            bits = (bits &>> UInt64(zeros)) &>> 1
            exponent &+= 1
        }
        return state
    }

    /// `value` times x⁶⁴ = (1 + x)(1 + x³): one word of zeros.
    @inline(__always)
    static func timesX64(_ value: UInt64) -> UInt64 { timesX64(value, toThe: 1) }

    /// `value` times x to the power of 64 × `factor`, where factor is 1, 2, 4 or 8.
    ///
    /// Squaring a polynomial over two elements squares its terms alone, so x¹²⁸ = (1 + x²)(1 + x⁶), and so on.
    @inline(__always)
    private static func timesX64(_ value: UInt64, toThe factor: UInt64) -> UInt64 {
        let low = value ^ (value &>> factor)
        let over = value &<< (64 &- factor)
        let overflow = over ^ (over &>> (3 &* factor)) ^ (low &<< (64 &- 3 &* factor))
        return low ^ (low &>> (3 &* factor)) ^ fold(overflow)
    }

    /// `value` times x to the power `count`, at most 32.
    @inline(__always)
    static func times(_ value: UInt64, xToThe count: UInt64) -> UInt64 {
        (value &>> count) ^ fold(value &<< (64 &- count))
    }

    /// What the terms from x⁶⁴ on amount to; `overflow` is reflected like a register, its bit 63 stands for x⁶⁴.
    @inline(__always)
    private static func fold(_ overflow: UInt64) -> UInt64 {
        let folded = overflow ^ (overflow &>> 1)
        return folded ^ (folded &>> 3)
    }

    /// `value` times x to the power 2 to the `exponent`.
    private static func times(_ value: UInt64, xToThePowerOfTwo exponent: Int) -> UInt64 {
        switch exponent {
        case 0...5: return times(value, xToThe: 1 &<< UInt64(exponent))
        case 6...9: return timesX64(value, toThe: 1 &<< UInt64(exponent &- 6))
        case 10...19:
            // With y for x to the power 2 to the (exponent - 6), this is y⁶⁴ = (1 + y)(1 + y³).
            let lower = exponent &- 6
            let sum = value ^ times(value, xToThePowerOfTwo: lower)
            let square = times(times(sum, xToThePowerOfTwo: lower), xToThePowerOfTwo: lower)
            return sum ^ times(square, xToThePowerOfTwo: lower)
        default: return multiply(value, powers[exponent])
        }
    }

    /// x to the powers 1, 2, 4, … up to 2⁶⁶, modulo the polynomial.
    private static let powers: [UInt64] = {
        var powers: [UInt64] = [1 << 62]
        for exponent in 1...66 {
            let root = powers[exponent - 1]
            powers.append(multiply(root, root))
        }
        return powers
    }()

    /// The product of two registers modulo the polynomial.
    private static func multiply(_ lhs: UInt64, _ rhs: UInt64) -> UInt64 {
        var (product, left, right) = (UInt64(0), lhs, rhs)
        while left != 0 {
            // Bit 63 is the coefficient of the lowest power: add, then go on to the next power.
            product ^= right & (0 &- (left &>> 63))
            left &<<= 1
            right = times(right, xToThe: 1)
        }
        return product
    }
}
