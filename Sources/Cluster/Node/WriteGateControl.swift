import Synchronization

/// The write gate of a running node, as an application's connections ask it: synchronously, from any thread, and often.
///
/// It is asked when a write transaction begins, and again at its commit, under SQLite's write lock: only that answer
/// counts (failover-review N14, N16). Time closes it, without anybody's doing.
public final class WriteGateControl: Sendable {
    /// The first nanosecond of the clock at which it is closed; 0 while it is closed anyway.
    private let openUntil = Atomic<Int64>(0)

    /// A closed gate.
    public init() {}

    /// Whether a transaction may commit at this moment.
    public var isOpen: Bool {
        let limit = openUntil.load(ordering: .sequentiallyConsistent)
        return limit > 0 && NodeClock.nanoseconds < limit
    }

    /// Whether it was open, and closed by time alone: the node's right was not renewed.
    public var hasExpired: Bool {
        let limit = openUntil.load(ordering: .sequentiallyConsistent)
        return limit > 0 && limit <= NodeClock.nanoseconds
    }

    /// Whether it is closed by what the node has decided, not by time.
    public var isClosed: Bool { openUntil.load(ordering: .sequentiallyConsistent) <= 0 }

    /// Until when it is open, and when the database will be locked for sure unless the right is renewed; `nil` while it is
    /// closed.
    ///
    /// - Parameter ttl: The lease's time to live.
    public func deadlines(ttl: Duration) -> (until: Moment, lockedBy: Moment)? {
        lastDeadlines(ttl: ttl).flatMap { $0.until > NodeClock.now ? $0 : nil }
    }

    /// As ``deadlines(ttl:)``, also where they have passed: those who were told later ones must hear of them.
    ///
    /// - Parameter ttl: The lease's time to live.
    public func lastDeadlines(ttl: Duration) -> (until: Moment, lockedBy: Moment)? {
        let limit = openUntil.load(ordering: .sequentiallyConsistent)
        guard limit > 0 else { return nil }
        let until = Moment(reading: .nanoseconds(limit))
        let timing = LeaseTiming(ttl: ttl)
        return (until, until + (timing.locking - timing.acceptance))
    }

    /// Moves the gate.
    package func set(_ gate: WriteGate) { openUntil.store(Self.limit(of: gate), ordering: .sequentiallyConsistent) }

    /// Lets it close as early as another one, where that is earlier.
    package func narrow(to gate: WriteGate) { openUntil.min(Self.limit(of: gate), ordering: .sequentiallyConsistent) }

    private static func limit(of gate: WriteGate) -> Int64 {
        gate.openUntil.map { NodeClock.nanoseconds(of: $0) } ?? 0
    }
}
