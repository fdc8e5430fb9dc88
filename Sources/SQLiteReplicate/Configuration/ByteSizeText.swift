/// Sizes as texts: `5242880`, `5MB` (10⁶), `1.5 GiB` (2³⁰), `8M` (10⁶).
enum ByteSizeText {
    private static let bytesByUnit: [String: Int64] = {
        var units: [String: Int64] = ["": 1, "b": 1]
        var (decimal, binary): (Int64, Int64) = (1, 1)
        for letter in ["k", "m", "g", "t", "p", "e"] {
            (decimal, binary) = (decimal * 1000, binary * 1024)
            for (unit, size) in [("", decimal), ("b", decimal), ("i", binary), ("ib", binary)] {
                units[letter + unit] = size
            }
        }
        return units
    }()

    /// Reads a size in bytes, rounded down; `nil` where the text is none, or is larger than 64 bits hold.
    static func parse(_ text: String) -> Int64? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text[number.endIndex...].drop { $0 == " " }.lowercased()
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let scale = bytesByUnit[unit], let whole = parts.first, !whole.isEmpty, whole.count <= 19,
            let value = Int64(whole)
        else { return nil }
        let (bytes, overflow) = value.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return bytes }
        guard !parts[1].isEmpty, parts[1].allSatisfy(\.isWholeNumber) else { return nil }
        var (fraction, place): (Int128, Int128) = (0, 1)
        for digit in parts[1].prefix(18) {
            place *= 10
            fraction = fraction * 10 + Int128(digit.wholeNumberValue ?? 0)
        }
        return Int64(exactly: Int128(bytes) + fraction * Int128(scale) / place)
    }

    /// Writes a size for people: `54 kB`, `1.5 MB`, `12 B`; decimal units, two significant digits below ten.
    static func format(_ bytes: Int64) -> String {
        var (value, unit) = (Double(max(bytes, 0)), 0)
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 999.5, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        let tenths = Int64((value * 10).rounded())
        let hasFraction = unit > 0 && tenths < 100 && !tenths.isMultiple(of: 10)
        return (hasFraction ? "\(tenths / 10).\(tenths % 10)" : "\(Int64(value.rounded()))") + " \(units[unit])"
    }
}
