import SystemPackage
import Testing

@testable import SQLiteReplicate

/// Reads a configuration from a text, as the program does from the file `test.yml` in the folder `/current dir`.
func parse(
    _ text: String,
    environment: [String: String] = [:],
    expandEnvironment: Bool = true
) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile.parse(
        Array(text.utf8),
        path: "test.yml",
        expandEnvironment: expandEnvironment,
        environment: ["HOME": "/home/me"].merging(environment) { $1 },
        workingDirectory: "/current dir"
    )
}

/// The error that reading a text gives; an issue is recorded where it gives none.
func parseError(
    _ text: String,
    environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) -> ConfigurationError? {
    #expect(throws: ConfigurationError.self, sourceLocation: sourceLocation) {
        try parse(text, environment: environment)
    }
}

extension ConfigurationError {
    /// `LINE:COLUMN`, as short as tests like it.
    var place: String { location.map { "\($0.line):\($0.column)" } ?? "-" }
}

extension ConfigurationWarning {
    /// `CODE LINE:COLUMN`.
    var short: String { "\(code) " + (location.map { "\($0.line):\($0.column)" } ?? "-") }
}
