import ObjectStorage
import Testing

@Suite struct TimestampTests {
    @Test(
        "A moment is printed in both forms and read back",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"),
            (1_136_214_245_000, "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05Z"),
            (1_136_214_245_970, "2006-01-02T15:04:05.970Z", "2006-01-02T15:04:05.97Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z", "2000-02-29T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            (-2_203_891_200_500, "1900-02-28T23:59:59.500Z", "1900-02-28T23:59:59.5Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ]
    )
    func forms(milliseconds: Int64, text: String, shortText: String) {
        let timestamp = Timestamp(rawValue: milliseconds)
        #expect(timestamp.text == text)
        #expect(timestamp.shortText == shortText)
        #expect(Timestamp(text: text) == timestamp)
        #expect(Timestamp(text: shortText) == timestamp)
    }

    @Test("Every day from 1890 to 2110 is the day after the one before it")
    func days() {
        var previous = ""
        for day in Int64(-29_220)..<51_500 {
            let text = String(Timestamp(rawValue: day * 86_400_000).text.prefix(10))
            #expect(previous < text)
            #expect(Timestamp(text: text + "T00:00:00Z")?.rawValue == day * 86_400_000, "\(text)")
            previous = text
        }
    }

    @Test("Offsets, fractions of any length, small letters and a leap second are read")
    func otherForms() {
        let texts: [(String, Int64)] = [
            ("2006-01-02T17:04:05+02:00", 1_136_214_245_000),
            ("2006-01-02T09:34:05.5-05:30", 1_136_214_245_500),
            ("2006-01-02 15:04:05.123456789Z", 1_136_214_245_123),
            ("2006-01-02t15:04:05.9999z", 1_136_214_245_999),
            ("2005-12-31T23:59:60Z", 1_136_073_600_000),
        ]
        for (text, milliseconds) in texts { #expect(Timestamp(text: text)?.rawValue == milliseconds, "\(text)") }
    }

    @Test(
        "What is no moment in RFC 3339 is refused",
        arguments: [
            "", "2006", "2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04:05.Z", "2006-13-02T15:04:05Z",
            "2006-02-29T15:04:05Z", "2006-01-02T24:00:00Z", "2006-01-02T15:60:00Z", "2006-01-02T15:04:61Z",
            "2006-01-02T15:04:05Zx", "2006-01-02T15:04:05+2:00", "2006-01-02T15:04:05+24:00", "+006-01-02T15:04:05Z",
            "٢٠٠٦-01-02T15:04:05Z",
        ]
    )
    func malformed(text: String) { #expect(Timestamp(text: text) == nil) }

    @Test("Seconds and nanoseconds are rounded down to the millisecond, on both sides of 1970")
    func seconds() {
        #expect(Timestamp(seconds: 5, nanoseconds: 1_999_999).rawValue == 5001)
        #expect(Timestamp(seconds: -1, nanoseconds: 999_999_999).rawValue == -1)
        #expect(Timestamp(rawValue: -1).seconds == -1 && Timestamp(rawValue: -1).nanoseconds == 999_000_000)
        #expect(Timestamp(seconds: .max, nanoseconds: 0).rawValue == .max)
        #expect(Timestamp(seconds: .min, nanoseconds: 0).rawValue == .min)
        #expect(Timestamp(rawValue: .min).text.hasPrefix("-") && Timestamp(rawValue: .max).text.hasSuffix("Z"))
        #expect(Timestamp(rawValue: .min).nanoseconds == 192_000_000)
    }

    @Test("Time goes on, and durations can be added and taken")
    func arithmetic() {
        let now = Timestamp.now
        #expect(now.rawValue > 1_700_000_000_000 && Timestamp.now >= now)
        #expect(now.advanced(by: .milliseconds(1500)).rawValue == now.rawValue + 1500)
        #expect(now.advanced(by: .seconds(-2)).duration(since: now) == .seconds(-2))
        #expect(Timestamp(rawValue: .max).advanced(by: .seconds(1)).rawValue == .max)
    }
}
