import Dispatch
import Synchronization

/// Runs the long reads and merges of all databases in this process, two at a time; the others wait without a thread.
///
/// Many databases found at once must not start as many copies at once.
final class CopyLanes: Sendable {
    /// The lanes that all engines of this process share.
    static let shared = CopyLanes(count: 2)

    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let count: Int
    private let queue = DispatchQueue(label: "copies", attributes: .concurrent)
    private let state = Mutex(State())

    /// Makes lanes for `count` works at a time.
    init(count: Int) { self.count = count }

    /// Runs `work` on a thread of its own as soon as a lane is free.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let starts = state.withLock { state in
            guard state.running < count else {
                state.waiting.append(work)
                return false
            }
            state.running += 1
            return true
        }
        if starts { run(work) }
    }

    private func run(_ work: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            work()
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let next { run(next) }
        }
    }
}
