import Dispatch
import Synchronization

/// Waits that a task can be cancelled out of, kept by a queue of their own.
///
/// `Task.sleep` runs on Dispatch's pool of workers, and once that pool is in use on Linux a monitor wakes the process
/// every second for as long as it lives. A quiet database is to cost nothing.
package enum Pause {
    private static let timers = DispatchQueue(label: "timers")

    /// Waits for `duration`.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = Int(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds =
            overflow ? Int.max : whole.addingReportingOverflow(Int(attoseconds / 1_000_000_000)).partialValue
        let wait = Wait()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard wait.begin(continuation) else { return continuation.resume() }
                let work = DispatchWorkItem { wait.end() }
                wait.keep(work)
                timers.asyncAfter(deadline: .now() + .nanoseconds(max(0, nanoseconds)), execute: work)
            }
        } onCancel: {
            wait.end()
        }
        try Task.checkCancellation()
    }

    /// Waits until a moment.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(until moment: ContinuousClock.Instant) async throws {
        try await sleep(for: ContinuousClock.now.duration(to: moment))
    }

    /// One wait: resumed once, by the timer or by the cancellation.
    ///
    /// `@unchecked Sendable`: all of it is guarded by the lock; a work item may be cancelled from any thread.
    private final class Wait: @unchecked Sendable {
        private struct State {
            var continuation: CheckedContinuation<Void, Never>?
            var work: DispatchWorkItem?
            var hasEnded = false
        }

        private let lock = Mutex(())
        private var state = State()

        /// Takes the continuation; `false` where the wait has ended already.
        func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
            lock.withLock { _ in
                guard !state.hasEnded else { return false }
                state.continuation = continuation
                return true
            }
        }

        func keep(_ work: DispatchWorkItem) { lock.withLock { _ in state.work = work } }

        func end() {
            let continuation = lock.withLock { _ in
                state.hasEnded = true
                state.work?.cancel()
                defer { state = State(hasEnded: true) }
                return state.continuation
            }
            continuation?.resume()
        }
    }
}
