import Cluster

extension CrossedSimulation {
    /// The application begins a transaction where it may.
    mutating func begin(_ index: Int) {
        let pause = isHealing ? 300 : scenario.commitPause
        queue.add(.begin(index), at: time + random.milliseconds(1...(2 * pause)))
        guard nodes[index].frozenUntil <= time, mayWrite(index), commitCount < (isHealing ? 127 : 100) else { return }
        queue.add(.commit(index, life: nodes[index].life), at: time + random.milliseconds(0...50))
    }

    private func mayWrite(_ index: Int) -> Bool {
        let node = nodes[index]
        guard let core = node.core, node.isOpen, core.role == .primary, !node.isLocked else { return false }
        return core.gate.isOpen(at: node.localTime(at: time))
    }

    /// The transaction wants to commit; it asks again, under the write lock.
    mutating func commit(_ index: Int, _ life: Int) {
        guard nodes[index].life == life, commitCount < 127 else { return }
        guard nodes[index].frozenUntil <= time else {
            return queue.add(.commit(index, life: life), at: nodes[index].frozenUntil)
        }
        guard mayWrite(index) else { return }
        if scenario.hasGoodClocks, openedEpoch > nodes[index].epoch {
            note("I5: a commit was accepted after epoch \(openedEpoch) had opened")
        }
        nodes[index].database.insert(commitCount)
        if nodes[index].core?.isProtecting == true { protected.insert(commitCount) }
        commitCount += 1
        remember(nodes[index].database)
        queue.add(.capture(index, life: life), at: time + random.milliseconds(1...1000))
    }

    /// Closes what is committed as the next transaction file.
    mutating func capture(_ index: Int, _ life: Int) {
        let node = nodes[index]
        guard node.life == life, node.isOpen, let core = node.core, core.role == .primary || core.role == .draining,
            node.database != node.captured
        else { return }
        guard node.frozenUntil <= time else { return queue.add(.capture(index, life: life), at: node.frozenUntil) }
        let file = SimulatedFile(
            number: core.nextNumber,
            node: node.id,
            epoch: node.epoch,
            session: core.session,
            history: node.database
        )
        nodes[index].files[core.nextNumber] = file
        nodes[index].captured = node.database
        tell(index, life, .captured(file.mark))
    }

    // MARK: - What goes wrong

    mutating func chaos() {
        if scenario.rollback > 0 {
            for index in stores.indices where images[index].last?.highest != stores[index].highest {
                images[index].append(stores[index])
            }
        }
        for index in nodes.indices where isUp(index) {
            let isRunning = nodes[index].core != nil
            if random.chance(scenario.hostDown), isUp(1 - index) || random.chance(200) {
                hostDown(index)
            } else if isRunning, random.chance(scenario.crash) {
                crash(index)
                queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
            } else if isRunning, stores[1 - index].end != nil, random.chance(scenario.powerLoss) {
                powerLoss(index)
                queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
            } else if isRunning, nodes[index].frozenUntil <= time, random.chance(scenario.freeze) {
                let length = random.milliseconds(10...scenario.longestFreeze)
                nodes[index].frozenUntil = time + length
                queue.add(.thaw(index), at: nodes[index].frozenUntil)
            }
            if random.chance(scenario.witnessCut) { nodes[index].cutFromLease = time + cutLength() }
            if random.chance(scenario.readOnly) { readOnlyUntil[index] = time + cutLength() }
            if random.chance(scenario.storeCut) { nodes[index].cutFromChain = time + cutLength() }
            if random.chance(scenario.command) { command(index) }
            if random.chance(scenario.snapshot) { snapshot(index) }
            if random.chance(scenario.retention) { retain(index) }
        }
        if random.chance(scenario.linkCut) { nodes[0].cutFromPeers = time + cutLength() }
        if random.chance(scenario.witnessCut / 2) { witnessOutageUntil = time + cutLength() }
    }

    private mutating func cutLength() -> Int64 { random.milliseconds(10...scenario.longestCut) }

    /// A host goes down with its node and its store.
    private mutating func hostDown(_ index: Int) {
        crash(index)
        // A disk that goes back takes longer than a look at what was accepted is apart (G6).
        let shortest = scenario.rollback > 0 ? 15_000 : 1_000
        downUntil[index] = time + random.milliseconds(shortest...max(shortest + 1, 2 * scenario.longestCut))
        say("host \(index + 1) goes down")
        queue.add(.hostUp(index), at: downUntil[index])
    }

    mutating func hostUp(_ index: Int) {
        guard isUp(index) else { return }
        if !isHealing, random.chance(scenario.rollback) {
            // Behind what the lease promises: what was accepted since the last renewal is an instant, not a disk image.
            let head = witness.lease.head.number
            let older = images[index].filter { $0.highest > 0 && $0.highest < head }.suffix(8)
            if !older.isEmpty {
                stores[index] = older[older.startIndex + random.below(older.count)]
                stores[index].noteRollback()
                say("store \(index + 1) goes back to \(stores[index].highest)")
            }
        }
        guard nodes[index].core == nil else { return }
        start(index)
    }

    private mutating func powerLoss(_ index: Int) {
        crash(index)
        nodes[index].boots += 1
        let database = nodes[index].database
        guard !database.isEmpty else { return }
        let highest = 127 - database.commits.leadingZeroBitCount
        let kept = max(0, highest - random.below(4))
        let remaining = History(commits: database.commits & ((UInt128(1) << UInt128(kept)) - 1))
        lost = lost.union(database.subtracting(remaining))
        // What no store has a power cut may take, or leave as a state that only a tail can hold.
        protected = protected.subtracting(database.subtracting(stores[1 - index].end?.history ?? History()))
        nodes[index].database = remaining
        remember(remaining)
    }

    private mutating func command(_ index: Int) {
        let command: NodeCommand
        switch random.below(6) {
        case 0, 1, 2: command = .switchover(to: nodes[1 - index].id)
        case 3: command = .shutDown
        case 4: command = .promote(acceptLoss: false)
        default: command = .demote
        }
        tell(index, nodes[index].life, .command(command))
    }

    /// The primary makes a snapshot of what the other store has accepted.
    private mutating func snapshot(_ index: Int) {
        let node = nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= time else { return }
        let end = core.mergeableThrough
        guard end.number > 1, let there = stores[1 - index].created[end.number], there.mark.point == end else { return }
        queue.add(
            .publish(1 - index, there),
            at: time + random.milliseconds(1...(random.chance(200) ? 20_000 : 100))
        )
    }

    /// The primary deletes level-0 files that it may delete.
    private mutating func retain(_ index: Int) {
        let node = nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= time else { return }
        let limit = core.deletableBelow(at: node.localTime(at: time))
        let store = 1 - index
        for number in stores[store].present.sorted() where number < limit && number >= 1 {
            guard stores[store].isCovered(number), random.chance(700) else { continue }
            queue.add(.delete(store, number), at: time + random.milliseconds(1...(random.chance(200) ? 20_000 : 100)))
        }
    }
}
