import Cluster

extension Simulation {
    /// The application begins a transaction where it may.
    mutating func begin(_ index: Int) {
        let pause = isHealing ? 300 : scenario.commitPause
        queue.add(.begin(index), at: time + random.milliseconds(1...(2 * pause)))
        guard nodes[index].frozenUntil <= time, mayWrite(index), commitCount < (isHealing ? 127 : 100) else { return }
        let length = random.chance(100) ? scenario.longestTransaction : 50
        queue.add(.commit(index, life: nodes[index].life), at: time + random.milliseconds(0...length))
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
        guard mayWrite(index) || leftOut.contains(.roleBeforeLock) else { return }
        if scenario.hasGoodClocks, store.openedEpoch > nodes[index].epoch {
            store.note("I5: a commit was accepted after epoch \(store.openedEpoch) had opened")
        }
        write(index)
        queue.add(.capture(index, life: life), at: time + random.milliseconds(1...1000))
    }

    private mutating func write(_ index: Int) {
        nodes[index].database.insert(commitCount)
        commitCount += 1
        remember(nodes[index].database)
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
        for index in nodes.indices {
            let isUp = nodes[index].core != nil
            let (mayCrash, mayFreeze) = (!scenario.isOneSided || index > 0, !scenario.isOneSided || index == 0)
            if isUp, mayCrash, random.chance(scenario.crash) {
                crash(index)
                queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
            } else if isUp, mayCrash, random.chance(scenario.powerLoss) {
                powerLoss(index)
                queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
            } else if isUp, mayFreeze, nodes[index].frozenUntil <= time, random.chance(scenario.freeze) {
                let length = random.chance(100) ? scenario.longestFreeze : 20_000
                freeze(index, for: random.milliseconds(10...length))
            }
            if !scenario.isOneSided || index == 0 { cut(index) }
            if random.chance(scenario.command) { command(index) }
            if random.chance(scenario.bypass) { bypass(index) }
            if random.chance(scenario.merge) { merge(index) }
            if random.chance(scenario.retention) { retain(index) }
        }
        if scenario.ambush > 0 { ambush() }
        if scenario.anew > 0, random.chance(scenario.anew) { beginAnew(random.below(nodes.count)) }
        if random.chance(scenario.storeOutage) { outageUntil = time + random.milliseconds(10...30_000) }
    }

    /// The first node sleeps for about as long as a lease lasts, and sees nothing of it afterwards; once that is over it gets
    /// the lease back, for the next time.
    private mutating func ambush() {
        guard nodes[0].frozenUntil <= time, time >= nodes[0].cutFromLease else { return }
        if nodes[0].core?.role == .primary {
            guard nodes[0].isOpen, random.chance(scenario.ambush) else { return }
            let length = random.milliseconds(4_000...8_500)
            freeze(0, for: length)
            nodes[0].cutFromLease = time + length + random.milliseconds(4_000...10_000)
        } else if nodes[1].core?.role == .primary {
            tell(1, nodes[1].life, .command(.switchover(to: nodes[0].id)))
        }
    }

    private mutating func cut(_ index: Int) {
        if random.chance(scenario.cut) { nodes[index].cutFromStore = time + cutLength() }
        if random.chance(scenario.cut) { nodes[index].cutFromPeers = time + cutLength() }
        if random.chance(scenario.leaseCut) { nodes[index].cutFromLease = time + cutLength() }
        if random.chance(scenario.chainCut) { nodes[index].cutFromChain = time + cutLength() }
    }

    private mutating func cutLength() -> Int64 { random.milliseconds(10...scenario.longestCut) }

    private mutating func command(_ index: Int) {
        let command: NodeCommand
        switch random.below(6) {
        case 0, 1, 2: command = .switchover(to: nodes[random.below(nodes.count)].id)
        case 3: command = .shutDown
        case 4: command = .promote(acceptLoss: false)
        default: command = .demote
        }
        tell(index, nodes[index].life, .command(command))
    }

    /// Something writes to the file past the gate, where no lock keeps it out.
    private mutating func bypass(_ index: Int) {
        guard commitCount < 100, !nodes[index].isOpen, nodes[index].core == nil || !nodes[index].isLocked else {
            return
        }
        write(index)
    }

    /// The primary merges what is accepted.
    private mutating func merge(_ index: Int) {
        let node = nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= time else { return }
        let end = core.mergeableThrough
        guard end.number > 1 else { return }
        let isSnapshot = random.chance(400)
        let below = store.merged.filter { $0.level == 1 && $0.last < end.number }.map(\.last).max() ?? 0
        let content = leftOut.contains(.snapshotLive) && isSnapshot ? node.database : history(of: end)
        let epoch = store.created[end.number]?.mark.epoch ?? node.epoch
        let mark = FileMark(
            point: ChainPoint(number: end.number, checksum: content.checksum),
            node: node.id,
            epoch: epoch,
            fileChecksum: content.checksum
        )
        let file = SimulatedStore.Merged(
            level: isSnapshot ? 9 : 1,
            first: isSnapshot ? 1 : below + 1,
            mark: mark,
            history: content
        )
        guard time >= node.cutFromStore, time >= outageUntil else { return }
        queue.add(.write(file), at: time + random.milliseconds(1...(random.chance(200) ? 20_000 : 100)))
    }

    /// The primary deletes level-0 files that it may delete.
    private mutating func retain(_ index: Int) {
        let node = nodes[index]
        guard let core = node.core, core.role == .primary, node.isOpen, node.frozenUntil <= time else { return }
        let isUnlicensed = leftOut.contains(.deleteUnlicensed) || leftOut.contains(.listOnly)
        let limit = isUnlicensed ? store.highest : core.deletableBelow(at: node.localTime(at: time))
        for number in store.present.sorted() where number < limit && number >= 1 {
            guard !isKept(number), store.merged.contains(where: { $0.first <= number && number <= $0.last }),
                random.chance(700)
            else { continue }
            queue.add(.delete(number), at: time + random.milliseconds(1...(random.chance(200) ? 20_000 : 100)))
        }
    }

    private func isKept(_ number: UInt64) -> Bool {
        if let file = store.created[number], let before = store.created[number - 1],
            file.mark.epoch != before.mark.epoch
        {
            return !leftOut.contains(.collectSeals)
        }
        guard !leftOut.contains(.collectContested) else { return false }
        return store.records.values.contains { $0.contested.contains(number) }
    }
}
