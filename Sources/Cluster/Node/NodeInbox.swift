import ObjectStorage
import Replication
import Synchronization

/// What a node has learned and not looked at yet. May be used from any thread.
final class NodeInbox: Sendable {
    private let events = Mutex<[NodeEvent]>([])
    private let wakeup = Wakeup()

    /// Adds an event and wakes the node.
    func post(_ event: NodeEvent) {
        events.withLock { $0.append(event) }
        wakeup.signal()
    }

    /// Wakes the node: there is something to look at that is no event yet.
    func wake() { wakeup.signal() }

    /// All events so far, in their order.
    func take() -> [NodeEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }

    /// Waits for something, at most until a moment.
    func wait(until moment: Moment?) async {
        guard let moment else { return await wakeup.wait() }
        let rest = moment - NodeClock.now
        guard rest > .zero else { return }
        await wakeup.wait(atMost: rest)
    }
}

/// Passes the roles of a node on to whoever wants to know.
final class RoleBroadcast: Sendable {
    private struct State {
        var role = Role.joining
        var next = 0
        var listeners: [Int: AsyncStream<Role>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// The present role.
    var role: Role { state.withLock(\.role) }

    /// A stream that begins with the present role.
    func stream() -> AsyncStream<Role> {
        let (stream, continuation) = AsyncStream.makeStream(of: Role.self)
        let key = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            continuation.yield(state.role)
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[key] = nil } }
        return stream
    }

    func set(_ role: Role) {
        state.withLock { state in
            state.role = role
            for listener in state.listeners.values { listener.yield(role) }
        }
    }

    /// Ends all streams.
    func finish() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { listener.finish() }
    }
}
