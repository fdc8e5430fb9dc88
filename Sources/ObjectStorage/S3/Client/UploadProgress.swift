import Synchronization

/// When a body that is being sent got further for the last time.
///
/// The HTTP client's own write time-out is about a sender that has nothing to say, not about a receiver that takes
/// nothing.
final class UploadProgress: Sendable {
    private struct State {
        var last = ContinuousClock.now
        var isComplete = false
    }

    private let state = Mutex(State())

    /// A piece was taken.
    func moved() { state.withLock { $0.last = .now } }

    /// All pieces were taken; from here on the answer's time-out counts.
    func completed() { state.withLock { $0.isComplete = true } }

    /// Waits until nothing has moved for `limit`.
    ///
    /// - Returns: Whether that happened: `false` once all pieces were taken.
    /// - Throws: `CancellationError` when the task is cancelled.
    func stall(of limit: Duration) async throws -> Bool {
        while true {
            let state = state.withLock(\.self)
            if state.isComplete { return false }
            let due = state.last.advanced(by: limit)
            if due <= .now { return true }
            try await Task.sleep(until: due, clock: .continuous)
        }
    }
}
