import ObjectStorage
import Synchronization

/// The programs in other processes that write while this node is primary, each below a guard (failover-review N16).
///
/// Before a node hands over it ends them, and waits for their last transactions, within the time that all open
/// transactions are given. Their guards hear of a gate that closes earlier before any other node may take over: also of
/// one that was open for good while nobody else could. All methods may be called from any task.
public final class GuardedPrograms: Sendable {
    /// A program that runs.
    public struct Entry: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Calls {
        let stop: @Sendable () -> Void
        let feed: @Sendable () -> Void
    }

    private struct State {
        var count: UInt64 = 0
        var programs: [Entry: Calls] = [:]
        var isEnding = false
    }

    private let state = Mutex(State())
    /// How often it is looked whether they have ended.
    private static let look = Duration.milliseconds(5)

    init() {}

    /// Says that a program runs.
    ///
    /// - Parameters:
    ///   - stop: Has it end, without waiting for that.
    ///   - feed: Tells its guard until when it may run, as the gate is now. Both are called from any thread, and end soon.
    /// - Returns: What ``leave(_:)`` takes.
    public func enter(stop: @escaping @Sendable () -> Void, feed: @escaping @Sendable () -> Void) -> Entry {
        let (entry, isEnding) = state.withLock { state in
            state.count += 1
            let entry = Entry(number: state.count)
            state.programs[entry] = Calls(stop: stop, feed: feed)
            return (entry, state.isEnding)
        }
        feed()
        if isEnding { stop() }
        return entry
    }

    /// Says that nothing of a program is left.
    public func leave(_ entry: Entry) { state.withLock { _ = $0.programs.removeValue(forKey: entry) } }

    /// Tells the guards of all of them that the gate is another one.
    func gateMoved() {
        for program in state.withLock({ Array($0.programs.values) }) { program.feed() }
    }

    /// Ends all of them, and waits until nothing of them is left, but not longer than `limit`.
    func end(within limit: Duration) async {
        let programs = state.withLock { state in
            state.isEnding = true
            return Array(state.programs.values)
        }
        for program in programs { program.stop() }
        let deadline = ContinuousClock.now + limit
        while state.withLock({ !$0.programs.isEmpty }), ContinuousClock.now < deadline {
            do { try await Pause.sleep(for: Self.look) } catch { break }
        }
        state.withLock { $0.isEnding = false }
    }
}
