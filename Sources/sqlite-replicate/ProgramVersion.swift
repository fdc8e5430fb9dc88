/// The version of this program.
enum ProgramVersion {
    /// Semantic version.
    static let number = "0.1.0"

    /// The compiler's generation and the platform, as far as the compiler tells them.
    static var platform: String {
        #if os(Linux)
            let system = "linux"
        #elseif os(macOS)
            let system = "macos"
        #else
            let system = "other"
        #endif
        #if arch(x86_64)
            return system + "/x86_64"
        #elseif arch(arm64)
            return system + "/arm64"
        #else
            return system
        #endif
    }

    /// `debug` or `release`.
    static var build: String {
        #if DEBUG
            return "debug"
        #else
            return "release"
        #endif
    }
}
