package import LTX
import Synchronization

/// Tasks that wait until a transaction has been accepted by the store.
package final class TransactionWaiters: Sendable {
    private struct State {
        var accepted: UInt64 = 0
        var next = 0
        var waiting: [Int: (id: UInt64, continuation: CheckedContinuation<Void, any Error>)] = [:]
    }

    private let state = Mutex(State())

    /// Nothing is accepted yet.
    package init() {}

    /// Wakes those whose transaction is covered.
    package func accept(_ id: TransactionID) {
        let ready = state.withLock { state in
            state.accepted = max(state.accepted, id.rawValue)
            let ready = state.waiting.filter { $0.value.id <= state.accepted }
            for key in ready.keys { state.waiting[key] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in ready { continuation.resume() }
    }

    /// Ends all waits with an error: what was waited for will not come to be here.
    package func fail(_ error: any Error) {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting.values.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(throwing: error) }
    }

    /// Waits until `id` is accepted.
    ///
    /// - Throws: `CancellationError` where the task was cancelled first.
    package func wait(for id: TransactionID) async throws {
        let key = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                enum Answer { case accepted, cancelled, waits }
                let answer = state.withLock { state -> Answer in
                    if state.accepted >= id.rawValue { return .accepted }
                    if Task.isCancelled { return .cancelled }
                    state.waiting[key] = (id.rawValue, continuation)
                    return .waits
                }
                switch answer {
                case .accepted: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .waits: break
                }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiting.removeValue(forKey: key) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
