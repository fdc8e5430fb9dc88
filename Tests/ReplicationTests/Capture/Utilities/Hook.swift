import Replication
import Synchronization

/// What happens at fault points, changed while an engine runs.
final class Hook: Sendable {
    private let action = Mutex<(@Sendable (FaultPoint) -> Void)?>(nil)
    private let passed = Mutex<[FaultPoint: Int]>([:])

    /// To be given to the engine's settings.
    var reached: @Sendable (FaultPoint) -> Void {
        { point in
            self.passed.withLock { $0[point, default: 0] += 1 }
            self.action.withLock(\.self)?(point)
        }
    }

    /// How often a point was passed.
    func count(_ point: FaultPoint) -> Int { passed.withLock { $0[point] ?? 0 } }

    /// Does this from now on; `nil`: nothing.
    func set(_ body: (@Sendable (FaultPoint) -> Void)?) { action.withLock { $0 = body } }

    /// Does this at the next passing of `point` only.
    func once(_ point: FaultPoint, _ body: @escaping @Sendable () -> Void) {
        let done = Done()
        set { reached in
            if reached == point, done.first() { body() }
        }
    }

    private final class Done: Sendable {
        private let value = Atomic(false)
        func first() -> Bool { !value.exchange(true, ordering: .relaxed) }
    }
}
