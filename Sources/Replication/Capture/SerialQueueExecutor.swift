import Dispatch
import ObjectStorage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs an actor's jobs one at a time on threads that may block, which all engines of the process share.
///
/// A queue of Dispatch's own for each of a hundred databases would bring a hundred threads, each with its memory, at
/// the first busy moment.
package final class SerialQueueExecutor: SerialExecutor {
    /// As many databases as this can block in SQLite and in files at a time.
    private static let threads = WorkerThreads(count: 8)

    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isRunning = false
    }

    /// Creates an executor; it has no thread before there is a job.
    package init() {}

    private let state = Mutex(State())
    /// The thread that runs a job right now, for ``checkIsolated()``.
    private let runner = Atomic<UInt>(0)

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    /// Runs `body` after what was asked for before, outside of any job.
    func async(_ body: @escaping @Sendable () -> Void) {
        let starts = state.withLock { state in
            state.jobs.append(body)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { submit() }
    }

    /// Runs `body` before whatever is asked for next, and does not wake a thread for it.
    func postpone(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.jobs.append(body) }
    }

    package func checkIsolated() {
        precondition(runner.load(ordering: .relaxed) == Self.thisThread, "not on the engine's thread")
    }

    private func submit() {
        Self.threads.submit { self.drain() }
    }

    /// Runs what is there, then lets others have the thread.
    private func drain() {
        let jobs = state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
        runner.store(Self.thisThread, ordering: .relaxed)
        for job in jobs { job() }
        runner.store(0, ordering: .relaxed)
        let isDone = state.withLock { state in
            state.isRunning = !state.jobs.isEmpty
            return !state.isRunning
        }
        if !isDone { submit() }
    }

    /// A number that no other thread has at the same time.
    private static var thisThread: UInt { UInt(bitPattern: pthread_self().hashValue) }
}
