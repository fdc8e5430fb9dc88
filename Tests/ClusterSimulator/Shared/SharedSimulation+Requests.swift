import Cluster

/// All requests go to the store.
extension SharedSimulation {
    func store(for operation: Request.Operation, of index: Int) -> Int? { 0 }

    mutating func fate(of request: Request) -> Fate {
        let node = world.nodes[request.node]
        let end = request.operation.concernsLease ? node.cutFromLease : node.cutFromChain
        let isAway = world.time < max(outageUntil, node.cutFromStore, end)
        let isTroubled = !scenario.isOneSided || request.node == 0
        let losesAnswer =
            isTroubled && world.random.chance(scenario.lostAnswer)
            || request.operation.isClaim && world.random.chance(scenario.lostClaimAnswer)
        if isAway || isTroubled && world.random.chance(scenario.lostRequest) { return .isLost }
        if world.random.chance(scenario.conflict), let conflict = request.conflict { return .conflicts(conflict) }
        if losesAnswer { return .goesUnanswered }
        guard world.random.chance(scenario.late) else { return .arrives }
        return .isLate(world.random.milliseconds(0...scenario.latest))
    }

    mutating func reaches(_ from: Int, _ to: Int) -> Bool {
        if world.isHealing { return true }
        return world.time >= max(world.nodes[from].cutFromPeers, world.nodes[to].cutFromPeers)
            && !world.random.chance(scenario.lostRequest)
    }

    mutating func carryOut(_ request: Request) -> NodeEvent? {
        let ticket = request.ticket
        switch request.operation {
        case .readLease: return .leaseRead(ticket, store.lease.map { .body($0, store.version) } ?? .absent)
        case .swap(let body, let condition):
            let isDone = store.swap(body, condition: condition)
            return .leaseSwapped(ticket, isDone ? .swapped(store.version) : .refused)
        case .overwrite(let body):
            store.overwrite(body)
            return .leaseSwapped(ticket, .swapped(store.version))
        case .deleteLease:
            store.deleteLease()
            return .leaseSwapped(ticket, .swapped(store.version))
        case .fetch, .fetchMerged, .create, .record, .nodeRecord, .readNodeRecords:
            return world.take(store.carryOut(request), of: request)
        // Nodes that share a store never ask for them.
        case .survey, .publish, .readCell, .swapCell, .createWhole: return nil
        }
    }
}
