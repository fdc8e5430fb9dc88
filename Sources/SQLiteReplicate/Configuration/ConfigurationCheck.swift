/// Makes the errors of the checks that need only values: the same for files and for code.
struct ConfigurationCheck {
    /// The place of a key path, where the value came from a file.
    let place: (String) -> ConfigurationLocation?

    func positive(_ keyPath: String, _ value: Duration) throws(ConfigurationError) {
        guard value <= .zero else { return }
        throw error(keyPath, "must be greater than 0, not \(DurationText.format(value))")
    }

    func notNegative(_ keyPath: String, _ value: Duration) throws(ConfigurationError) {
        guard value < .zero else { return }
        throw error(keyPath, "must not be negative: \(DurationText.format(value))")
    }

    func error(_ keyPath: String, _ words: String) -> ConfigurationError {
        ConfigurationError(.invalidValue, "\(keyPath) \(words)", location: place(keyPath))
    }

    func conflict(_ keyPath: String, _ words: String) -> ConfigurationError {
        ConfigurationError(.conflict, "\(keyPath) \(words)", location: place(keyPath))
    }
}
