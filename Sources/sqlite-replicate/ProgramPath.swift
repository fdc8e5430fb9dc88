#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where this program lies.
enum ProgramPath {
    /// The running program's own file; `nil` where the system does not tell.
    static var own: String? {
        #if os(Linux)
            guard let path = unsafe realpath("/proc/self/exe", nil) else { return nil }
            defer { unsafe free(path) }
            // SAFETY: realpath gives a C string that is ours until it is freed.
            return unsafe String(cString: path)
        #else
            return CommandLine.arguments.first
        #endif
    }
}
