import ArgumentParser
import SQLiteReplicate
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a command finds the token of a witness: never among its arguments, which every user of the host can see.
struct TokenOptions: ParsableArguments {
    @Option(
        name: .both("token-file"),
        help: ArgumentHelp("The file whose first line is the witness's token.", valueName: "path"),
        completion: .file()
    )
    var tokenFile: String?

    @Option(
        name: .both("token-env"),
        help: ArgumentHelp("The variable of the environment that holds the token.", valueName: "name")
    )
    var tokenVariable: String?

    func validate() throws {
        guard tokenFile == nil || tokenVariable == nil else {
            throw ValidationError("-token-file and -token-env exclude each other.")
        }
    }

    /// The token; `nil` where neither names one.
    var token: Secret? {
        get async throws {
            if let tokenFile { return try await Commands.token(inFile: FilePath(tokenFile)) }
            guard let tokenVariable else { return nil }
            guard let text = ProcessInfo.processInfo.environment[tokenVariable] else {
                throw ConfigurationError(.environment, "the variable \(tokenVariable) of -token-env is not set")
            }
            return try Commands.token(text, from: "the value of \(tokenVariable)")
        }
    }
}
