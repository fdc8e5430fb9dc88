#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Waits that block the calling thread, which is the engine's own and never one of the cooperative pool.
enum Blocking {
    /// Sleeps for a short time that no event can end.
    static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        // A signal may end the sleep early; the callers look again and sleep again.
        unsafe nanosleep(&time, nil)
    }
}
