import Cluster

/// One host of the simulation: its process, its disk and its clock.
struct SimulatedNode {
    let id: NodeID
    /// The process, while it runs.
    var process: SimulatedProcess?
    /// Counts processes: what was sent for an earlier one is not for this one.
    var life = 0
    var boots = 0
    /// Its clock shows `offset + rate × time`.
    var offset: Int64
    var rate: Double
    /// It does nothing before.
    var frozenUntil: Int64 = 0
    /// What it will learn then.
    var inbox: [NodeEvent] = []
    var nextWake: Int64 = .max

    // The disk.
    var database = History()
    /// What was applied to it last, or put there: that is synced before anybody hears of it (failover-review N10).
    var synced = History()
    /// Closed transaction files, by number.
    var files: [UInt64: SimulatedFile] = [:]
    var recorded = ChainPoint.start
    /// The epoch of the recorded place.
    var recordedEpoch = Epoch.zero
    var intended: ChainPoint?
    var older: [ChainPoint] = []
    var epoch = Epoch.zero
    var memory = NodeMemory()
    var tail = History()

    // The process's view.
    var isOpen = false
    var isLocked = true
    /// What the newest closed file, or the seal, holds.
    var captured = History()
    var fetched: FetchedFile?
    /// The store that it reads, seals and ships to.
    var site = ChainSite.own

    // What is wrong with the host.
    /// It is gone, with all that is on it, until then.
    var downUntil: Int64 = 0
    /// Its process does not come back.
    var isGone = false
    /// Cut off from the store, and from the other nodes, until then.
    var cutFromStore: Int64 = 0
    var cutFromPeers: Int64 = 0
    var cutFromLease: Int64 = 0
    var cutFromChain: Int64 = 0

    /// A copy of what the process has decided so far.
    var core: NodeCore? { process?.core }

    init(id: NodeID, offset: Int64, rate: Double) { (self.id, self.offset, self.rate) = (id, offset, rate) }

    func localTime(at time: Int64) -> Moment {
        Moment(reading: .nanoseconds(offset + Int64(Double(time) * rate)))
    }

    /// The time at which the clock shows `moment`, rounded up.
    func time(of moment: Moment) -> Int64 {
        let (seconds, attoseconds) = moment.reading.components
        guard seconds < 1 << 32 else { return .max }
        let shown = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return Int64((Double(shown - offset) / rate).rounded(.up)) + 1
    }

    /// Nothing is wrong with it any more.
    mutating func mend() {
        (downUntil, frozenUntil) = (0, 0)
        (cutFromStore, cutFromPeers, cutFromLease, cutFromChain) = (0, 0, 0, 0)
    }

    mutating func record(_ point: ChainPoint, in epoch: Epoch) {
        recordedEpoch = epoch
        guard point != recorded else { return }
        older.append(recorded)
        if older.count > 64 { older.removeFirst() }
        recorded = point
    }
}

/// A process of a node. It is apart from the node, which is copied often, while this is large and changes in its place.
final class SimulatedProcess {
    var core: NodeCore

    init(_ core: NodeCore) { self.core = core }
}
