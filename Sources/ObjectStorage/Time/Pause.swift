import Synchronization

/// Waits that a task can be cancelled out of.
///
/// `Task.sleep` runs on Dispatch's pool of workers, and once that pool is in use on Linux a monitor wakes the process
/// every second for as long as it lives. A quiet database is to cost nothing.
package enum Pause {
    /// Waits for `duration`.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(for duration: Duration) async throws {
        try await sleep(until: .now + min(duration, .seconds(1 << 40)))
    }

    /// Waits until a moment.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    package static func sleep(until moment: ContinuousClock.Instant) async throws {
        try Task.checkCancellation()
        let wait = Wait()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard wait.begin(continuation) else { return continuation.resume() }
                wait.keep(AlarmClock.shared.call(at: moment) { wait.end() })
            }
        } onCancel: {
            wait.end()
        }
        try Task.checkCancellation()
    }

    /// One wait: resumed once, by the alarm or by the cancellation.
    private final class Wait: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Void, Never>?
            var alarm: AlarmClock.Alarm?
            var hasEnded = false
        }

        private let state = Mutex(State())

        /// Takes the continuation; `false` where the wait has ended already.
        func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
            state.withLock { state in
                guard !state.hasEnded else { return false }
                state.continuation = continuation
                return true
            }
        }

        /// Notes the alarm, which goes with the wait.
        func keep(_ alarm: AlarmClock.Alarm) {
            let isOver = state.withLock { state in
                if !state.hasEnded { state.alarm = alarm }
                return state.hasEnded
            }
            if isOver { AlarmClock.shared.cancel(alarm) }
        }

        func end() {
            let ended = state.withLock { state in
                defer { state = State(hasEnded: true) }
                return state
            }
            if let alarm = ended.alarm { AlarmClock.shared.cancel(alarm) }
            ended.continuation?.resume()
        }
    }
}
