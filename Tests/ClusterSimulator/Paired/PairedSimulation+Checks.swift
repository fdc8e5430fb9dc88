import Cluster

/// What must hold between two hosts without a witness (failover-review H).
extension PairedSimulation {
    var violation: String? { world.broken ?? cells[0].violation ?? cells[1].violation ?? hosts.violation }

    mutating func check() {
        noteVanished(besides: hosts.stores[0].held.union(hosts.stores[1].held))
        if cells.allSatisfy({ $0.lease.state == .moved }) { note("W2: both cells are moved: the right is lost") }
    }

    /// Without a wrong word there are never two writers (I10).
    var hasOneWriter: Bool { !words.isWrong }

    /// What a database gives up: without a word, and a power cut, there is nothing to give up.
    mutating func noteLeft(_ index: Int, _ left: History) {
        guard !left.isEmpty, !words.isSpoken, world.lost.isEmpty else { return }
        note("I10: node \(index + 1) gives up \(left), and nobody has spoken a word")
    }

    mutating func checkAcceptance(_ index: Int) {
        guard cells[1 - index].lease.stamp < epochs[index] else { return }
        note("I4: acknowledged in a store whose cell does not hold the right: a word there would be blind")
    }

    mutating func checkOpening(_ index: Int, _ stamp: EpochStamp) {
        epochs[index] = stamp
        let missing = world.acknowledged.subtracting(world.nodes[index].database)
        let newest = max(opened, cells[0].lease.stamp, cells[1].lease.stamp)
        opened = max(opened, stamp)
        guard !missing.isEmpty else { return }
        let isInOwnStore = !missing.intersection(hosts.stores[index].held).isEmpty
        if words.isSpoken, missing.subtracting(world.lost).isEmpty, !isInOwnStore {
            // A power cut took it from the database, and an operator promoted that while the store that had it was away.
            world.acknowledged = world.acknowledged.subtracting(missing)
        } else if !words.isSpoken || stamp >= newest {
            // Who was superseded while it opened ends as a tail.
            note("I4: opened without \(missing), which was acknowledged as replicated")
        }
    }

    /// Whether one node writes and ships by the right in the other one's store, and the other follows.
    func isWell(since commits: Int) -> Bool {
        guard hasShipped(since: commits) else { return false }
        let primary = world.nodes.indices.first {
            world.nodes[$0].process?.core.role == .primary && world.nodes[$0].isOpen
        }
        guard let primary, cells[1 - primary].lease.stamp == epochs[primary], cells[primary].lease.state == .moved
        else {
            return false
        }
        let other = world.nodes[1 - primary]
        guard let core = other.core, core.role == .standby, let end = hosts.stores[1 - primary].end else {
            return false
        }
        return other.database.isBeginning(of: end.history)
            && end.mark.point.number <= core.position.number + 4
    }

    // MARK: - One host alone (W10)

    /// One host is gone: the other one says what is needed, and writes once an operator has said it.
    mutating func endure() -> String? {
        guard scenario.isOneGone, scenario.operators != .silent else { return nil }
        let gone = world.random.below(2)
        let here = 1 - gone
        world.isHealing = true
        // Some are left for when it comes back.
        world.commitLimit = 114
        endOutages()
        crash(gone)
        world.nodes[here].mend()
        world.nodes[gone].downUntil = .max
        if world.nodes[here].process == nil { start(here) }
        thaw(here)
        tell(here, .tick)
        let limit = world.time + 600 * SimulatedTime.second
        let goal = world.commitCount
        var patience = world.time + 30 * SimulatedTime.second
        while world.time < limit, violation == nil, world.commitCount == goal, goal < 114 {
            run(until: world.time + 3 * SimulatedTime.second)
            guard world.time >= patience, let core = world.nodes[here].core, core.role != .primary else { continue }
            patience = world.time + 90 * SimulatedTime.second
            // A word may be refused, or would be wrong.
            if core.memory.isReleasing { return violation }
            if core.role == .standby, case .asks(let word) = core.promotion {
                guard isRight(word, here) || scenario.operators == .any else { return violation }
                if core.need == nil { note("W10: nobody is told that a word is needed: \(world.summary)") }
                speak(here)
            }
            tell(here, .command(.promote(acceptLoss: false)))
        }
        guard world.commitCount > goal || violation != nil || goal >= 114 else {
            return "I8: alone, and no primary after a word: \(world.summary)"
        }
        return violation
    }
}
