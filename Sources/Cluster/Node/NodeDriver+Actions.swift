import LTX
import Logging
import ObjectStorage
import Replication

extension NodeDriver {
    /// Carries out an action, or begins it.
    ///
    /// - Returns: `false` where the rest of the actions must not be carried out any more.
    func perform(_ action: NodeAction, _ group: inout DiscardingTaskGroup) async -> Bool {
        switch action {
        case .readLease, .swapLease, .overwriteLease, .deleteLease: performLease(action, &group)
        case .examine, .fetch, .fetchMerged, .apply, .notePosition, .verify, .createSeal, .createWholeSeal,
            .createRecord, .upload, .quarantine, .rewind:
            await performChain(action, &group)
        case .accepted(let point): await accepted(point)
        case .open(let epoch, let seal): return await open(epoch, seal, &group)
        case .gate(let gate):
            self.gate.set(gate)
            programs.gateMoved()
        case .lockDatabase: await lockDatabase(&group)
        case .unlockDatabase: await database.unlock()
        case .endWrites(let ticket, let limit): await endWrites(ticket, within: limit, &group)
        case .fence(let why): await fence(why, &group)
        case .remember(let memory): return await remember(memory)
        case .writeNodeRecord(let stamp): writeRecord(stamp, &group)
        case .readNodeRecords(let ticket): readRecords(ticket, &group)
        case .askPromises(let ticket, let nodes, let request): askPromises(ticket, nodes, request, &group)
        case .answerPromise(let request, let granted):
            promises.removeValue(forKey: request.reference)?.resume(returning: granted)
        case .sendHints: sendHints(&group)
        case .roleChanged(let role): await roleChanged(role, &group)
        case .alarm(let text):
            lastAlarm = text
            logger.warning("\(text)")
        case .end: hasEnded = true
        case .useChain, .survey, .createCopy, .publishCopy, .captureAll: performCrossing(action, &group)
        case .readCell, .swapCell: performCell(action, &group)
        }
        return true
    }

    // MARK: - The lease

    private func performLease(_ action: NodeAction, _ group: inout DiscardingTaskGroup) {
        let (leases, inbox) = (leases, inbox)
        // An answer that comes later than the next renewal is due helps nobody.
        let limit = configuration.ttl / 3
        switch action {
        case .readLease(let ticket):
            group.addTask {
                let (reading, error) = await withTimeLimit(limit, late: (.failed, nil)) { await leases.read() }
                await self.noteStore(reading == .failed ? error?.message ?? "The store does not answer." : nil)
                inbox.post(.leaseRead(ticket, reading))
            }
        case .swapLease(let ticket, let lease, let condition):
            group.addTask {
                let (answer, error) = await withTimeLimit(limit, late: (.unknown, nil)) {
                    await leases.swap(lease, condition: condition)
                }
                await self.noteStore(answer == .unknown ? error?.message ?? "The store does not answer." : nil)
                inbox.post(.leaseSwapped(ticket, answer))
            }
        default: break  // only rules that tests leave out ask for more
        }
    }

    private func noteStore(_ error: String?) {
        guard !Task.isCancelled else { return }
        if let error, storeError == nil { logger.warning("The lease's store", metadata: ["error": "\(error)"]) }
        if error == nil, storeError != nil { logger.info("The lease's store answers again") }
        storeError = error
    }

    // MARK: - The application

    private func accepted(_ point: ChainPoint) async {
        primary?.accept(point, stored.removeValue(forKey: point.number))
        do { try await database.note(point.state(in: core?.epoch ?? .zero)) } catch {
            // The local files tell it again after a restart.
            logger.warning("The position could not be recorded", metadata: ["error": "\(error)"])
        }
        if let id = point.transaction { applied.accept(id) }
    }

    /// - Returns: Whether capture stands; nobody may commit where it does not.
    private func open(_ epoch: Epoch, _ seal: ChainPoint, _ group: inout DiscardingTaskGroup) async -> Bool {
        // Where each host has a store, a primary ships to the other one.
        guard let chain = chains?.target, let identity else { return false }
        do {
            try await database.prepareOpening(seal, in: epoch, by: identity.node)
            let inbox = inbox
            let engine = PrimaryEngine(
                configuration.database,
                node: identity.node,
                epoch: epoch,
                seal: seal,
                beginning: core?.hold?.body.beganAnew,
                isUnsettled: core?.isUnsettled ?? false,
                chain: chain,
                notifier: notifier,
                logger: logger,
                onClosed: { inbox.wake() }
            )
            try await engine.attach()
            (primary, checkedThrough) = (engine, 0)
            group.addTask { await engine.maintain() }
            logger.notice("Open for writing", metadata: ["epoch": "\(epoch)", "seal": "\(seal)"])
            return true
        } catch {
            inbox.post(.broken("\(configuration.database.database) cannot be captured: \(error)"))
            return false
        }
    }

    private func lockDatabase(_ group: inout DiscardingTaskGroup) async {
        let database = database
        await database.wantLock()
        group.addTask { await database.lock() }
    }

    /// Ends programs, lets no transaction begin any more, waits for the open one, and captures everything.
    private func endWrites(_ ticket: Ticket, within limit: Duration, _ group: inout DiscardingTaskGroup) async {
        let (database, inbox, primary, programs) = (database, inbox, primary, programs)
        drainIsLocked = true
        await database.wantLock()
        group.addTask {
            await programs.end(within: limit)
            await database.lock()
            // Where that fails nothing is told: the node has ended, or there is something that only its database holds.
            if let primary, (try? await primary.captureEverything()) != true { return }
            inbox.post(.writesEnded(ticket))
        }
    }

    private func fence(_ why: String, _ group: inout DiscardingTaskGroup) async {
        gate.set(WriteGate())
        if let primary {
            logger.notice("This node writes no more", metadata: ["reason": "\(why)"])
            primary.end()
            primary.waiters.fail(NodeError.superseded(why))
            closing.append(primary)
        }
        (primary, wantsFlush, stored) = (nil, false, [:])
        await lockDatabase(&group)
    }

    private func remember(_ memory: NodeMemory) async -> Bool {
        guard var new = identity, let file = memoryFile else { return false }
        new.memory = memory
        do {
            try await onDisk { [new] in try file.save(new) }
            identity = new
            return true
        } catch {
            inbox.post(.broken("What must be remembered cannot be written: \(error)"))
            return false
        }
    }

    private func roleChanged(_ role: Role, _ group: inout DiscardingTaskGroup) async {
        if role == .primary, drainIsLocked {
            // A hand-over was called off; what stands against writing is the gate's business.
            await database.unlock()
        }
        if role != .draining { drainIsLocked = false }
        roles.set(role)
        logger.info("Role", metadata: ["role": "\(role.rawValue)", "epoch": "\(core?.epoch ?? .zero)"])
        // With the stamp of the last turn: a change of role is no sign of life that the holder counts.
        if role == .primary || role == .standby || role == .halted { writeRecord(&group) }
        guard role == .standby, let lease = core?.leaseView(at: NodeClock.now), !lease.url.isEmpty,
            lease.node != identity?.node
        else { return }
        // The holder looks who is there.
        let peers = peers
        group.addTask { await peers.hint(lease.url) }
    }

    // MARK: - Other nodes

    private func writeRecord(_ stamp: UInt64, _ group: inout DiscardingTaskGroup) {
        recordBook.stamp = stamp
        writeRecord(&group)
    }

    /// Writes this node's record soon, as it is then: the core's own turn, or a role by which others know it.
    private func writeRecord(_ group: inout DiscardingTaskGroup) {
        recordBook.isDue = true
        // One at a time: an older one must not land behind a newer one.
        guard !recordBook.isWriting else { return }
        recordBook.isWriting = true
        group.addTask { await self.writeRecords() }
    }

    private func writeRecords() async {
        while recordBook.isDue, let chain = chains?.own, let record = ownRecord() {
            recordBook.isDue = false
            recordBook.role = record.role
            try? await chain.write(record)  // it is written again in a minute
            // The holder looks who is there, now that there is something to see.
            let lease = core?.leaseView(at: NodeClock.now)
            if let lease, !lease.eligible.contains(record.node), !lease.url.isEmpty { await peers.hint(lease.url) }
        }
        recordBook.isWriting = false
        await synchronizeTails()
    }

    /// What this node says of itself; `nil` before its first turn.
    private func ownRecord() -> NodeRecord? {
        guard let identity, let core, let stamp = recordBook.stamp else { return nil }
        return NodeRecord(
            node: identity.node,
            name: configuration.name,
            url: configuration.url,
            version: configuration.version,
            position: core.position,
            role: core.role,
            stamp: stamp
        )
    }

    /// A node that ends is not seen as what it was: `cluster status` would tell it of a primary for good.
    func writeLastRecord() async {
        guard let chain = chains?.own, let record = ownRecord(), let last = recordBook.role, last != record.role else {
            return
        }
        // Where the store is away, whoever looks sees neither.
        await withTimeLimit(.seconds(2), late: ()) { try? await chain.write(record) }
    }

    private func readRecords(_ ticket: Ticket, _ group: inout DiscardingTaskGroup) {
        guard let chain = chains?.others else { return }
        let inbox = inbox
        group.addTask {
            let records = try? await chain.nodeRecords()
            if let records { await self.note(records) }
            inbox.post(.nodeRecordsRead(ticket, records.map { $0.map { NodeStamp(node: $0.node, stamp: $0.stamp) } }))
        }
    }

    func note(_ records: [NodeRecord]) {
        for record in records { self.records[record.node] = record }
    }

    private func askPromises(
        _ ticket: Ticket,
        _ nodes: [NodeID],
        _ request: PromiseRequest,
        _ group: inout DiscardingTaskGroup
    ) {
        let (peers, inbox, limit) = (peers, inbox, configuration.ttl / 6)
        for node in nodes {
            guard let url = records[node]?.url, !url.isEmpty else { continue }
            group.addTask {
                let isGranted = await withTimeLimit(limit, late: false) {
                    await peers.askPromise(of: node, at: url, request, within: limit)
                }
                inbox.post(.promiseAnswered(ticket, from: node, granted: isGranted))
            }
        }
    }

    private func sendHints(_ group: inout DiscardingTaskGroup) {
        let urls = Set(records.values.filter { $0.node != identity?.node }.map(\.url)).subtracting([
            "", configuration.url,
        ])
        for url in urls {
            let peers = peers
            group.addTask { await peers.hint(url) }
        }
    }
}
