import Cluster

/// An operator who lets the chain begin anew with the database of one host.
///
/// As in life all nodes are stopped, a database that is behind its own records is refused, and nobody goes back to the chain
/// before the chosen node has sealed. What its copy holds stands for the snapshot that bridges the gap.
extension SharedSimulation {
    /// Lets the chain begin anew, if the database of that node may count.
    mutating func beginAnew(_ index: Int) {
        guard let old = store.lease, let holds = held(by: index) else { return }
        for other in world.nodes.indices {
            crashAndRestart(other)
        }
        let begin = store.highest + 1000
        let database = world.nodes[index].database
        var lease = old
        (lease.epoch, lease.session, lease.node) = (
            old.epoch.next, SessionID(rawValue: world.random.next()), world.nodes[index].id
        )
        (lease.state, lease.successor, lease.counter) = (.free, nil, 1)
        lease.nonce = Nonce(high: world.random.next(), low: world.random.next())
        (lease.begin, lease.eligible) = (begin, [world.nodes[index].id])
        lease.continues = Lease.Continuation(since: old.begin, through: holds)
        lease.head = ChainPoint(number: begin, checksum: database.checksum)
        store.beginAnew(lease, database)
        found(index)
    }

    /// Up to where the database of a node holds the chain; `nil` where it is behind what its host has recorded.
    private func held(by index: Int) -> UInt64? {
        let node = world.nodes[index]
        let known = node.files.keys.sorted().reduce(into: [world.history(of: node.recorded)]) { states, number in
            if number == node.recorded.number + UInt64(states.count), let file = node.files[number] {
                states.append(file.history)
            }
        }
        if known.last.map({ $0.isBeginning(of: node.database) }) ?? false { return node.recorded.number }
        let isBehind = known.contains(node.database) || node.older.contains { $0.checksum == node.database.checksum }
        return isBehind ? nil : 0
    }

    /// Whatever that database holds is what the chain begins with.
    mutating func found(_ index: Int) {
        let database = world.nodes[index].database
        world.remember(database)
        world.nodes[index].recorded = ChainPoint(number: store.beginning, checksum: database.checksum)
        (world.nodes[index].files, world.nodes[index].intended, world.nodes[index].memory.isDemoted) = ([:], nil, false)
        store.found(with: database)
        // What the chosen database lacks is gone from the chain by an operator's word; it must be in a tail.
        world.acknowledged = History(commits: world.acknowledged.commits & database.commits)
    }

    /// Whether the chain is to begin with the database of this node, and has not begun.
    func isFounding(_ index: Int) -> Bool {
        store.isWaitingForSeal && world.nodes[index].recorded.number == store.beginning
            && store.lease?.eligible == [world.nodes[index].id]
    }
}
