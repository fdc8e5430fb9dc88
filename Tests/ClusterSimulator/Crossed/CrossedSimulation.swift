import Cluster

/// Two hosts with a store each, and a witness in which the lease lies (the model Duo).
struct CrossedSimulation: TwoHostSimulation {
    var world: World<HostIncident>
    let scenario: CrossedScenario
    var hosts = Hosts()
    var witness: SimulatedWitness
    var witnessOutageUntil: Int64 = 0
    /// What each node need not know of when it opens: nothing that it can look at has kept it.
    var excused = [History(), History()]
    /// Until when each node may open because of an operator's word that a loss is accepted.
    var words: [Int64] = [0, 0]
    /// Whether the other may have gone on when it was said.
    var isWordRash = [false, false]
    /// The heads without which they have opened, by such a word.
    var leftBehind: [UInt64?] = [nil, nil]
    /// Somebody has claimed by a rash word: nothing is promised any more but that all is kept.
    var wasRash = false

    init(seed: UInt64, leavingOut rule: ProtocolRule?, isHard: Bool, traced: Bool) {
        world = World(seed: seed, leavingOut: rule, traced: traced)
        var scenario = CrossedScenario(from: &world.random)
        if isHard { scenario.harden(&world.random) }
        if let rule { scenario.bringOut(rule) }
        self.scenario = scenario
        world.addNodes(2, hasGoodClocks: scenario.hasGoodClocks)
        let first = world.nodes[0].id
        let origin = Lease.Origin(epoch: .zero, node: first, first: 0)
        witness = SimulatedWitness(.first(eligible: [first], origin: origin))
        begin()
    }

    func adapt(_ settings: inout NodeSettings) { (settings.topology, settings.holdDownLimit) = (.crossed, nil) }

    mutating func endOutages() {
        (witnessOutageUntil, hosts.readOnlyUntil) = (0, [0, 0])
        if let gone = scenario.gone { leaveForGood(gone) }
    }

    /// Whoever was demoted waits for a word; where that is not enough, an operator accepts a loss.
    mutating func sayWord(_ round: Int) {
        if round > 2, mayLose { return acceptLoss() }
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
        defer { checkCandidates() }
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
        case .createWholeSeal(let ticket, let epoch, let end):
            send(index, ticket, .createWhole(wholeSeal(index, epoch, end)))
        case .captureAll(let ticket): captureAll(index, ticket)
        case .accepted(let point):
            performAlike(index, action)
            checkAcceptance(index, point)
        case .open(let epoch, _):
            if witness.lease.epoch == epoch { checkOpening(index, epoch) }
            performAlike(index, action)
        case .roleChanged(.claimed):
            if world.time < words[index], isWordRash[index] { wasRash = true }
            crashSoon(index, scenario.crashOnClaim, within: 200)
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
        if world.random.chance(scenario.lossWord) { acceptLoss(on: world.random.below(2)) }
        if world.random.chance(scenario.linkCut) { world.nodes[0].cutFromPeers = world.time + cutLength() }
        if world.random.chance(scenario.witnessCut / 2) { witnessOutageUntil = world.time + cutLength() }
    }
}
