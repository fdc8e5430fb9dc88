#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// This host's clock, which also counts while the host sleeps; that of `ContinuousClock`, as a number.
package enum NodeClock {
    /// Nanoseconds since the boot.
    static var nanoseconds: Int64 {
        var time = timespec()
        #if canImport(Darwin)
            unsafe clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        #else
            unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        #endif
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The present moment.
    package static var now: Moment { Moment(reading: .nanoseconds(nanoseconds)) }

    /// A moment as a number; one that never comes is the largest.
    static func nanoseconds(of moment: Moment) -> Int64 {
        let (seconds, attoseconds) = moment.reading.components
        let (product, isLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return isLarge ? .max : product &+ attoseconds / 1_000_000_000
    }
}
