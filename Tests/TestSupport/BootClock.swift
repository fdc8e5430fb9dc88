#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// The clock that all processes of this host share, and that counts while they are stopped.
public enum BootClock {
    /// Nanoseconds since the boot.
    public static var now: Int64 {
        var time = timespec()
        // SAFETY: `time` outlives the call.
        #if canImport(Darwin)
            unsafe clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        #else
            unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        #endif
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
