import Cluster

/// Two hosts with a store and a cell each, and no witness (the model Pair).
struct PairedSimulation: TwoHostSimulation {
    var world: World<HostIncident>
    let scenario: PairedScenario
    var hosts = Hosts()
    var cells: [SimulatedCell]
    var words = OperatorsWords()
    /// The newest epoch that opened, and each node's own.
    var opened = EpochStamp.zero
    var epochs = [EpochStamp.zero, .zero]

    init(seed: UInt64, leavingOut rule: ProtocolRule?, isHard: Bool, traced: Bool) {
        world = World(seed: seed, leavingOut: rule, traced: traced)
        var scenario = PairedScenario(from: &world.random)
        if isHard { scenario.harden(&world.random) }
        if let rule { scenario.bringOut(rule) }
        self.scenario = scenario
        world.addNodes(2, hasGoodClocks: false)
        let first = world.nodes[0].id
        // As it is founded: the first node's right lies in the second one's store.
        cells = [.moved, .held].map { SimulatedCell(.firstCell(of: first, $0)) }
        for index in world.nodes.indices { hosts.stores[index].followsBases = true }
        begin()
    }

    func adapt(_ settings: inout NodeSettings) { settings.topology = .paired }

    mutating func endOutages() { hosts.readOnlyUntil = [0, 0] }

    /// Whoever was demoted waits for a word.
    mutating func sayWord(_ round: Int) {
        for index in world.nodes.indices { tell(index, .command(.promote(acceptLoss: false))) }
    }

    // MARK: - Where requests go

    func store(for operation: Request.Operation, of index: Int) -> Int? {
        switch operation {
        case .readCell(let site), .swapCell(let site, _, _): site == .own ? index : 1 - index
        default: chainStore(for: operation, of: index)
        }
    }

    mutating func fate(of request: Request) -> Fate {
        fate(of: request, isReachable: request.store.map { isReachable($0, for: request) } ?? false)
    }

    mutating func carryOut(_ request: Request) -> NodeEvent? {
        guard let store = request.store else { return nil }
        guard isUp(store) else { return carryOut(request, inStore: store) }
        let ticket = request.ticket
        switch request.operation {
        case .readCell(let site): return .cellRead(ticket, site, .body(cells[store].lease, cells[store].version))
        case .swapCell(let site, let body, let condition):
            let isDone = cells[store].swap(body, condition: condition, at: world.time)
            check()
            return .cellSwapped(ticket, site, isDone ? .swapped(cells[store].version) : .refused)
        case .createWhole:
            defer { check() }
            return carryOut(request, inStore: store)
        case .survey:
            // What it tells of the end is known to whoever hears it.
            if let end = hosts.stores[store].end { world.remember(end.history) }
            return carryOut(request, inStore: store)
        default: return carryOut(request, inStore: store)
        }
    }

    // MARK: - What actions mean

    mutating func perform(_ index: Int, _ action: NodeAction) {
        switch action {
        case .readCell(let ticket, let site): send(index, ticket, .readCell(site))
        case .swapCell(let ticket, let site, let body, let condition):
            if world.nodes[index].process?.core.role == .claiming { words.claimed(index, body.stamp) }
            let swap = Request.Operation.swapCell(site, body, condition)
            if body.state == .free || body.state == .handoff {
                letGo(index, ticket, swap)
            } else {
                send(index, ticket, swap)
            }
        case .createWholeSeal(let ticket, let epoch, let end):
            send(index, ticket, .createWhole(wholeSeal(index, epoch, end)))
        case .upload(_, let mark):
            noteBase(index, mark.point.number)
            performAlike(index, action)
        case .createCopy(let ticket, let epoch, let number): createCopy(index, ticket, epoch, number)
        case .captureAll(let ticket): captureAll(index, ticket)
        case .endWrites(let ticket, _) where isCaptureFailing():
            world.add(.captured(index, life: world.nodes[index].life, .writesEnded(ticket)), in: 1000...4000)
        case .examine(let ticket):
            // A process that runs has not claimed by the word that was told to the other one.
            words.runs(index)
            world.deliver(.examined(ticket, examined(index)), to: index, in: 1...scenario.longestExamination)
        case .apply, .rewind:
            let before = world.nodes[index].database
            performAlike(index, action)
            noteLeft(index, before.subtracting(world.nodes[index].database))
        case .accepted:
            performAlike(index, action)
            checkAcceptance(index)
        case .open(let epoch, _):
            checkOpening(index, EpochStamp(epoch: epoch, node: world.nodes[index].id))
            performAlike(index, action)
        case .roleChanged(.claimed): crashSoon(index, scenario.crashOnClaim, within: 2000)
        default: performAlike(index, action)
        }
    }

    private mutating func isCaptureFailing() -> Bool {
        !world.isHealing && world.random.chance(scenario.captureFailure)
    }

    /// What a file was made from is the file before it, or what the store accepted last.
    private mutating func noteBase(_ index: Int, _ number: UInt64) {
        let node = world.nodes[index]
        guard let file = node.files[number], !file.isWhole, file.base == nil else { return }
        let accepted = node.recorded.number == number - 1 ? world.history(of: node.recorded) : nil
        world.nodes[index].files[number]?.base = node.files[number - 1]?.history ?? accepted
    }

    /// What was applied and is not on record yet is no own transaction.
    private mutating func examined(_ index: Int) -> DatabaseFinding {
        var finding = examine(index)
        if let intended = finding.intended, intended.checksum == finding.checksum, intended != finding.recorded {
            finding.ahead = []
            world.nodes[index].files = [:]
        }
        return finding
    }

    func restored(by index: Int) -> (end: ChainEnd, history: History)? {
        let store = world.nodes[index].site == .own ? index : 1 - index
        let isSeen = store == index || isUp(store) && (world.isHealing || isLinked)
        guard isSeen, let newest = hosts.stores[store].newest() else { return nil }
        let end = ChainEnd(point: newest.mark.point, epoch: newest.mark.epoch, node: newest.mark.node)
        return (end, newest.history)
    }
}
