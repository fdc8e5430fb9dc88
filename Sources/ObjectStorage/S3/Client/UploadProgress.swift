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

    /// Whether nothing has moved for about `limit`, with pieces left.
    ///
    /// The HTTP client's own time-outs may close the connection at the same moment; what it then says of a closed
    /// connection is not what was wrong.
    func hasStalled(for limit: Duration) -> Bool {
        state.withLock { !$0.isComplete && $0.last.duration(to: .now) >= limit * 0.9 }
    }

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
            try await Pause.sleep(until: due)
        }
    }
}
