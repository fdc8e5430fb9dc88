import Cluster

/// The witness of two hosts: one cell, changed by compare-and-swap.
struct SimulatedWitness {
    private(set) var lease: Lease
    private(set) var revision = 1
    /// What broke, the first thing.
    private(set) var violation: String?

    init(_ lease: Lease) { self.lease = lease }

    var version: LeaseVersion { LeaseVersion(rawValue: "\(revision)") }

    /// `true`: it happened.
    mutating func swap(_ new: Lease, condition: LeaseVersion?) -> Bool {
        guard condition == version else { return false }
        if new.epoch < lease.epoch || new.epoch == lease.epoch && new.session != lease.session {
            note("I1: epoch \(new.epoch) of \(new.session) replaced epoch \(lease.epoch) of \(lease.session)")
        }
        if new.head.number < lease.head.number { note("I9: the head of the lease went back") }
        if let old = lease.origin?.epoch, new.origin?.epoch ?? .zero < old { note("I1: the origin went back") }
        (lease, revision) = (new, revision + 1)
        return true
    }

    private mutating func note(_ what: String) { if violation == nil { violation = what } }
}
