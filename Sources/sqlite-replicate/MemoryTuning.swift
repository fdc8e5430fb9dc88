import ObjectStorage

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps the C library and the kernel from holding on to memory that a burst of work, or the start, has used.
enum MemoryTuning {
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

    /// Gives back, once, what only the start of a long run has needed: free memory of the heaps, and the program's own
    /// code, of which the kernel maps far more than is run.
    ///
    /// - Parameter sparingly: Whether the code that runs from then on is mapped in small pieces. For a program that is never
    ///   quiet: what it runs lies all over its code, and the kernel maps 64 KiB around each step, several times what is needed.
    static func trimAfterStart(sparingly: Bool = false) {
        #if canImport(Glibc)
            AlarmClock.shared.call(at: .now + startTime) {
                trimHeaps()
                releaseCode(sparingly: sparingly)
            }
        #endif
    }

    #if canImport(Glibc)
        /// By then the databases of most hosts are found and looked through.
        private static let startTime = Duration.seconds(6)

        private static func trimHeaps() {
            typealias MallocTrim = @convention(c) (Int) -> CInt
            guard let address = unsafe dlsym(nil, "malloc_trim") else { return }
            // SAFETY: as above.
            _ = unsafe unsafeBitCast(address, to: MallocTrim.self)(0)
        }

        /// Unmaps the code from this process; what runs is mapped again at its next step, from the file or the cache.
        private static func releaseCode(sparingly: Bool) {
            for code in MemoryMap.codeOfProgram() {
                guard let start = unsafe UnsafeMutableRawPointer(bitPattern: code.lowerBound) else { continue }
                // SAFETY: the range is mapped privately from a file, only to be read and run: there is nothing to lose.
                _ = unsafe madvise(start, code.count, MADV_DONTNEED)  // what cannot be given back stays
                guard sparingly else { continue }
                // The kernel never maps beyond what has the same advice: every other piece gets another one.
                for offset in stride(from: 0, to: code.count, by: 2 * pieceSize) {
                    // SAFETY: as above; advice about reading ahead changes no byte. Refused, it leaves things as they were.
                    _ = unsafe madvise(start + offset, min(pieceSize, code.count - offset), MADV_RANDOM)
                }
            }
        }

        /// Two pages: some thousand pieces for all of the program's code, of the 65,530 that a process may have.
        private static let pieceSize = 8 << 10
    #endif
}
