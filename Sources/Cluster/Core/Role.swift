/// What a node is doing in its cluster (failover-review E).
public enum Role: String, Hashable, Sendable, CaseIterable {
    /// It finds out where its database stands on the chain.
    case joining
    /// What only its database holds is being kept aside.
    case quarantining
    /// It follows.
    case standby
    /// Its swap of the lease is under way.
    case claiming
    /// It has the lease and reads the chain to its end.
    case claimed
    /// It puts its seal behind the end.
    case sealing
    /// The seal stands; the record of the epoch is being made.
    case sealed
    /// All is proven; it opens as soon as its lease is known to be valid.
    case recorded
    /// It writes and ships.
    case primary
    /// It has stopped writing and hands the lease on.
    case draining
    /// It does nothing more before an operator has looked.
    case halted

    /// Whether the node has, or had, the lease in its present session.
    package var isHolding: Bool {
        switch self {
        case .claimed, .sealing, .sealed, .recorded, .primary, .draining: true
        case .joining, .quarantining, .standby, .claiming, .halted: false
        }
    }
}
