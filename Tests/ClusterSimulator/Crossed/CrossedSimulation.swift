import Cluster

/// Two hosts with a store each, and a witness in which the lease lies (the model Duo).
struct CrossedSimulation: TwoHostSimulation {
    var world: World<HostIncident>
    let scenario: CrossedScenario
    var hosts = Hosts()
    var witness: SimulatedWitness
    var witnessOutageUntil: Int64 = 0

    init(seed: UInt64, leavingOut rule: ProtocolRule?, traced: Bool) {
        world = World(seed: seed, leavingOut: rule, traced: traced)
        var scenario = CrossedScenario(from: &world.random)
        if let rule { scenario.bringOut(rule) }
        self.scenario = scenario
        world.addNodes(2, hasGoodClocks: scenario.hasGoodClocks)
        let first = world.nodes[0].id
        let origin = Lease.Origin(epoch: .zero, node: first, first: 0)
        witness = SimulatedWitness(.first(eligible: [first], origin: origin))
        begin()
    }

    func adapt(_ settings: inout NodeSettings) { (settings.topology, settings.holdDownLimit) = (.crossed, nil) }

    mutating func endOutages() { (witnessOutageUntil, hosts.readOnlyUntil) = (0, [0, 0]) }

    /// Whoever was demoted waits for a word.
    mutating func sayWord(_ round: Int) {
        for index in world.nodes.indices { tell(index, .command(.promote(acceptLoss: false))) }
    }

    // MARK: - Where requests go

    func store(for operation: Request.Operation, of index: Int) -> Int? {
        operation.concernsLease ? nil : chainStore(for: operation, of: index)
    }

    mutating func fate(of request: Request) -> Fate {
        let sight = max(witnessOutageUntil, world.nodes[request.node].cutFromLease)
        let isReachable = request.store.map { self.isReachable($0, for: request) } ?? (world.time >= sight)
        return fate(of: request, isReachable: isReachable)
    }

    mutating func carryOut(_ request: Request) -> NodeEvent? {
        if let store = request.store { return carryOut(request, inStore: store) }
        switch request.operation {
        case .readLease: return .leaseRead(request.ticket, .body(witness.lease, witness.version))
        case .swap(let body, let condition):
            let isDone = witness.swap(body, condition: condition, at: world.time)
            return .leaseSwapped(request.ticket, isDone ? .swapped(witness.version) : .refused)
        default: return nil
        }
    }

    // MARK: - What actions mean

    mutating func perform(_ index: Int, _ action: NodeAction) {
        switch action {
        case .createCopy(let ticket, let epoch, let number): createCopy(index, ticket, epoch, number)
        case .accepted:
            performAlike(index, action)
            checkAcceptance(index)
        case .open(let epoch, _):
            if witness.lease.epoch == epoch { checkOpening(index, epoch) }
            performAlike(index, action)
        case .roleChanged(.claimed): crashSoon(index, scenario.crashOnClaim, within: 200)
        default: performAlike(index, action)
        }
    }

    func restored(by index: Int) -> (end: ChainEnd, history: History)? {
        let store = world.nodes[index].site == .own ? index : 1 - index
        let isThere = store == index || world.isHealing || isUp(store) && isLinked
        guard isThere, let newest = hosts.stores[store].newest() else { return nil }
        let origin = witness.lease.origin
        guard origin?.node == world.nodes[index].id || newest.mark.point.number >= origin?.first ?? 0 else {
            return nil
        }
        return (ChainEnd(point: newest.mark.point, epoch: newest.mark.epoch), newest.history)
    }

    // MARK: - What goes wrong

    mutating func chaos() {
        keepImages()
        for index in world.nodes.indices where isUp(index) {
            strike(index)
            if world.random.chance(scenario.witnessCut) {
                world.nodes[index].cutFromLease = world.time + cutLength()
            }
            if world.random.chance(scenario.readOnly) { hosts.readOnlyUntil[index] = world.time + cutLength() }
            if world.random.chance(scenario.storeCut) { world.nodes[index].cutFromChain = world.time + cutLength() }
            if world.random.chance(scenario.command) { command(index, successors: [world.nodes[1 - index].id]) }
            if world.random.chance(scenario.snapshot) { snapshot(index) }
            if world.random.chance(scenario.retention) { retain(index) }
        }
        if world.random.chance(scenario.linkCut) { world.nodes[0].cutFromPeers = world.time + cutLength() }
        if world.random.chance(scenario.witnessCut / 2) { witnessOutageUntil = world.time + cutLength() }
    }

    /// A disk comes back behind the last renewal.
    var promisedHead: UInt64 { witness.lease.head.number }

    // MARK: - What must hold

    var violation: String? { world.broken ?? witness.violation ?? hosts.violation }

    /// The node that has opened last.
    private var living: Int? {
        world.nodes.firstIndex { $0.epoch == world.openedEpoch && world.openedEpoch > .zero }
    }

    private mutating func checkAcceptance(_ index: Int) {
        if world.nodes[index].epoch < world.openedEpoch, let living, living != index,
            !world.acknowledged.subtracting(world.nodes[living].database).isEmpty
        {
            note("I4: a superseded writer had a commit acknowledged as replicated")
        }
    }

    private mutating func checkOpening(_ index: Int, _ epoch: Epoch) {
        let database = world.nodes[index].database
        if !world.acknowledged.subtracting(database).isEmpty {
            note("I4: opened without a commit that was acknowledged as replicated")
        }
        if !world.protected.subtracting(world.lost).subtracting(database).isEmpty {
            note("I10: opened by itself without a commit that was accepted while it was off the list")
        }
        if witness.lease.origin?.epoch != epoch { note("I7: opened before the witness named it") }
    }

    /// Whether one node writes and ships, and the other follows and may take over.
    func isWell(since commits: Int) -> Bool {
        guard hasShipped(since: commits), witness.lease.eligible.count == 2 else { return false }
        let primary = world.nodes.indices.first { world.nodes[$0].core?.role == .primary && world.nodes[$0].isOpen }
        guard let primary else { return false }
        let other = world.nodes[1 - primary]
        guard let core = other.core, core.role == .standby, let end = hosts.stores[1 - primary].end else {
            return false
        }
        return other.database.isBeginning(of: end.history) && end.mark.point.number - core.position.number <= 4
    }
}
