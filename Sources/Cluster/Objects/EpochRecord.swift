/// What is written down once of each epoch that sealed the chain (`cluster/epochs/<epoch>.json`, and between two hosts
/// without a witness `<epoch>-<node>.json`: two nodes may have the same number).
public struct EpochRecord: Hashable, Sendable {
    /// Why an epoch began.
    public enum Cause: String, Hashable, Sendable {
        /// The lease had not been renewed.
        case timeout
        /// The lease was free, or an own earlier session's.
        case free
        /// It was handed over.
        case handoff
        /// An operator said so.
        case `operator`
    }

    /// The epoch.
    public var epoch: Epoch
    /// Its session.
    public var session: SessionID
    /// That session's node.
    public var node: NodeID
    /// The end of the chain that it continues.
    public var parent: ChainPoint
    /// The epoch in which that end was written.
    public var parentEpoch: Epoch
    /// The lowest transaction that a dead session may still try to create; see ``contested``.
    public var keepFrom: UInt64
    /// Its seal.
    public var first: UInt64
    /// Why it began.
    public var cause: Cause

    /// Creates a record.
    public init(
        epoch: Epoch,
        session: SessionID,
        node: NodeID,
        parent: ChainPoint,
        parentEpoch: Epoch,
        keepFrom: UInt64,
        first: UInt64,
        cause: Cause
    ) {
        (self.epoch, self.session, self.node) = (epoch, session, node)
        (self.parent, self.parentEpoch) = (parent, parentEpoch)
        (self.keepFrom, self.first, self.cause) = (keepFrom, first, cause)
    }

    /// The epoch, and its node.
    package var stamp: EpochStamp { EpochStamp(epoch: epoch, node: node) }

    /// The level-0 files that retention never deletes: at each a request of a dead session may be under way, and would
    /// find a hole (failover-review N7).
    public var contested: ClosedRange<UInt64> { min(keepFrom, first)...first }
}
