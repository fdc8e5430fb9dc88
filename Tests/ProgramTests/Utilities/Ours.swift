import Foundation
import SystemPackage
import TestDatabases
import TestSupport

/// The built program, run as a user runs it.
enum Ours {
    /// The program.
    static var executable: FilePath { get throws { try BuiltProduct.path(of: "sqlite-replicate") } }

    /// What could leak in from the environment of the tests.
    static let environment: [String: String?] = [
        "AWS_ACCESS_KEY_ID": nil, "AWS_SECRET_ACCESS_KEY": nil, "AWS_SESSION_TOKEN": nil, "AWS_PROFILE": nil,
        "AWS_CA_BUNDLE": nil, "LITESTREAM_CONFIG": nil, "LOG_LEVEL": nil,
    ]

    /// Runs a command to its end.
    static func run(
        _ arguments: [String],
        environment: [String: String?] = [:],
        directory: FilePath? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> ChildProcess.Result {
        try await ChildProcess.run(
            executable,
            arguments,
            environment: Self.environment.merging(environment) { $1 },
            directory: directory,
            within: limit
        )
    }

    /// Restores a replica to a file.
    ///
    /// - Throws: `TestSupportError` with the program's words, if it fails.
    @discardableResult
    static func restore(
        _ replica: String,
        to output: FilePath,
        options: [String] = [],
        environment: [String: String?] = [:]
    ) async throws -> ChildProcess.Result {
        try await run(["restore", "-o", output.string] + options + [replica], environment: environment).checked()
    }

    /// Starts `replicate` with a configuration file in `folder`.
    ///
    /// - Parameters:
    ///   - configuration: The file's text; `Litestream.configuration(of:to:extra:global:)` makes it.
    ///   - folder: Where the file is put.
    ///   - environment: Changes to the environment; credentials, as a rule.
    static func replicate(
        _ configuration: String,
        in folder: FilePath,
        environment: [String: String?] = [:],
        name: String = "ours.yml"
    ) throws -> ChildProcess {
        let file = folder.appending(name)
        try configuration.write(toFile: file.string, atomically: true, encoding: .utf8)
        return try ChildProcess(
            executable,
            ["replicate", "-config", file.string, "-log-level", "debug"],
            environment: Self.environment.merging(environment) { $1 }
        )
    }

    /// A configuration without merging and deleting, so that level 0 tells the whole story.
    static func plainConfiguration(of database: FilePath, to replica: String, global: [String] = []) -> String {
        Litestream.configuration(
            of: database,
            to: replica,
            global: ["levels: []", "retention:", "  enabled: false"] + global
        )
    }
}

extension ChildProcess {
    /// Waits until the process, as it says, has shipped more than it had when this was called or before.
    func waitForOutput(_ text: String, times count: Int, within limit: Duration = .seconds(30)) async throws {
        try await eventually("'\(text)' \(count) times\(outputForMessages)", within: limit) {
            guard exit == nil else { throw TestSupportError("'\(command)' ended.\(outputForMessages)") }
            return standardOutput.components(separatedBy: text).count > count
        }
    }

    /// Stops the process as a service manager does, and expects that all is shipped.
    func stopShipped(within limit: Duration = .seconds(60)) async throws {
        let exit = try await terminate(within: limit)
        guard exit.isSuccess else { throw TestSupportError("'\(command)': \(exit).\(outputForMessages)") }
    }
}
