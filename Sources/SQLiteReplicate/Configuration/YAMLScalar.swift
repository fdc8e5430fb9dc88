import Yams

/// What YAML 1.1's scalars mean, once their key says which type is wanted.
extension Node.Scalar {
    /// Whether the text was written without quotes and without a tag that makes it a text.
    var isPlain: Bool { (style == .plain || style == .any) && tag.description != Tag.Name.str.rawValue }

    /// Whether it stands for no value: nothing, `~`, or `null`.
    var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(string) }

    /// A truth value: `true yes on y` and `false no off n`, in lower case, upper case, or capitalised.
    var boolValue: Bool? {
        for (words, value) in [(["true", "yes", "on", "y"], true), (["false", "no", "off", "n"], false)] {
            for word in words {
                let capitalised = word.prefix(1).uppercased() + word.dropFirst()
                if string == word || string == word.uppercased() || string == capitalised { return value }
            }
        }
        return nil
    }

    /// A whole number: decimal, octal behind `0` or `0o`, hexadecimal behind `0x`, binary behind `0b`; `_` is skipped.
    var integerValue: Int64? {
        guard isPlain else { return nil }
        var digits = string.replacing("_", with: "")[...]
        let isNegative = digits.first == "-"
        if let sign = digits.first, sign == "-" || sign == "+" { digits.removeFirst() }
        var radix = 10
        for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)]
        where digits.hasPrefix(prefix) && digits.utf8.count > prefix.utf8.count {
            (digits, radix) = (digits.dropFirst(prefix.count), base)
            break
        }
        // `Int64` itself would take another sign here.
        guard let first = digits.first, first != "+", first != "-" else { return nil }
        return Int64((isNegative ? "-" : "") + digits, radix: radix)
    }
}
