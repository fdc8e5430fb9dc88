import Cluster

/// The witness of two hosts: one cell, changed by compare-and-swap.
struct SimulatedWitness {
    private(set) var lease: Lease
    private(set) var revision = 1
    /// When it was swapped within the last second.
    private var recent: [Int64] = []
    /// What broke, the first thing.
    private(set) var violation: String?

    init(_ lease: Lease) { self.lease = lease }

    var version: LeaseVersion { LeaseVersion(rawValue: "\(revision)") }

    /// `true`: it happened.
    mutating func swap(_ new: Lease, condition: LeaseVersion?, at time: Int64) -> Bool {
        guard condition == version else { return false }
        let second: Int64 = 1_000_000_000
        recent.removeAll { $0 < time - second }
        recent.append(time)
        if recent.count > 20 { note("I8: the lease is swapped again and again") }
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
