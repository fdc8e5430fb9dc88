import Cluster

/// What is promised where more is lost than one disk or one power cut takes.
///
/// What was acknowledged lies in the store of the host that may take over, and in its writer's database. Whoever opens must
/// hold what at least one of the two has kept that it can look at: its database, and the store that it reads. No more can be
/// known: a store that has gone back, and still holds the head of the lease, looks as it did then; and where a power cut has
/// taken the rest of what that store held from the database, nothing on that host tells of it.
extension CrossedSimulation {
    var promisedHead: UInt64 { witness.lease.head.number }

    mutating func noteLoss() {
        // A store that has gone back behind the head alone is found out, and the other node has everything.
        guard scenario.isRollbackRecent || scenario.rollback > 0 && scenario.powerLoss > 0 else { return }
        for (index, node) in world.nodes.enumerated() {
            let isAuthor = witness.lease.origin?.node == node.id
            let kept = (hosts.stores[isAuthor ? 1 - index : index].end?.history ?? History()).union(node.database)
            excused[index] = excused[index].union(world.acknowledged.subtracting(kept))
        }
    }

    /// Whether something may have been lost for good, so that nobody opens without an operator's word.
    var mayLose: Bool {
        scenario.gone != nil || scenario.lossWord > 0 || scenario.rollback > 0 && scenario.powerLoss > 0
    }

    /// An operator lets the database count that holds most, of those that are there.
    mutating func acceptLoss() {
        let present = world.nodes.indices.filter { !world.nodes[$0].isGone }
        let chosen = present.max {
            world.nodes[$0].database.commits.nonzeroBitCount < world.nodes[$1].database.commits.nonzeroBitCount
        }
        if let chosen { acceptLoss(on: chosen) }
    }

    /// An operator's word, which may be rash: where nobody else writes, this node may go on as it is.
    mutating func acceptLoss(on index: Int) {
        guard let core = world.nodes[index].core, core.role != .primary else { return }
        // It counts for a while, on a clock that may be slow.
        (words[index], isWordRash[index]) = (world.time + 300 * SimulatedTime.second, !world.isHealing)
        world.say("an operator accepts a loss on host \(index + 1)")
        tell(index, .command(.promote(acceptLoss: true)))
    }

    /// A node opens; if that is by such a word, nobody asks for what its database lacks.
    mutating func forgive(_ index: Int) {
        guard world.time < words[index] else { return }
        let database = world.nodes[index].database
        world.acknowledged = world.acknowledged.intersection(database)
        world.protected = world.protected.intersection(database)
        (words[index], leftBehind[index]) = (0, promisedHead)
    }

    /// Whether a node may claim without reaching the head of the lease.
    func mayLeaveBehind(_ index: Int) -> Bool {
        world.time < words[index] || leftBehind[index] == witness.lease.head.number
    }
}
