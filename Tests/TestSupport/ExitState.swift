import Foundation
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Awaits one child on a thread of its own, reaps it, and tells all who wait.
///
/// The child is reaped under the same lock under which signals are sent, so a signal never reaches another process that
/// was given the same id.
final class ExitState: Sendable {
    private struct State {
        var exit: ProcessExit?
        var waiters: [AsyncStream<ProcessExit>.Continuation] = []
    }

    private let processID: Int32
    private let state = Mutex(State())

    init(processID: Int32) {
        self.processID = processID
        let thread = Thread { self.reap() }
        thread.name = "reaper \(processID)"
        thread.stackSize = 256 << 10
        thread.start()
    }

    var exit: ProcessExit? { state.withLock(\.exit) }

    /// Sends a signal, unless the child has been reaped.
    @discardableResult
    func signal(_ signal: Int32) -> Bool {
        state.withLock { $0.exit == nil && kill(processID, signal) == 0 }
    }

    /// Waits for the end; `nil` after `limit`, or when the task is cancelled.
    func exit(within limit: Duration) async -> ProcessExit? {
        let (stream, continuation) = AsyncStream.makeStream(of: ProcessExit.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { state in
            if let exit = state.exit {
                continuation.yield(exit)
                continuation.finish()
            } else {
                state.waiters.append(continuation)
            }
        }
        return await withTaskGroup(of: ProcessExit?.self) { group in
            group.addTask {
                for await exit in stream { return exit }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: limit)  // Cancelled once the process has ended.
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func reap() {
        // SAFETY: plain storage that `waitid` fills.
        var info = unsafe siginfo_t()
        // SAFETY: `info` outlives each call. WNOWAIT leaves the child to `wait4` below.
        while unsafe waitid(P_PID, id_t(processID), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let waiters = state.withLock { state in
            var (status, usage) = (Int32(0), rusage())
            // SAFETY: both outlive the call.
            while unsafe wait4(processID, &status, 0, &usage) < 0 && errno == EINTR {}
            state.exit = ProcessExit(
                waitStatus: status,
                cpuSeconds: usage.ru_utime.seconds + usage.ru_stime.seconds,
                peakResidentBytes: Int64(usage.ru_maxrss) * maxrssUnit
            )
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let exit else { return }
        for waiter in waiters {
            waiter.yield(exit)
            waiter.finish()
        }
    }
}

#if canImport(Darwin)
    private let maxrssUnit: Int64 = 1
#else
    private let maxrssUnit: Int64 = 1024
#endif

extension timeval {
    fileprivate var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1e6 }
}
