import Foundation
import Synchronization

/// A child process that is awaited on a thread of its own.
///
/// It is reaped under the lock under which signals are sent: a signal never reaches another process that was given the
/// same number.
final class AwaitedChild: Sendable {
    private struct State {
        var exitCode: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    /// Its number, also that of its process group.
    let process: pid_t
    private let state = Mutex(State())

    /// Takes over a child that nobody else awaits.
    init(_ process: pid_t) {
        self.process = process
        // It lives as long as the child: no pool has threads for that.
        let thread = Thread { [self] in reap() }
        thread.name = "child \(process)"
        thread.stackSize = 128 << 10
        thread.start()
    }

    /// The code with which it has ended, 128 and the signal's number where a signal has ended it; `nil` while it runs.
    var exitCode: Int32? { state.withLock(\.exitCode) }

    /// Waits until it has ended. Cancelling does not end the waiting, nor the child.
    func exit() async -> Int32 {
        await withCheckedContinuation { continuation in
            let code = state.withLock { state in
                if state.exitCode == nil { state.waiters.append(continuation) }
                return state.exitCode
            }
            if let code { continuation.resume(returning: code) }
        }
    }

    /// Sends a signal to it, or to its process group; nothing once it was awaited.
    func signal(_ signal: Int32, toGroup: Bool = false) {
        state.withLock { state in
            if state.exitCode == nil { _ = kill(toGroup ? -process : process, signal) }
        }
    }

    private func reap() {
        // SAFETY: plain storage that `waitid` fills and that outlives each call. WNOWAIT leaves the child to `waitpid`.
        var info = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let (code, waiters) = state.withLock { state in
            var status: Int32 = 0
            // SAFETY: `status` outlives the call.
            var result = unsafe waitpid(process, &status, 0)
            while result < 0, errno == EINTR { result = unsafe waitpid(process, &status, 0) }
            let signal = status & 0x7f
            // Somebody who ignores SIGCHLD, or awaits all children of the process, has taken the code away.
            let code = result < 0 ? 255 : signal == 0 ? (status >> 8) & 0xff : 128 + signal
            state.exitCode = code
            defer { state.waiters = [] }
            return (code, state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: code) }
    }
}
