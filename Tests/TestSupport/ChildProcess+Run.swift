public import SystemPackage

extension ChildProcess {
    /// What a finished program left behind.
    public struct Result: Sendable {
        /// How it ended.
        public let exit: ProcessExit
        /// All of its standard output.
        public let standardOutput: String
        /// All of its standard error.
        public let standardError: String
        /// The time from start to end.
        public let duration: Duration
        /// The command line, for messages.
        public let command: String

        /// The same result, if the program succeeded.
        ///
        /// - Throws: ``TestSupportError`` with the output, if it did not exit with code 0.
        @discardableResult
        public func checked() throws -> Self {
            guard exit.isSuccess else {
                let said = [standardOutput, standardError].filter { !$0.isEmpty }.map { $0.suffix(4000) }
                throw TestSupportError("'\(command)': \(exit).\n\(said.joined(separator: "\n"))")
            }
            return self
        }
    }

    /// Runs a program to its end; the parameters are those of ``init(_:_:environment:directory:hasInput:)``.
    ///
    /// - Parameter limit: After this time it is killed, and this throws.
    /// - Returns: The result, whatever the exit code; ``Result/checked()`` throws where it is not 0.
    public static func run(
        _ executable: FilePath,
        _ arguments: [String] = [],
        environment: [String: String?] = [:],
        directory: FilePath? = nil,
        within limit: Duration = .seconds(120)
    ) async throws -> Result {
        let start = ContinuousClock.now
        let child = try ChildProcess(executable, arguments, environment: environment, directory: directory)
        let exit = try await child.waitForExit(within: limit)
        return Result(
            exit: exit,
            standardOutput: child.standardOutput,
            standardError: child.standardError,
            duration: start.duration(to: .now),
            command: child.command
        )
    }

    /// Program and arguments that run `executable` as the user `nobody`; only root can do that.
    ///
    /// For tests of files that may not be read or written: root may do both whatever the mode says.
    public static func unprivileged(_ executable: FilePath, _ arguments: [String]) -> (FilePath, [String]) {
        ("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", executable.string] + arguments)
    }
}
