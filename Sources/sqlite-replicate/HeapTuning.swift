#if canImport(Glibc)
    import Glibc
#endif

/// Keeps the C library from holding on to memory that a burst of work has used.
enum HeapTuning {
    /// Two heaps for all threads instead of up to eight for each core; large blocks come from the system and go back.
    ///
    /// Called once, before any thread is started.
    static func apply() {
        #if canImport(Glibc)
            typealias Mallopt = @convention(c) (CInt, CInt) -> CInt
            guard let address = unsafe dlsym(nil, "mallopt") else { return }
            // SAFETY: the type is that of the function in `malloc.h`, which Swift's module of the C library leaves out.
            let mallopt = unsafe unsafeBitCast(address, to: Mallopt.self)
            let (trimThreshold, mapThreshold, heapCount): (CInt, CInt, CInt) = (-1, -3, -8)
            _ = mallopt(heapCount, 2)
            _ = mallopt(mapThreshold, 128 << 10)
            _ = mallopt(trimThreshold, 128 << 10)
        #endif
    }
}
