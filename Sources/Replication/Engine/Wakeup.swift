import ObjectStorage
import Synchronization

/// Wakes one waiting task. A signal that comes while nobody waits is kept; several are one.
package final class Wakeup: Sendable {
    private struct State {
        var isSignalled = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Creates one that nobody has signalled.
    package init() {}

    /// Wakes the waiting task, or the next one that waits.
    package func signal() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter else {
                state.isSignalled = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Waits for a signal, for the end of the time, or for the task's cancellation.
    package func wait(atMost limit: Duration? = nil) async {
        guard let limit else { return await waitForSignal() }
        await withTaskGroup { group in
            group.addTask { await self.waitForSignal() }
            group.addTask { try? await Pause.sleep(for: limit) }  // cancelled: the signal came first
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForSignal() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state -> Bool in
                    if state.isSignalled || Task.isCancelled {
                        state.isSignalled = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
