/// Until when an application's transactions may commit on this node.
///
/// It is asked when a write transaction starts, and again under SQLite's write lock at its commit: only the second
/// answer counts, the first spares work. It needs no event to close: time does it.
public struct WriteGate: Hashable, Sendable {
    /// The first moment at which it is closed; `nil` while it is closed anyway.
    public internal(set) var openUntil: Moment?

    /// A closed gate.
    public init() {}

    /// A gate that is open until a moment, of this host's clock.
    package init(openUntil moment: Moment) { openUntil = moment }

    /// Whether a transaction may commit at `now`.
    public func isOpen(at now: Moment) -> Bool { openUntil.map { now < $0 } ?? false }
}
