import SystemPackage

/// Standard output and error: results go to the one, everything else to the other.
enum StandardStreams {
    /// Writes a result.
    static func output(_ text: String) { write(text, to: .standardOutput) }

    /// Writes anything else.
    static func error(_ text: String) { write(text, to: .standardError) }

    private static func write(_ text: String, to file: FileDescriptor) {
        // Nobody may be listening any more, and there is nowhere else to say it.
        _ = try? file.writeAll(Array(text.utf8))
    }
}
