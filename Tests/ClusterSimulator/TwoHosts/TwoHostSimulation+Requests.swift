import Cluster

extension TwoHostSimulation {
    /// The store that something about the chain goes to; a node's record lies in its own.
    func chainStore(for operation: Request.Operation, of index: Int) -> Int {
        switch operation {
        case .nodeRecord: index
        case .readNodeRecords: 1 - index
        default: world.nodes[index].site == .own ? index : 1 - index
        }
    }

    /// Draws what becomes of a request; one to the own host is never lost on its way.
    mutating func fate(of request: Request, isReachable: Bool) -> Fate {
        let isNear = request.store == request.node
        if !isReachable || !isNear && world.random.chance(scenario.lostRequest) { return .isLost }
        if world.random.chance(scenario.conflict), let conflict = request.conflict { return .conflicts(conflict) }
        guard world.random.chance(scenario.lostAnswer) || world.random.chance(scenario.late) else { return .arrives }
        guard world.random.chance(500) else { return .goesUnanswered }
        return .isLate(world.random.milliseconds(0...scenario.latest))
    }

    /// Whether a node's request reaches a store that takes it.
    func isReachable(_ store: Int, for request: Request) -> Bool {
        guard isUp(store), !request.operation.writes || world.time >= hosts.readOnlyUntil[store] else { return false }
        return store == request.node || world.time >= world.nodes[request.node].cutFromChain && isLinked
    }

    /// Whether the hosts see each other.
    var isLinked: Bool { world.time >= max(world.nodes[0].cutFromPeers, world.nodes[1].cutFromPeers) }

    mutating func reaches(_ from: Int, _ to: Int) -> Bool {
        world.isHealing || isUp(to) && isLinked && !world.random.chance(scenario.lostRequest)
    }

    /// Does what is asked of a store's chain, if its host is there.
    mutating func carryOut(_ request: Request, inStore store: Int) -> NodeEvent? {
        let ticket = request.ticket
        guard isUp(store) else {
            if request.isAnswered { hearNothing(of: request) }
            return nil
        }
        switch request.operation {
        case .survey(let place): return .surveyed(ticket, hosts.stores[store].survey(place))
        case .publish(let file):
            hosts.stores[store].publish(file)
            return .published(ticket, true)
        case .createWhole(let file):
            let answer = hosts.stores[store].put(file)
            switch answer {
            case .created, .exists(isSame: true, _): hosts.stores[store].publish(file)
            default: break
            }
            return .created(ticket, answer)
        default:
            let answer = hosts.stores[store].carryOut(request)
            return world.take(answer, of: request)
        }
    }

    /// A seal with all pages of a node's database.
    func wholeSeal(_ index: Int, _ epoch: Epoch, _ end: ChainPoint) -> SimulatedFile {
        SimulatedFile(
            number: end.number + 1,
            node: world.nodes[index].id,
            epoch: epoch,
            session: world.nodes[index].process?.core.session ?? SessionID(rawValue: 0),
            history: world.nodes[index].database,
            isWhole: true
        )
    }
}
