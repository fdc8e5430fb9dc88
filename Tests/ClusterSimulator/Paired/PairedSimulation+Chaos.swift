import Cluster

/// What goes wrong between two hosts without a witness.
extension PairedSimulation {
    /// What was applied is synced (N10), so that a power cut takes only what this node has committed since.
    ///
    /// If it takes more all the same, it leaves a place on record: of any other one nobody can tell on which side of the
    /// store's newest file it lies, and the tail is all that is promised then. The model knows it by what databases hold.
    func afterPowerLoss(_ index: Int, _ cut: History) -> History {
        let node = world.nodes[index]
        guard !node.synced.isBeginning(of: cut) else { return cut }
        let places = (node.older + [node.recorded]).map { world.history(of: $0) }
        return places.last { $0.isBeginning(of: cut) } ?? node.synced
    }

    mutating func chaos() {
        for index in world.nodes.indices where isUp(index) {
            strike(index)
            if world.random.chance(scenario.readOnly) { hosts.readOnlyUntil[index] = world.time + cutLength() }
            if world.random.chance(scenario.storeCut) { world.nodes[index].cutFromChain = world.time + cutLength() }
            if world.random.chance(scenario.command) { command(index, successors: [world.nodes[1 - index].id]) }
            if scenario.operators != .silent, world.random.chance(scenario.word) { speak(index) }
            if world.random.chance(scenario.snapshot) { snapshot(index) }
            if world.random.chance(scenario.retention) {
                tell(index, .retentionDue)
                retain(index)
            }
        }
        if world.random.chance(scenario.linkCut) { world.nodes[0].cutFromPeers = world.time + cutLength() }
    }

    /// Disks do not go back: a cell would go back with them.
    var promisedHead: UInt64 { 0 }

    mutating func noteLoss() {}

    /// A node lets go; perhaps that lands when the hosts have lost sight of each other, and the peer's process is away.
    mutating func letGo(_ index: Int, _ ticket: Ticket, _ swap: Request.Operation) {
        words.hasLetGo.insert(index)
        guard !world.isHealing, world.random.chance(scenario.cutAtRelease), world.nodes[1 - index].process != nil else {
            return send(index, ticket, swap)
        }
        var request = Request(
            node: index,
            life: world.nodes[index].life,
            ticket: ticket,
            operation: swap,
            store: 1 - index
        )
        request.isAnswered = false
        let length = cutLength()
        world.queue.add(.land(request), at: world.time + length)
        hearNothing(of: request)
        world.nodes[0].cutFromPeers = world.time + 2 * length
        crashAndRestart(1 - index)
    }
}
