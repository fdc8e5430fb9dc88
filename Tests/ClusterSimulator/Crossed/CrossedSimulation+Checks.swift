import Cluster

/// What must hold (failover-review H).
extension CrossedSimulation {
    var violation: String? { world.broken ?? witness.violation ?? hosts.violation }

    var hasOneWriter: Bool { scenario.hasGoodClocks && !wasRash }

    mutating func check() { noteVanished(besides: hosts.stored) }

    /// The node that has opened last.
    private var living: Int? {
        world.nodes.firstIndex { $0.epoch == world.openedEpoch && world.openedEpoch > .zero }
    }

    mutating func checkAcceptance(_ index: Int, _ point: ChainPoint) {
        let isOld = world.nodes[index].epoch < world.openedEpoch
        if !wasRash, isOld, let living, living != index {
            // A power cut may have taken from its database what lies in the store that it has shipped to.
            let shipped = hosts.stores[1 - living].end?.history ?? History()
            let living = world.nodes[living].database.union(shipped)
            if !world.acknowledged.subtracting(living).isEmpty {
                note("I4: a superseded writer had a commit acknowledged as replicated")
            }
        }
        if hosts.stores[1 - index].apart.contains(point.number) {
            note("I4: \(point.number) was acknowledged, and lies in a store that has lost what was before it")
        }
        // Its disk has gone back with what is acknowledged only now.
        if !hosts.stores[1 - index].holds(point) { hosts.stores[1 - index].noteRollback(through: point.number) }
        // Or all that was committed lies there again.
        if hosts.stores[1 - index].isRolledBack { noteLoss() } else { excused[1 - index] = History() }
    }

    mutating func checkOpening(_ index: Int, _ epoch: Epoch) {
        forgive(index)
        let database = world.nodes[index].database
        let missing = world.acknowledged.subtracting(database)
        // From here on that is in a tail at best.
        world.acknowledged = world.acknowledged.subtracting(missing)
        if witness.lease.origin?.epoch != epoch { note("I7: opened before the witness named it") }
        defer { excused[index] = History() }
        guard !wasRash else { return }
        if !missing.subtracting(excused[index]).isEmpty {
            note("I4: opened without a commit that was acknowledged as replicated: \(missing)")
        }
        if !world.protected.subtracting(world.lost).subtracting(database).isEmpty {
            note("I10: opened by itself without a commit that was accepted while it was off the list")
        }
    }

    /// Whoever may take over can reach the head: with its own store, or, if the history goes on with its database, with that
    /// and the peer's store. A store that has lost something is found out by its claimant, or by the primary.
    mutating func checkCandidates() {
        let lease = witness.lease
        guard !wasRash, lease.head.number > 0 else { return }
        let head = world.history(of: lease.head).subtracting(world.lost)
        for (index, node) in world.nodes.enumerated() where lease.eligible.contains(node.id) {
            let isAuthor = lease.origin?.node == node.id
            let store = hosts.stores[isAuthor ? 1 - index : index]
            guard !store.isRolledBack, !mayLeaveBehind(index), !isLeftByBoth(index, isAuthor) else { continue }
            let end = store.newest()
            let reached = (end?.history ?? History()).union(isAuthor ? node.database : History())
            if !head.subtracting(reached).isEmpty || !isAuthor && end?.mark.point.number ?? 0 < lease.head.number {
                note("I9: node \(index + 1) may claim, and cannot reach the head \(lease.head.number)")
            }
        }
    }

    /// Whether a power cut has taken from the writer's database what its own store, which has gone back, held of it.
    private func isLeftByBoth(_ index: Int, _ isAuthor: Bool) -> Bool {
        isAuthor && hosts.stores[index].isRolledBack && world.nodes[index].process?.core.memory.owes ?? 0 > 0
    }

    // MARK: - When all is well

    /// Whether one node writes and ships, and the other follows and may take over; who is there alone writes, and ships where
    /// it can.
    func isWell(since commits: Int) -> Bool {
        let primary = world.nodes.indices.first {
            world.nodes[$0].process?.core.role == .primary && world.nodes[$0].isOpen
        }
        guard let primary else { return false }
        let other = world.nodes[1 - primary]
        guard isUp(1 - primary) else {
            return world.commitCount > commits && witness.lease.eligible == [world.nodes[primary].id]
        }
        guard hasShipped(since: commits) else { return false }
        if other.isGone { return true }
        guard let core = other.core, core.role == .standby, let end = hosts.stores[1 - primary].end else {
            return false
        }
        return other.database.isBeginning(of: end.history) && end.mark.point.number <= core.position.number + 4
            && witness.lease.eligible.count == 2
    }
}
