import Cluster

/// What goes wrong with nodes that share a store, and what is done to the store beside the nodes' requests.
extension SharedSimulation {
    mutating func chaos() {
        for index in world.nodes.indices {
            let isRunning = world.nodes[index].process != nil
            let (mayCrash, mayFreeze) = (!scenario.isOneSided || index > 0, !scenario.isOneSided || index == 0)
            if isRunning, mayCrash, world.random.chance(scenario.crash) {
                crashAndRestart(index)
            } else if isRunning, mayCrash, world.random.chance(scenario.powerLoss) {
                powerLoss(index)
            } else if isRunning, mayFreeze, world.nodes[index].frozenUntil <= world.time,
                world.random.chance(scenario.freeze)
            {
                let length = world.random.chance(100) ? scenario.longestFreeze : 20_000
                freeze(index, for: world.random.milliseconds(10...length))
            }
            if !scenario.isOneSided || index == 0 { cut(index) }
            if world.random.chance(scenario.command) { command(index, successors: world.nodes.map(\.id)) }
            if world.random.chance(scenario.bypass) { bypass(index) }
            if world.random.chance(scenario.merge) { merge(index) }
            if world.random.chance(scenario.retention) { retain(index) }
        }
        if scenario.ambush > 0 { ambush() }
        if scenario.anew > 0, world.random.chance(scenario.anew) { beginAnew(world.random.below(world.nodes.count)) }
        if world.random.chance(scenario.storeOutage) {
            outageUntil = world.time + world.random.milliseconds(10...30_000)
        }
    }

    /// The first node sleeps for about as long as a lease lasts, and sees nothing of it afterwards; once that is over it gets
    /// the lease back, for the next time.
    private mutating func ambush() {
        guard world.nodes[0].frozenUntil <= world.time, world.time >= world.nodes[0].cutFromLease else { return }
        if world.nodes[0].process?.core.role == .primary {
            guard world.nodes[0].isOpen, world.random.chance(scenario.ambush) else { return }
            let length = world.random.milliseconds(4_000...8_500)
            freeze(0, for: length)
            world.nodes[0].cutFromLease = world.time + length + world.random.milliseconds(4_000...10_000)
        } else if world.nodes[1].process?.core.role == .primary {
            tell(1, .command(.switchover(to: world.nodes[0].id)))
        }
    }

    /// A node that has just won the lease stands still, and may see nothing of it afterwards.
    mutating func stall(_ index: Int) {
        guard !world.isHealing, !scenario.isOneSided || index == 0, world.random.chance(scenario.stalledClaim) else {
            return
        }
        let length = world.random.milliseconds((scenario.isOneSided ? 7_000 : 500)...20_000)
        freeze(index, for: length)
        if scenario.isOneSided || world.random.chance(500) {
            world.nodes[index].cutFromLease = world.time + length + world.random.milliseconds(0...10_000)
        }
    }

    private mutating func cut(_ index: Int) {
        if world.random.chance(scenario.cut) { world.nodes[index].cutFromStore = world.time + cutLength() }
        if world.random.chance(scenario.cut) { world.nodes[index].cutFromPeers = world.time + cutLength() }
        if world.random.chance(scenario.leaseCut) { world.nodes[index].cutFromLease = world.time + cutLength() }
        if world.random.chance(scenario.chainCut) { world.nodes[index].cutFromChain = world.time + cutLength() }
    }

    private mutating func cutLength() -> Int64 { world.random.milliseconds(10...scenario.longestCut) }

    /// Something writes to the file past the gate, where no lock keeps it out.
    private mutating func bypass(_ index: Int) {
        guard world.commitCount < 100, !world.nodes[index].isOpen,
            world.nodes[index].process == nil || !world.nodes[index].isLocked
        else {
            return
        }
        write(index)
    }

    /// The primary merges what is accepted.
    private mutating func merge(_ index: Int) {
        let node = world.nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= world.time else { return }
        let end = core.mergeableThrough
        guard end.number > 1 else { return }
        let isSnapshot = world.random.chance(400)
        let below = store.merged.filter { $0.level == 1 && $0.last < end.number }.map(\.last).max() ?? 0
        let content = world.leftOut.contains(.snapshotLive) && isSnapshot ? node.database : world.history(of: end)
        let epoch = store.created[end.number]?.mark.epoch ?? node.epoch
        let mark = FileMark(
            point: ChainPoint(number: end.number, checksum: content.checksum),
            node: node.id,
            epoch: epoch,
            fileChecksum: content.checksum
        )
        let file = SharedStore.Merged(
            level: isSnapshot ? 9 : 1,
            first: isSnapshot ? 1 : below + 1,
            mark: mark,
            history: content
        )
        guard world.time >= node.cutFromStore, world.time >= outageUntil else { return }
        world.add(.incident(.write(file)), in: 1...(world.random.chance(200) ? 20_000 : 100))
    }

    /// The primary deletes level-0 files that it may delete.
    private mutating func retain(_ index: Int) {
        let node = world.nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= world.time else { return }
        let isUnlicensed = world.leftOut.contains(.deleteUnlicensed) || world.leftOut.contains(.listOnly)
        let limit = isUnlicensed ? store.highest : core.deletableBelow(at: node.localTime(at: world.time))
        for number in store.present.sorted() where number < limit && number >= 1 {
            guard !isKept(number), store.merged.contains(where: { $0.first <= number && number <= $0.last }),
                world.random.chance(700)
            else { continue }
            world.add(.incident(.delete(number)), in: 1...(world.random.chance(200) ? 20_000 : 100))
        }
    }

    private func isKept(_ number: UInt64) -> Bool {
        if let file = store.created[number], let before = store.created[number - 1],
            file.mark.epoch != before.mark.epoch
        {
            return !world.leftOut.contains(.collectSeals)
        }
        guard !world.leftOut.contains(.collectContested) else { return false }
        return store.records.values.contains { $0.contested.contains(number) }
    }
}
