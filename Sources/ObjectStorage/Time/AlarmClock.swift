import Dispatch
import Synchronization

/// Calls what is due at set moments, from one thread for the whole process.
///
/// Dispatch's timers cost two threads' turns each, its manager's and a worker's; with a hundred databases that is more
/// than the work. Alarms of the same moment share one turn.
package final class AlarmClock: Sendable {
    /// The process's clock; its thread begins with the first alarm.
    package static let shared = AlarmClock()

    init() {}

    /// One alarm, to be cancelled by.
    package struct Alarm: Hashable, Sendable {
        fileprivate let moment: ContinuousClock.Instant
        fileprivate let number: UInt64
    }

    private struct Entry {
        let alarm: Alarm
        let action: @Sendable () -> Void
    }

    private struct State {
        /// By moment, the latest first, so that what is due is taken from the end.
        var entries: [Entry] = []
        var count: UInt64 = 0
        var isRunning = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "alarms")
    private let changed = AlarmWait()
    private static let start = ContinuousClock.now

    /// Calls `action` on the clock's thread at `moment`; it must not block.
    @discardableResult
    package func call(at moment: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Alarm {
        let (alarm, isFirst, starts) = state.withLock { state in
            state.count += 1
            let alarm = Alarm(moment: moment, number: state.count)
            let index = Self.index(of: alarm, in: state.entries)
            state.entries.insert(Entry(alarm: alarm, action: action), at: index)
            defer { state.isRunning = true }
            return (alarm, index == state.entries.count - 1, !state.isRunning)
        }
        if starts {
            queue.async { self.run() }
        } else if isFirst {
            changed.signal()
        }
        return alarm
    }

    /// Forgets an alarm; one that is due now may still be called.
    package func cancel(_ alarm: Alarm) {
        state.withLock { state in
            let index = Self.index(of: alarm, in: state.entries)
            if index < state.entries.count, state.entries[index].alarm == alarm { state.entries.remove(at: index) }
        }
    }

    /// The first moment not before `moment` that alarms with the same `interval` share.
    package static func shared(_ moment: ContinuousClock.Instant, every interval: Duration) -> ContinuousClock.Instant {
        let steps = (start.duration(to: moment) / interval).rounded(.up)
        return start + interval * steps
    }

    private func run() {
        while true {
            let (due, next) = state.withLock { state -> ([Entry], ContinuousClock.Instant?) in
                let now = ContinuousClock.now
                var due: [Entry] = []
                while let last = state.entries.last, last.alarm.moment <= now { due.append(state.entries.removeLast()) }
                return (due, state.entries.last?.alarm.moment)
            }
            for entry in due { entry.action() }
            guard due.isEmpty else { continue }
            // Too early or too late, the loop looks again.
            changed.wait(until: next)
        }
    }

    /// Where an alarm is, or would be, among entries with the latest first.
    private static func index(of alarm: Alarm, in entries: [Entry]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            let other = entries[middle].alarm
            if (other.moment, other.number) > (alarm.moment, alarm.number) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
