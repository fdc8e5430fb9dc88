/// Durations as texts in the form that Go programs use: `1h30m`, `1.5s`, `-5m`, `250ms`.
enum DurationText {
    /// Why a text is no duration.
    enum Problem: Error, Equatable {
        /// It does not have the form of one.
        case malformed
        /// The number has no unit.
        case missingUnit
        /// There is no such unit.
        case unknownUnit(String)
        /// It is longer than 292 years, the range of 64-bit nanoseconds.
        case tooLong
    }

    private static let nanosecondsByUnit: [String: Int64] = [
        "ns": 1, "us": 1000, "µs": 1000, "μs": 1000,  // both the micro sign and the Greek letter
        "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000,
    ]

    /// Reads a duration: an optional sign, then numbers, each with a unit of `ns us µs ms s m h`; or `0`.
    static func parse(_ text: String) throws(Problem) -> Duration {
        var rest = text[...]
        var isNegative = false
        if let sign = rest.first, sign == "-" || sign == "+" {
            isNegative = sign == "-"
            rest.removeFirst()
        }
        if rest == "0" { return .zero }
        guard !rest.isEmpty else { throw .malformed }
        // 128 bits hold every sum of parts below: each is at most 10^18 × 3.6 × 10^12, and is checked on its way.
        var total: Int128 = 0
        while !rest.isEmpty {
            let whole = takeDigits(&rest)
            var fraction: Substring = ""
            if rest.first == "." {
                rest.removeFirst()
                fraction = takeDigits(&rest)
            }
            guard !whole.isEmpty || !fraction.isEmpty else { throw .malformed }
            let unit = rest.prefix { $0 != "." && !isDigit($0) }
            guard !unit.isEmpty else { throw .missingUnit }
            guard let nanoseconds = nanosecondsByUnit[String(unit)] else { throw .unknownUnit(String(unit)) }
            rest = rest[unit.endIndex...]
            // More digits than these are either zeros in front, or too long, or below a nanosecond.
            let significant = whole.drop { $0 == "0" }
            guard significant.count <= 18 else { throw .tooLong }
            total += Int128(Int64(significant) ?? 0) * Int128(nanoseconds)
            var scale: Int128 = 1
            for digit in fraction.prefix(18) {
                scale *= 10
                total += Int128(digit.wholeNumberValue ?? 0) * Int128(nanoseconds) / scale
            }
            guard total <= Int128(Int64.max) else { throw .tooLong }
        }
        guard let nanoseconds = Int64(exactly: isNegative ? -total : total) else { throw .tooLong }
        return .nanoseconds(nanoseconds)
    }

    /// Writes a duration so that ``parse(_:)`` reads it: `1h30m`, `1.5s`, `250ms`, `0s`. Exact to the nanosecond.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let total = Int128(seconds) * 1_000_000_000 + Int128(attoseconds) / 1_000_000_000
        guard total != 0 else { return "0s" }
        let sign = total < 0 ? "-" : ""
        let magnitude = total.magnitude
        for (unit, size) in [("ns", 1), ("µs", 1000), ("ms", 1_000_000)] as [(String, UInt128)]
        where magnitude < size * 1000 {
            return sign + decimal(magnitude, per: size) + unit
        }
        let minutes = magnitude / 60_000_000_000
        var text = sign
        if minutes >= 60 { text += "\(minutes / 60)h" }
        if minutes % 60 > 0 { text += "\(minutes % 60)m" }
        let rest = magnitude % 60_000_000_000
        return rest > 0 ? text + decimal(rest, per: 1_000_000_000) + "s" : text
    }

    /// `value / scale` without trailing zeros; `scale` is a power of ten.
    private static func decimal(_ value: UInt128, per scale: UInt128) -> String {
        var (fraction, digits) = (value % scale, "")
        var place = scale / 10
        while fraction > 0 {
            digits += "\(fraction / place)"
            (fraction, place) = (fraction % place, place / 10)
        }
        return "\(value / scale)" + (digits.isEmpty ? "" : ".\(digits)")
    }

    private static func takeDigits(_ text: inout Substring) -> Substring {
        let digits = text.prefix(while: isDigit)
        text = text[digits.endIndex...]
        return digits
    }

    private static func isDigit(_ character: Character) -> Bool {
        character >= "0" && character <= "9" && character.isASCII
    }
}
