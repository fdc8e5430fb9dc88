import Cluster

extension TwoHostSimulation {
    /// Keeps what the disks may go back to.
    mutating func keepImages() {
        guard scenario.rollback > 0 else { return }
        for index in hosts.stores.indices where hosts.images[index].last?.highest != hosts.stores[index].highest {
            hosts.images[index].append(hosts.stores[index])
        }
    }

    /// Draws what becomes of a host that is there, and of its process.
    mutating func strike(_ index: Int) {
        let isRunning = world.nodes[index].process != nil
        if world.random.chance(scenario.hostDown), isUp(1 - index) || world.random.chance(200) {
            hostDown(index)
        } else if isRunning, world.random.chance(scenario.crash) {
            crashAndRestart(index)
        } else if isRunning, hosts.stores[1 - index].end != nil, world.random.chance(scenario.powerLoss) {
            // What no store is known to have a power cut may take, or leave as a state that only a tail can hold.
            let (database, known) = (world.nodes[index].database, world.nodes[index].recorded)
            let place = hosts.stores[1 - index].created[known.number].flatMap { $0.mark.point == known ? $0 : nil }
            let stored = place?.history ?? hosts.stores[1 - index].end?.history ?? History()
            world.protected = world.protected.subtracting(database.subtracting(stored))
            powerLoss(index)
            noteLoss()
        } else if isRunning, world.nodes[index].frozenUntil <= world.time, world.random.chance(scenario.freeze) {
            freeze(index, for: world.random.milliseconds(10...scenario.longestFreeze))
        }
    }

    /// A node does not come back, perhaps with its host.
    mutating func leaveForGood(_ gone: Gone) {
        let index = world.random.below(2)
        crash(index)
        world.nodes[index].isGone = true
        // Some are left for when it comes back.
        world.commitLimit = 114
        if gone == .host { world.nodes[index].downUntil = .max }
        world.say("\(gone) \(index + 1) is gone for good")
    }

    mutating func comeBack() -> Bool {
        guard let index = world.nodes.firstIndex(where: \.isGone) else { return false }
        (world.nodes[index].isGone, world.nodes[index].downUntil, world.commitLimit) = (false, 0, 127)
        world.say("node \(index + 1) comes back")
        start(index)
        return true
    }

    mutating func cutLength() -> Int64 { world.random.milliseconds(10...scenario.longestCut) }

    // MARK: - Hosts

    /// A host goes down with its node and its store.
    private mutating func hostDown(_ index: Int) {
        crash(index)
        // A disk that goes back takes longer than a look at what was accepted is apart (G6).
        let shortest = scenario.rollback > 0 ? 15_000 : 1_000
        let length = world.random.milliseconds(shortest...max(shortest + 1, 2 * scenario.longestCut))
        world.nodes[index].downUntil = world.time + length
        world.say("host \(index + 1) goes down")
        world.queue.add(.incident(.hostUp(index)), at: world.nodes[index].downUntil)
    }

    mutating func hostUp(_ index: Int) {
        guard isUp(index) else { return }
        if !world.isHealing, world.random.chance(scenario.rollback) { rollBack(index) }
        if world.nodes[index].process == nil { start(index) }
    }

    /// A host's disk is an older one.
    private mutating func rollBack(_ index: Int) {
        let limit = scenario.isRollbackRecent ? hosts.stores[index].highest : promisedHead
        let older = hosts.images[index].filter { $0.highest > 0 && $0.highest < limit }.suffix(8)
        guard !older.isEmpty else { return }
        var image = older[older.startIndex + world.random.below(older.count)]
        let kept = image.end?.history ?? History()
        let relied = world.acknowledged.intersection(hosts.stores[index].end?.history ?? History())
        let author = world.nodes[1 - index].recorded
        let isNoticed = image.highest < max(promisedHead, author.number) || !image.holds(author)
        // What nobody was told of may be missing.
        if !hosts.stores[index].isRolledBack, !isNoticed, relied.subtracting(kept).isEmpty {
            world.say("store \(index + 1) loses what is not known to be in it")
        } else {
            image.noteRollback(through: max(hosts.stores[index].highest, hosts.stores[index].lostThrough))
        }
        hosts.stores[index] = image
        noteLoss()
        world.say("store \(index + 1) goes back to \(image.highest)")
    }

    // MARK: - Beside the chain

    /// The primary makes a snapshot of what the other store has accepted.
    mutating func snapshot(_ index: Int) {
        let node = world.nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= world.time else { return }
        let (end, store) = (core.mergeableThrough, 1 - index)
        guard end.number > 1, let there = hosts.stores[store].created[end.number], there.mark.point == end else {
            return
        }
        world.add(.incident(.publish(store: store, there)), in: 1...(world.random.chance(200) ? 20_000 : 100))
    }

    /// The primary deletes level-0 files that it may delete.
    mutating func retain(_ index: Int) {
        let node = world.nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= world.time else { return }
        let limit = core.deletableBelow(at: node.localTime(at: world.time))
        let store = 1 - index
        for number in hosts.stores[store].present.sorted() where number < limit && number >= 1 {
            guard hosts.stores[store].isCovered(number), world.random.chance(700) else { continue }
            let longest = world.random.chance(200) ? 20_000 : 100
            world.add(.incident(.delete(store: store, number)), in: 1...longest)
        }
    }
}
