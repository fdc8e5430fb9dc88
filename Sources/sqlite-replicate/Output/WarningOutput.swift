import SQLiteReplicate

/// Shows warnings of a configuration file to people.
enum WarningOutput {
    static func write(_ warnings: [ConfigurationWarning]) {
        for warning in warnings { StandardStreams.error("Warning: \(warning)\n") }
    }
}
