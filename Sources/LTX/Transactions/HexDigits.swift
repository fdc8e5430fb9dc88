/// The 16 hexadecimal digits by which the format writes 64-bit numbers as text.
enum HexDigits {
    static func text(of value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The number that exactly 16 digits stand for; `nil` for anything else, signs and prefixes included.
    static func parse(_ digits: some Collection<UInt8>, allowsUpperCase: Bool) -> UInt64? {
        guard digits.count == 16 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            let number: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F") where allowsUpperCase: number = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt64(number)
        }
        return value
    }
}
