import CProcess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a guard does: waits for messages, signals and moments, and carries out what ``GuardState`` decides.
///
/// It is the whole process: it blocks, and owns the process's children and signals.
final class GuardLoop {
    private let command: ProgramCommand
    private var state: GuardState
    private var reader = GuardMessageReader()
    private var isFeedOpen = true
    private var family = GuardedFamily()
    private var exitCode: Int32?

    /// Where signals arrive, as bytes.
    private let signals: (read: Int32, write: Int32)
    /// Becomes readable when a tick is due; -1 where the system has no such thing: then it is looked often.
    private let timer = cprocess_timer()

    /// The signals that are passed on.
    private static let passedOn = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    init(_ command: ProgramCommand, grace: Int64) {
        (self.command, state) = (command, GuardState(grace: grace))
        var ends: [Int32] = [-1, -1]
        // SAFETY: the call fills both elements.
        _ = unsafe cprocess_pipe(&ends)
        signals = (ends[0], ends[1])
    }

    /// Runs until nothing of the program is left.
    ///
    /// - Returns: The program's exit code; 128 and the number of the signal that has ended it.
    func run() -> Int32 {
        guard signals.read >= 0 else {
            Self.say("no pipe: \(Errno(rawValue: errno))")
            return 1
        }
        _ = cprocess_adopt_orphans()  // else only the program's own group is minded
        _ = signal(SIGPIPE, SIG_IGN)
        for signal in Self.passedOn + [SIGCHLD] { _ = cprocess_catch(signal, signals.write) }
        while exitCode == nil { turn() }
        return exitCode ?? 1
    }

    private func turn() {
        let now = cprocess_now()
        let tick = state.nextTick(after: now)
        var timeout: Int32 = -1
        if timer >= 0 {
            _ = cprocess_timer_set(timer, max(tick ?? 0, 0))
        } else if let tick {
            timeout = Int32(min(50, max(0, tick - now) / 1_000_000 + 1))
        }
        var polled = [
            pollfd(fd: isFeedOpen ? 0 : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.read, events: Int16(POLLIN), revents: 0),
            pollfd(fd: timer, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: as many elements as are told.
        _ = unsafe poll(&polled, nfds_t(polled.count), timeout)
        // Interrupted or not: what is there is looked at, and the time.
        if polled[0].revents != 0 { readFeed() }
        if polled[1].revents != 0 { readSignals() }
        handle(.tick)
    }

    private func readFeed() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        // SAFETY: it writes into the array, at most its size.
        let count = unsafe read(0, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0, let messages = reader.take(bytes[..<count]) else {
            isFeedOpen = false
            return handle(.nodeLost)
        }
        for message in messages { handle(.told(message)) }
    }

    private func readSignals() {
        var bytes = [UInt8](repeating: 0, count: 64)
        // SAFETY: as above.
        let count = unsafe read(signals.read, &bytes, bytes.count)
        guard count > 0 else { return }
        for signal in bytes[..<count].map(Int32.init) {
            if signal == SIGCHLD { awaitChildren() } else { handle(.signalled(signal)) }
        }
    }

    private func awaitChildren() {
        guard family.program != nil else { return }
        let (code, othersRun) = family.reap()
        handle(.awaited(code: code, othersRun: othersRun))
    }

    private func handle(_ event: GuardState.Event) {
        for effect in state.handle(event, at: cprocess_now()) {
            switch effect {
            case .start: start()
            case .signal(let signal): family.signal(signal)
            case .say(let words): Self.say(words)
            case .end(let code): exitCode = exitCode ?? code
            }
        }
    }

    private func start() {
        do throws(Errno) { try family.start(command) } catch {
            Self.say("'\(command)' cannot be run: \(error).")
            // As shells say it.
            exitCode = error == .noSuchFileOrDirectory ? 127 : 126
        }
    }

    /// Says something on standard error, as one line.
    static func say(_ words: String) {
        // Nobody is left to be told when this fails.
        _ = try? FileDescriptor.standardError.writeAll("sqlite-replicate guard: \(words)\n".utf8)
    }
}
