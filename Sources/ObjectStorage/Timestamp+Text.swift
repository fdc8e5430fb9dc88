extension Timestamp {
    /// The moment in RFC 3339 with exactly three digits of fraction: `2006-01-02T15:04:05.000Z`.
    ///
    /// The form of the transaction file library. Years outside 0...9999 are written with as many digits as they have.
    public var text: String { formatted(trimmingFraction: false) }

    /// The moment in RFC 3339 with the fraction's trailing zeros removed: `…38.97Z`, `…38Z`.
    ///
    /// The form kept in object metadata.
    public var shortText: String { formatted(trimmingFraction: true) }

    /// Reads a moment in RFC 3339, with any fraction and any offset from UTC; digits beyond the millisecond are cut
    /// off.
    ///
    /// A second of 60 counts as the first of the next minute.
    ///
    /// - Returns: `nil` for any other text.
    public init?(text: String) {
        var reader = Reader(bytes: text.utf8[...])
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2, 1...12), reader.skip("-"),
            let day = reader.number(2, 1...Self.dayCount(ofMonth: month, year: year)),
            reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2, 0...23), reader.skip(":"), let minute = reader.number(2, 0...59),
            reader.skip(":"), let second = reader.number(2, 0...60),
            let milliseconds = reader.fraction(), let offset = reader.offset(), reader.bytes.isEmpty
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + (hour * 60 + minute - offset) * 60 + second
        self.init(rawValue: Int64(seconds * 1000 + milliseconds))
    }

    private func formatted(trimmingFraction: Bool) -> String {
        let fields = Fields(self)
        var text = Self.padded(fields.year, 4) + "-" + Self.padded(fields.month, 2) + "-" + Self.padded(fields.day, 2)
        text += "T" + Self.padded(fields.hour, 2) + ":" + Self.padded(fields.minute, 2) + ":"
        text += Self.padded(fields.second, 2)
        if !trimmingFraction || fields.millisecond != 0 {
            text += "." + Self.padded(fields.millisecond, 3)
            while trimmingFraction, text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
        }
        return text + "Z"
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
        return (number < 0 ? "-" : "") + zeros + digits
    }
}

/// Reads the parts of an RFC 3339 text from its front.
private struct Reader {
    var bytes: Substring.UTF8View

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = bytes.first, UInt32(first) == character.value else { return false }
        bytes.removeFirst()
        return true
    }

    mutating func digit() -> Int? {
        guard let first = bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        bytes.removeFirst()
        return Int(first - UInt8(ascii: "0"))
    }

    mutating func number(_ digitCount: Int, _ range: ClosedRange<Int> = 0...9999) -> Int? {
        var value = 0
        for _ in 0..<digitCount {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return range.contains(value) ? value : nil
    }

    /// Milliseconds of an optional fraction; `nil` for a point without a digit.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        guard var milliseconds = digit() else { return nil }
        milliseconds *= 100
        var weight = 10
        while let digit = digit() {
            milliseconds += digit * weight
            weight /= 10
        }
        return milliseconds
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isWest: Bool
        if skip("+") {
            isWest = false
        } else if skip("-") {
            isWest = true
        } else {
            return nil
        }
        guard let hours = number(2, 0...23), skip(":"), let minutes = number(2, 0...59) else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }
}
