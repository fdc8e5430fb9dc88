#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Timestamp {
    /// The present moment, by the system's real-time clock, rounded down to the millisecond.
    public static var now: Timestamp {
        var time = timespec()
        // SAFETY: `time` lives across the call, which fills it; CLOCK_REALTIME always exists.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    /// Takes seconds since 1970-01-01T00:00:00Z and nanoseconds after them, rounded down to the millisecond.
    ///
    /// A sum outside the range of 64-bit milliseconds is clamped to it.
    public init(seconds: Int64, nanoseconds: Int64) {
        let fraction = nanoseconds.quotient(flooredBy: 1_000_000)
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, carry) = whole.addingReportingOverflow(fraction)
        self.init(rawValue: overflow || carry ? (seconds < 0 ? .min : .max) : sum)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded towards the past; ``nanoseconds`` come on top.
    public var seconds: Int64 { rawValue.quotient(flooredBy: 1000) }

    /// Nanoseconds after ``seconds``, 0 to 999,000,000.
    public var nanoseconds: Int64 { rawValue.remainder(flooredBy: 1000) * 1_000_000 }

    /// The moment that lies `duration` after this one, to the millisecond; clamped at the ends of the range.
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, carry) = rawValue.addingReportingOverflow(whole)
        let (total, rest) = sum.addingReportingOverflow(attoseconds.quotient(flooredBy: 1_000_000_000_000_000))
        return Timestamp(rawValue: overflow || carry || rest ? (seconds < 0 ? .min : .max) : total)
    }

    /// How long after `other` this moment is; negative where it lies before.
    public func duration(since other: Timestamp) -> Duration {
        .milliseconds(rawValue) - .milliseconds(other.rawValue)
    }

    /// A moment's parts in the proleptic Gregorian calendar and UTC.
    struct Fields {
        var year, month, day, hour, minute, second, millisecond: Int

        init(_ timestamp: Timestamp) {
            let days = timestamp.rawValue.quotient(flooredBy: 86_400_000)
            let rest = Int(timestamp.rawValue.remainder(flooredBy: 86_400_000))
            (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
            (second, millisecond) = (rest / 1000 % 60, rest % 1000)
            (year, month, day) = Timestamp.date(days: Int(days))
        }
    }

    static func dayCount(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date.
    ///
    /// Years are counted from March, so that the leap day is a year's last; an era is 400 years of 146,097 days.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year.quotient(flooredBy: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date that lies `days` after 1970-01-01: the inverse of ``days(year:month:day:)``.
    private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let days = days + 719_468
        let era = days.quotient(flooredBy: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension BinaryInteger {
    /// The quotient rounded towards minus infinity, for a positive divisor.
    func quotient(flooredBy divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What ``quotient(flooredBy:)`` leaves, from zero to below the divisor.
    func remainder(flooredBy divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
