import Foundation
import Synchronization
public import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// `signal(2)`, whose name a method of the class below has, too.
private let setSignalHandler = signal

/// A child process whose output is kept, that can be awaited with a time limit, and that never outlives this object.
///
/// Output goes to files that have no name, not to pipes: a child never waits for its reader, and what it wrote can be
/// looked at while it runs. All methods may be called from any task.
public final class ChildProcess: Sendable {
    /// The process's id. Signals go through ``signal(_:)``, which never hits a process that took over the id.
    public let processID: Int32
    /// The command line, for messages.
    public let command: String

    private let output: CapturedOutput
    private let error: CapturedOutput
    private let input: Mutex<FileDescriptor?>
    private let state: ExitState

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: The program; a name without a slash is looked up in `PATH`.
    ///   - arguments: Its arguments, without the program's name.
    ///   - environment: Changes to the inherited environment; `nil` removes a variable.
    ///   - directory: Its working directory; this process's own by default.
    ///   - hasInput: Whether standard input is a pipe for ``write(_:)``; else it is empty.
    /// - Throws: ``TestSupportError`` where the program cannot be started.
    public init(
        _ executable: FilePath,
        _ arguments: [String] = [],
        environment: [String: String?] = [:],
        directory: FilePath? = nil,
        hasInput: Bool = false
    ) throws {
        command = ([executable.lastComponent?.string ?? executable.string] + arguments).joined(separator: " ")
        (output, error) = (try CapturedOutput(), try CapturedOutput())
        let pipe = hasInput ? try FileDescriptor.pipe() : nil
        // A child may end before it has read all; that is told by its exit status, not by a signal to this process.
        if hasInput { _ = setSignalHandler(SIGPIPE, SIG_IGN) }
        defer { try? pipe?.readEnd.close() }  // The child has its own copy.
        do {
            processID = try spawn(
                SpawnRequest(
                    executable: executable,
                    arguments: arguments,
                    environment: ProcessInfo.processInfo.environment.changed(by: environment),
                    directory: directory,
                    input: pipe?.readEnd,
                    output: output.descriptor,
                    error: error.descriptor
                )
            )
        } catch {
            try? pipe?.writeEnd.close()
            throw error
        }
        input = Mutex(pipe?.writeEnd)
        state = ExitState(processID: processID)
    }

    deinit {
        state.signal(SIGKILL)
        input.withLock { input in
            try? input?.close()
            input = nil
        }
    }

    /// How the process ended; `nil` while it runs.
    public var exit: ProcessExit? { state.exit }

    /// What it has written to standard output so far.
    public var standardOutput: String { output.text }

    /// What it has written to standard error so far.
    public var standardError: String { error.text }

    /// Sends a signal; does nothing once the process has ended.
    ///
    /// - Returns: Whether the process was there to get it.
    @discardableResult
    public func signal(_ signal: Int32) -> Bool { state.signal(signal) }

    /// Writes to the process's standard input; nothing where it has none, or has closed it.
    public func write(_ text: String) {
        input.withLock { input in
            // A child that is gone cannot take what is written: its exit status tells, not this.
            _ = try? input?.writeAll(text.utf8)
        }
    }

    /// Ends the process's standard input.
    public func closeInput() {
        input.withLock { input in
            try? input?.close()
            input = nil
        }
    }

    /// Waits until the process has ended.
    ///
    /// - Throws: ``TestSupportError`` with the output so far, when it still runs after `limit`: it is killed then. An
    ///   error of that kind also when the waiting task is cancelled.
    @discardableResult
    public func waitForExit(within limit: Duration = .seconds(60)) async throws -> ProcessExit {
        if let exit = await state.exit(within: limit) { return exit }
        signal(SIGKILL)
        _ = await state.exit(within: .seconds(10))
        throw TestSupportError("'\(command)' did not end within \(limit).\(outputForMessages)")
    }

    /// Asks the process to end (SIGTERM) and waits until it has.
    ///
    /// - Throws: ``TestSupportError`` when it still runs after `limit`; it is killed then.
    @discardableResult
    public func terminate(within limit: Duration = .seconds(60)) async throws -> ProcessExit {
        signal(SIGTERM)
        return try await waitForExit(within: limit)
    }

    /// Kills the process (SIGKILL) and waits until it is gone.
    @discardableResult
    public func kill() async throws -> ProcessExit {
        signal(SIGKILL)
        return try await waitForExit(within: .seconds(30))
    }

    /// Waits until the process has written `text` to either stream.
    ///
    /// - Throws: ``TestSupportError`` with the output, when that does not happen within `limit` or the process ends.
    public func waitForOutput(containing text: String, within limit: Duration = .seconds(30)) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let ended = exit != nil
            if standardError.contains(text) || standardOutput.contains(text) { return }
            guard !ended, ContinuousClock.now < deadline else {
                let why = ended ? "ended" : "said nothing of it within \(limit)"
                throw TestSupportError("'\(command)' should have said '\(text)', but \(why).\(outputForMessages)")
            }
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    /// Both streams as an appendix to a message, each cut to its last 4,000 characters.
    public var outputForMessages: String {
        [("standard output", standardOutput), ("standard error", standardError)]
            .filter { !$0.1.isEmpty }
            .map { "\n--- \($0.0) ---\n\($0.1.suffix(4000))" }
            .joined()
    }
}

extension Dictionary where Key == String, Value == String {
    /// The same variables with `changes` made to them; `nil` removes one.
    func changed(by changes: [String: String?]) -> Self {
        var changed = self
        for (name, value) in changes { changed[name] = value }
        return changed
    }
}
