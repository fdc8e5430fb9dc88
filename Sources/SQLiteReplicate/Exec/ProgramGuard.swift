import CProcess
public import Cluster
import Foundation
public import Logging
import Synchronization
public import SystemPackage

/// A program that runs only while this node is the primary (`-exec`), below a small guard process.
///
/// The guard ends the program when it is not fed in time, when this process dies, and when it is told to; see
/// ``GuardProgram``. It is started once: whoever wants the program again makes another one.
///
/// All methods may be called from any task, and none but ``exit()`` waits. When the last reference goes, the program ends.
public final class ProgramGuard: Sendable {
    /// How long the program may take to end when it is told nothing else.
    public static let standardGrace: Duration = .seconds(10)

    private let child: AwaitedChild
    private let logger: Logger
    /// This end of the channel to the guard; -1 once it was closed.
    private let channel: Mutex<Int32>

    /// Starts a program.
    ///
    /// It inherits the environment, standard output and standard error; its standard input is empty.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - until: The moment until which it may run; see ``feed(until:lockedBy:)``.
    ///   - lockedBy: The moment by which it must be gone.
    ///   - grace: How long it may take to end when nothing else bounds that, up to a day.
    ///   - environment: Changes to the inherited environment.
    ///   - guardFile: The program that is the guard; this one itself, which must call ``GuardProgram/run(_:)``.
    ///   - logger: Told of its life.
    /// - Throws: ``ProgramError`` with code `notStarted` where the guard cannot be started. A program that cannot be run
    ///   ends with the code 126 or 127, as a shell's.
    public init(
        _ command: ProgramCommand,
        until: Moment,
        lockedBy: Moment,
        grace: Duration = standardGrace,
        environment: [String: String] = [:],
        guardFile: FilePath = ProgramGuard.ownFile,
        logger: Logger
    ) throws(ProgramError) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the call fills both elements.
        guard unsafe cprocess_channel(&ends) == 0 else {
            throw ProgramError(.notStarted, "'\(command)' cannot be guarded: \(Errno(rawValue: errno)).")
        }
        defer { _ = close(ends[1]) }  // the guard has its own copy
        do throws(ProgramError) {
            let words = ["sqlite-replicate"] + GuardProgram.arguments(for: command, grace: grace)
            let spawn = ChildSpawn(
                command: try ProgramCommand(words: words),
                file: guardFile,
                environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
                input: ends[1]
            )
            child = AwaitedChild(try spawn.start())
        } catch {
            _ = close(ends[0])
            throw error
        }
        channel = Mutex(ends[0])
        self.logger = logger
        logger.info("Program started", metadata: ["command": "\(command)", "guard": "\(child.process)"])
        feed(until: until, lockedBy: lockedBy)
    }

    deinit {
        channel.withLock { _ = close($0) }  // the guard sees that, and ends the program
    }

    /// The file of the running program, also where it was replaced since.
    public static var ownFile: FilePath {
        #if os(Linux)
            "/proc/self/exe"
        #else
            FilePath(CommandLine.arguments[0])
        #endif
    }

    /// Lets the program run on.
    ///
    /// - Parameters:
    ///   - until: The moment at which it gets SIGTERM unless it was fed again: when the node stops accepting writes.
    ///   - lockedBy: The moment at which it gets SIGKILL: when the database is locked for sure.
    public func feed(until: Moment, lockedBy: Moment) {
        send(.feed(until: until.nanoseconds, lockedBy: lockedBy.nanoseconds))
    }

    /// Has the program end: SIGTERM, and SIGKILL after `grace`, or when it was to be gone anyway.
    ///
    /// - Parameters:
    ///   - reason: For the log.
    ///   - grace: How long it may take.
    public func stop(_ reason: String, grace: Duration = standardGrace) {
        logger.info("Program is ended", metadata: ["reason": "\(reason)", "grace": "\(grace)"])
        send(.stop(grace: Moment(reading: max(.zero, grace)).nanoseconds))
    }

    /// Passes a signal on to the program; what it does then is its own affair.
    public func signal(_ number: Int32) { child.signal(number) }

    /// Waits until nothing of the program is left. Cancelling the task does not end the waiting.
    ///
    /// - Returns: The program's exit code; 128 and the number of the signal where one has ended it, or the guard.
    public func exit() async -> Int32 {
        let code = await child.exit()
        logger.info("Program ended", metadata: ["code": "\(code)"])
        return code
    }

    /// The code with which it has ended; `nil` while anything of it runs.
    public var exitCode: Int32? { child.exitCode }

    private func send(_ message: GuardMessage) {
        let line = Array(message.line.utf8)
        // A guard that is gone, or hears nothing, ends the program by itself.
        // SAFETY: the bytes are only read, during the call.
        channel.withLock { channel in _ = unsafe cprocess_send(channel, line, line.count) }
    }
}

extension Moment {
    /// Nanoseconds since the clock's zero; one that never comes is the largest.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = reading.components
        let (product, isLarge) = max(0, seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return isLarge ? .max : product &+ attoseconds / 1_000_000_000
    }
}
