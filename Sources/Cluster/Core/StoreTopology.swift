/// Which stores the nodes of a cluster use.
public enum StoreTopology: Hashable, Sendable {
    /// One that all nodes reach; the lease lies in it.
    case shared
    /// One on each of two hosts: a node ships to its peer's and follows from its own. The lease lies in a witness
    /// (failover-review G).
    case crossed
    /// The same without a witness: each store holds a cell, and nobody is promoted on silence (failover-review W1 to W10).
    case paired
}

/// Which of the stores something is about.
public enum ChainSite: Hashable, Sendable {
    /// The one that all share, or the one on the node's own host.
    case own
    /// The one on the peer's host.
    case peer
}

/// What a look at a store gave.
public struct StoreSurvey: Hashable, Sendable {
    /// The highest transaction that lies there, at any level; 0: none.
    public var highest: UInt64
    /// Whether a restore leads to the place that was asked for, its level-0 file included, without a gap before it: after a
    /// disk went back, what was under way may land apart from the chain.
    public var holds: Bool
    /// What the newest level-0 file says of itself; `nil` where there is none. Only without a witness it is asked for.
    public var end: FileMark?

    /// Creates a survey.
    public init(highest: UInt64, holds: Bool, end: FileMark? = nil) {
        (self.highest, self.holds, self.end) = (highest, holds, end)
    }
}
