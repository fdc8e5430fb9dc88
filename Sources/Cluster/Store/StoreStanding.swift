/// What of a history a store holds, where each of two hosts has one (failover-review G), so far as it can be told from
/// outside.
public enum StoreStanding: String, Hashable, Sendable {
    /// Nobody can tell: it does not answer, or there is no lease.
    case unknown
    /// There is no history yet.
    case unused
    /// Everything that was acknowledged as replicated.
    case current
    /// The primary ships to it, and is not done with what the other node must have before it may take over.
    case pending
    /// An earlier state: it is the store of the primary's own host, which ships to the other one.
    case earlier
    /// Less than was acknowledged: the disk went back, or something was removed. The primary writes a whole copy there.
    case behind

    /// - Parameters:
    ///   - end: The highest transaction that lies there; `nil` where it does not answer.
    ///   - host: The node whose own store it is.
    ///   - other: The node whose own store the other one is.
    ///   - lease: The lease.
    init(_ end: UInt64?, host: NodeID?, other: NodeID?, _ lease: Lease) {
        guard let end else {
            self = .unknown
            return
        }
        guard let origin = lease.origin else {
            self = .unused
            return
        }
        if host == origin.node {
            self = .earlier
        } else if other == origin.node {
            let isNarrow = lease.eligible == [origin.node]
            self = end < lease.head.number ? .behind : isNarrow ? .pending : .current
        } else {
            self = .unknown
        }
    }

    /// Without a witness.
    ///
    /// - Parameters:
    ///   - end: The highest transaction that lies there; `nil` where it does not answer.
    ///   - host: The node whose own store it is.
    ///   - body: The cell that has the right to write.
    ///   - hasRight: Whether it is the one of this store.
    init(_ end: UInt64?, host: NodeID?, _ body: Lease, hasRight: Bool) {
        guard let end else {
            self = .unknown
            return
        }
        if host == body.node {
            self = end == 0 ? .unused : .earlier
        } else if !hasRight || end < body.copyAt {
            self = .pending
        } else {
            self = end < body.head.number ? .behind : end == 0 ? .unused : .current
        }
    }
}
