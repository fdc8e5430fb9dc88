import Cluster

/// The cell in the store of one of two hosts without a witness, changed by compare-and-swap alone.
struct SimulatedCell {
    private(set) var lease: Lease
    private(set) var revision = 1
    /// When it was swapped within the last second.
    private var recent: [Int64] = []
    /// What broke, the first thing.
    private(set) var violation: String?

    init(_ lease: Lease) { self.lease = lease }

    var version: LeaseVersion { LeaseVersion(rawValue: "\(revision)") }

    /// `true`: it happened.
    mutating func swap(_ new: Lease, condition: LeaseVersion, at time: Int64) -> Bool {
        guard condition == version else { return false }
        recent.removeAll { $0 < time - SimulatedTime.second }
        recent.append(time)
        if recent.count > 20 { note("I8: a cell is swapped again and again") }
        if new.stamp < lease.stamp || new.stamp == lease.stamp && lease.state != .held {
            note("I1: a cell went back: \(lease.stamp) \(lease.state), then \(new.stamp) \(new.state)")
        }
        if new.stamp == lease.stamp, new.session != lease.session { note("I1: two sessions had epoch \(new.stamp)") }
        if new.head.number < lease.head.number { note("I9: the head in a cell went back") }
        (lease, revision) = (new, revision + 1)
        return true
    }

    private mutating func note(_ what: String) { if violation == nil { violation = what } }
}

extension Lease {
    /// A cell as it is founded, with the right of the first node's first session or without one.
    static func firstCell(of node: NodeID, _ state: State) -> Lease {
        var lease = Lease.first(eligible: [node])
        (lease.epoch, lease.session, lease.node, lease.state) = (
            Epoch(rawValue: 1), SessionID(rawValue: 1), node, state
        )
        return lease
    }
}
