import ObjectStorage
import Synchronization

/// Wakes an engine at the earliest of the moments asked for; a later one replaces an earlier one.
///
/// Few timers are under way at a time, however often the moment changes: one that fires too early begins anew.
final class WakeTimer: Sendable {
    private struct State {
        var due: ContinuousClock.Instant?
        /// The earliest timer that is under way.
        var pending: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let action: @Sendable () -> Void

    /// Makes a timer that calls `action` on the clock's thread, which it must not block.
    init(_ action: @escaping @Sendable () -> Void) { self.action = action }

    /// Calls the action at `moment`, instead of at the moment set before.
    func set(_ moment: ContinuousClock.Instant) {
        let needsTimer = state.withLock { state in
            state.due = moment
            if let pending = state.pending, pending <= moment { return false }
            state.pending = moment
            return true
        }
        if needsTimer { start(moment) }
    }

    /// Calls the action no more.
    func cancel() { state.withLock { $0.due = nil } }

    private func start(_ moment: ContinuousClock.Instant) {
        AlarmClock.shared.call(at: moment) { [weak self] in self?.fired(moment) }
    }

    private func fired(_ moment: ContinuousClock.Instant) {
        let next = state.withLock { state -> (isDue: Bool, moment: ContinuousClock.Instant?) in
            // An earlier timer was started since: this one has nothing to say.
            guard state.pending == moment else { return (false, nil) }
            state.pending = nil
            guard let due = state.due else { return (false, nil) }
            guard due > .now else {
                state.due = nil
                return (true, nil)
            }
            state.pending = due
            return (false, due)
        }
        if next.isDue { action() }
        if let moment = next.moment { start(moment) }
    }
}
