/// A transaction's number as people write and read it: 16 hexadecimal digits.
enum TransactionNumber {
    /// Reads up to 16 hexadecimal digits, leading zeros left out at will; `nil` for anything else and for zero.
    static func parse(_ text: String) -> UInt64? {
        guard !text.isEmpty, text.utf8.count <= 16, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return UInt64(text, radix: 16).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Writes 16 digits.
    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
