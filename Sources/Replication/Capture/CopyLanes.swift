import Dispatch
import Synchronization

/// Runs the long reads and merges of all databases in this process, two at a time; the others wait without a thread.
///
/// Many databases found at once must not start as many copies at once.
///
/// Each lane is a serial queue on purpose: Dispatch's pool of shared workers, once in use on Linux, wakes the process
/// every second for as long as it lives.
final class CopyLanes: Sendable {
    /// The lanes that all engines of this process share.
    static let shared = CopyLanes(count: 2)

    private struct State {
        var free: [DispatchQueue]
        var waiting: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>

    /// Makes lanes for `count` works at a time.
    init(count: Int) {
        state = Mutex(State(free: (0..<count).map { DispatchQueue(label: "copy-\($0)") }))
    }

    /// Runs `work` on a thread of its own as soon as a lane is free.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let lane = state.withLock { state -> DispatchQueue? in
            guard let lane = state.free.popLast() else {
                state.waiting.append(work)
                return nil
            }
            return lane
        }
        if let lane { run(work, on: lane) }
    }

    private func run(_ work: @escaping @Sendable () -> Void, on lane: DispatchQueue) {
        lane.async { [self] in
            work()
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard !state.waiting.isEmpty else {
                    state.free.append(lane)
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let next { run(next, on: lane) }
        }
    }
}
