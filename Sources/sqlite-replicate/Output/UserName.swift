#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Who runs this program.
enum UserName {
    /// The name of the user, by the environment; its number where that does not tell.
    static var current: String {
        for key in ["SUDO_USER", "USER", "LOGNAME"] {
            // SAFETY: getenv gives a C string that lives as long as the environment is not changed, and nobody does.
            if let value = unsafe getenv(key) { return unsafe String(cString: value) }
        }
        return "user \(getuid())"
    }
}
