package import LTX
import Synchronization

/// Tasks that wait until a transaction has been accepted by the store.
package final class TransactionWaiters: Sendable {
    private struct State {
        var accepted: UInt64 = 0
        var failure: (any Error)?
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

    /// Says where a database stands that may also go back; wakes those whose transaction is covered.
    package func stand(at id: TransactionID) {
        let isNew = state.withLock { state in
            defer { state.accepted = id.rawValue }
            return state.accepted != id.rawValue
        }
        if isNew { accept(id) }
    }

    /// Ends all waits with an error, those to come included: what was waited for will not come to be here.
    package func fail(_ error: any Error) {
        let waiting = state.withLock { state in
            defer { (state.waiting, state.failure) = ([:], error) }
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
                enum Answer {
                    case accepted, waits
                    case failed(any Error)
                }
                let answer = state.withLock { state -> Answer in
                    if state.accepted >= id.rawValue { return .accepted }
                    if let failure = state.failure { return .failed(failure) }
                    if Task.isCancelled { return .failed(CancellationError()) }
                    state.waiting[key] = (id.rawValue, continuation)
                    return .waits
                }
                switch answer {
                case .accepted: continuation.resume()
                case .failed(let error): continuation.resume(throwing: error)
                case .waits: break
                }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiting.removeValue(forKey: key) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
