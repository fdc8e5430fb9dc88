import NIOCore
import NIOPosix
import Synchronization

/// Runs short jobs on a few threads that may block, and wakes no more of them than are needed.
///
/// A thread pool wakes a thread for each job, and where many jobs come at once, each some microseconds long, that costs
/// more than the jobs. Here one thread is being woken at a time: the one that comes up takes jobs until none is left,
/// and has another one woken while some wait, so that a job that blocks holds nobody up.
package final class WorkerThreads: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs = CircularBuffer<Job>()
        /// The threads that work, or will when they are awake.
        var count = 0
        var isWaking = false

        /// Whether the caller is to wake a thread.
        mutating func wakes(atMost limit: Int) -> Bool {
            guard !isWaking, count < limit, !jobs.isEmpty else { return false }
            (isWaking, count) = (true, count + 1)
            return true
        }
    }

    private let state = Mutex(State())
    private let threads: NIOThreadPool
    private let limit: Int

    /// Makes a group of `count` threads, which live as long as the process.
    package init(count: Int) {
        limit = count
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Runs `job` soon, on any of the threads.
    package func submit(_ job: @escaping Job) {
        let wakes = state.withLock { state in
            state.jobs.append(job)
            return state.wakes(atMost: limit)
        }
        if wakes { wake() }
    }

    private func wake() { threads.submit { [self] _ in work() } }

    /// Takes jobs until none is left.
    private func work() {
        var isAwake = false
        while true {
            let (job, wakes) = state.withLock { state -> (Job?, Bool) in
                if !isAwake { state.isWaking = false }
                guard let job = state.jobs.popFirst() else {
                    state.count -= 1
                    return (nil, false)
                }
                return (job, state.wakes(atMost: limit))
            }
            isAwake = true
            guard let job else { return }
            if wakes { wake() }
            job()
        }
    }
}
