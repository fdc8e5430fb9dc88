import Cluster

/// Some nodes that share a store, in which the lease lies as well (the model Log).
struct SharedSimulation: Simulation {
    /// What happens at the store without a node that waits for it.
    enum Incident {
        case write(SharedStore.Merged)
        case delete(UInt64)
    }

    var world: World<Incident>
    let scenario: SharedScenario
    var store = SharedStore()
    var outageUntil: Int64 = 0

    init(seed: UInt64, leavingOut rule: ProtocolRule?, isHard: Bool, traced: Bool) {
        world = World(seed: seed, leavingOut: rule, traced: traced)
        var scenario = SharedScenario(from: &world.random)
        if isHard { scenario.harden(&world.random) }
        if let rule { scenario.bringOut(rule, &world.random) }
        // Rare in life: in some of the runs, and never where something else is to be brought out.
        if rule == nil, seed.isMultiple(of: 4) { scenario.anew = 30 }
        self.scenario = scenario
        world.addNodes(scenario.nodeCount, hasGoodClocks: scenario.hasGoodClocks)
        store.begin(.first(eligible: world.nodes.map(\.id)))
        begin()
    }

    func adapt(_ settings: inout NodeSettings) { settings.holdDownLimit = scenario.holdDownLimit }

    mutating func happen(_ incident: Incident) {
        switch incident {
        case .write(let file): store.write(file)
        case .delete(let number): store.delete(number)
        }
    }

    mutating func endOutages() { outageUntil = 0 }

    mutating func comeBack() -> Bool { false }

    /// Whoever was demoted, or is not on the list, waits for a word; it is given once.
    mutating func sayWord(_ round: Int) {
        guard round == 1 else { return }
        tell(world.nodes.indices.first { isFounding($0) } ?? 0, .command(.promote(acceptLoss: true)))
    }

    // MARK: - What actions mean

    mutating func perform(_ index: Int, _ action: NodeAction) {
        switch action {
        case .examine:
            if isFounding(index) { found(index) }
            performAlike(index, action)
        case .open(let epoch, let seal):
            checkOpening(index, epoch, seal)
            performAlike(index, action)
            store.openedEpoch = world.openedEpoch
        case .answerPromise(_, let granted):
            performAlike(index, action)
            if granted { crashSoon(index, scenario.crashOnPromise, within: 500) }
        case .roleChanged(.claiming): crashSoon(index, scenario.crashOnClaim, within: 2_000)
        case .roleChanged(.claimed): stall(index)
        default: performAlike(index, action)
        }
    }

    func restored(by index: Int) -> (end: ChainEnd, history: History)? {
        let newest = store.newest()
        guard newest.number > store.beginning || store.beginning == 0 else { return nil }
        let point = ChainPoint(number: newest.number, checksum: newest.history.checksum)
        return (ChainEnd(point: point, epoch: newest.epoch), newest.history)
    }

    mutating func transactionLength() -> Int { world.random.chance(100) ? scenario.longestTransaction : 50 }

    // MARK: - What must hold

    var violation: String? { world.broken ?? store.violation }

    var hasOneWriter: Bool { scenario.hasGoodClocks }

    mutating func check() {
        let stored = store.end?.history ?? History()
        noteVanished(besides: stored)
        if !world.acknowledged.subtracting(stored).isEmpty {
            note("I4: acknowledged as replicated and not in the chain")
        }
    }

    private mutating func checkOpening(_ index: Int, _ epoch: Epoch, _ seal: ChainPoint) {
        let node = world.nodes[index]
        if let file = store.created[seal.number], file.mark.epoch == epoch, file.session == node.process?.core.session {
            if !file.history.isBeginning(of: node.database) {
                note("I7: opened on a database that is not the sealed one")
            }
        } else if !world.leftOut.contains(.noSeal) {
            note("I7: opened without its own seal in the chain")
        }
        if store.end?.mark.epoch == epoch, !world.acknowledged.subtracting(node.database).isEmpty {
            note("I4: opened without a commit that was acknowledged as replicated")
        }
    }

    /// Whether there is one primary that ships new commits, and everybody holds what the chain holds.
    func isWell(since commits: Int) -> Bool {
        guard let end = store.end, hasShipped(since: commits) else { return false }
        let primaries = world.nodes.filter { $0.process?.core.role == .primary && $0.isOpen }
        guard primaries.count == 1 else { return false }
        return world.nodes.allSatisfy { node in
            node.process?.core.role == .primary
                || node.process?.core.role == .standby && node.database.isBeginning(of: end.history)
                    && end.mark.point.number <= (node.process?.core.position.number ?? 0) + 4
        }
    }
}
