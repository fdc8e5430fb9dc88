import TestSupport
import Testing

extension String {
    /// The text, if it is one line; else a test failure is recorded.
    var oneLine: String {
        let lines = split(separator: "\n", omittingEmptySubsequences: true)
        #expect(lines.count == 1, "one line was expected, not: \(self)")
        return self
    }
}

/// Expects that a program has ended with a code, and one line on standard error that names what is wrong.
func expectRefusal(
    _ result: ChildProcess.Result,
    code: Int32 = 1,
    naming words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let lines = result.standardError.split(separator: "\n")
    #expect(result.exit.status == .code(code), "\(result.command): \(result.exit)", sourceLocation: sourceLocation)
    #expect(lines.count == 1, "\(result.command) said: \(result.standardError)", sourceLocation: sourceLocation)
    for word in words {
        #expect(
            result.standardError.contains(word),
            "'\(word)' is missing in: \(result.standardError)",
            sourceLocation: sourceLocation
        )
    }
}
