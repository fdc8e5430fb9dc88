import Synchronization

/// A port that is known later, to many who wait for it.
final class BoundPort: Sendable {
    private struct State {
        var result: Result<Int, any Error>?
        var waiters: [UInt64: CheckedContinuation<Int, any Error>] = [:]
        var count: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Tells the port, or why there is none; only the first word counts.
    func settle(_ result: Result<Int, any Error>) {
        let waiters = state.withLock { state in
            guard state.result == nil else { return [UInt64: CheckedContinuation<Int, any Error>]() }
            state.result = result
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(with: result) }
    }

    /// Waits for the port.
    ///
    /// - Throws: why there is none; `CancellationError` as soon as the task is cancelled.
    func value() async throws -> Int {
        let id = state.withLock { state in
            state.count += 1
            return state.count
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Int, any Error>? in
                    if let result = state.result { return result }
                    // Under the lock: a cancellation comes either before, and is seen here, or after, and finds the waiter.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
