extension Lease {
    /// Whose database the history goes on with, where each host has a store of its own (failover-review G1).
    ///
    /// It is named once the seal stands, and before anybody writes: whoever holds the lease may have died before. A node
    /// ships to its peer's store, so the history lies there, but for what ``first`` fences off in its own.
    public struct Origin: Hashable, Sendable {
        /// The epoch that opened last.
        public var epoch: Epoch
        /// Its node.
        public var node: NodeID
        /// The seal in that node's own store with which it took the history over: what its peer's store holds of lower
        /// numbers alone is an older history.
        public var first: UInt64
        /// The epoch in which it did: from ``first`` on all that is on the chain is of that one or of a later one. 0: it is
        /// not known.
        public var since: Epoch
        /// Whether sessions that were never named may have sealed in front of ``first``: what another database holds under a
        /// lower number need not be on the chain then.
        public var hasEarlierSeals: Bool

        /// Creates an origin.
        public init(
            epoch: Epoch,
            node: NodeID,
            first: UInt64,
            since: Epoch = .zero,
            hasEarlierSeals: Bool = false
        ) {
            (self.epoch, self.node, self.first, self.since) = (epoch, node, first, since)
            self.hasEarlierSeals = hasEarlierSeals
        }
    }
}
