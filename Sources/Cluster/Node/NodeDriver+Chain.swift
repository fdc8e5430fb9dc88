import LTX
import Logging
import ObjectStorage
import Replication
import SystemPackage

extension NodeDriver {
    /// Begins what concerns the chain and the database.
    func performChain(_ action: NodeAction, _ group: inout DiscardingTaskGroup) async {
        guard let chain, let identity else { return }
        let (inbox, database) = (inbox, database)
        switch action {
        case .fetch, .apply, .notePosition: break
        default: dropAhead(&group)
        }
        switch action {
        case .examine(let ticket):
            fork = nil
            group.addTask { await self.examine(ticket) }
        case .fetch(let ticket, let number): fetch(ticket, number, chain, &group)
        case .fetchMerged(let ticket, let number):
            group.addTask { await self.fetched(ticket, await chain.fetchMerged(number)) }
        case .apply(let ticket, let mark, let from):
            readAhead(behind: mark.point.number, chain, &group)
            group.addTask { await self.apply(ticket, mark, from, chain) }
        case .notePosition(let point):
            do { try await database.note(point.state(in: core?.positionEpoch ?? .zero)) } catch {
                logger.warning("The position could not be recorded", metadata: ["error": "\(error)"])
            }
        case .verify(let ticket):
            group.addTask { inbox.post(.verified(ticket, checksum: await database.checksum ?? 0)) }
        case .createSeal(let ticket, let epoch, let end):
            group.addTask { await self.seal(ticket, epoch, end, identity.node, chain) }
        case .createWholeSeal(let ticket, let epoch, let end):
            group.addTask { await self.sealWhole(ticket, epoch, end, identity.node, chain) }
        case .createRecord(let ticket, let record):
            let topology = places.topology
            group.addTask { inbox.post(.recorded(ticket, await chain.create(record, in: topology))) }
        case .upload(let ticket, let mark):
            guard let file = primary?.pending(mark) else { return }
            group.addTask {
                let created = await chain.create(file)
                await self.noteStored(mark.point.number, created.stored)
                await self.note(created.error.map { ChainTrouble(words: "a transaction was not taken: \($0)") })
                inbox.post(.created(ticket, created.answer))
            }
        case .quarantine(let ticket, let fork):
            self.fork = fork
            group.addTask { await self.quarantine(ticket, fork) }
        case .rewind(let ticket): group.addTask { await self.rewind(ticket, chain) }
        default: break
        }
    }

    /// Notes what hinders shipping or following, or that nothing does any more.
    func note(_ trouble: ChainTrouble?) {
        guard !Task.isCancelled, trouble != chainTrouble else { return }
        if let trouble {
            logger.warning("The chain", metadata: ["error": "\(trouble.words)"])
        } else {
            logger.info("The chain goes on")
        }
        chainTrouble = trouble
    }

    private func noteStored(_ number: UInt64, _ file: ReplicaFile?) { if let file { stored[number] = file } }

    // MARK: - Joining

    private func examine(_ ticket: Ticket) async {
        // What the last epoch has left is captured first; the lock keeps everybody else out.
        if await database.exists { await database.lock() }
        await closeEngines()
        var pause = configuration.followInterval
        while !Task.isCancelled {
            do {
                guard let finding = try await find() else { throw NodeError.noDatabaseYet }
                return inbox.post(.examined(ticket, finding))
            } catch let error as ReplicaError where error.code == .noBackup {
                logger.debug("The chain is empty yet")
                lastAlarm = "The chain is empty yet."
            } catch {
                logger.warning("The database could not be looked at", metadata: ["error": "\(error)"])
                lastAlarm = "\(error)"
            }
            if lastAlarm != nil {
                try? await Pause.sleep(for: pause)  // cancelled: the loop ends
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    /// What is known of the database; one that is not there is restored first.
    func find() async throws -> DatabaseFinding? {
        guard let identity, let chain else { return nil }
        if await !database.exists {
            logger.info("Restoring the database from the replica")
            let state = try await restore(try await chainToRestore(chain), to: database.path).state
            try await database.note(state)
        }
        await database.lock()
        if let lease = core?.leaseView(at: NodeClock.now) {
            // Else this database would pass for the beginning of the other's chain, and be written over without a tail.
            try await database.withdrawFounding(unlessBehind: lease.node == identity.node ? lease.begin : nil)
        }
        if let finding = try await database.examine(identity.node) { return finding }
        // Nothing is recorded: perhaps it was restored by hand.
        let checksum = await database.checksum ?? 0
        let isEmpty = try await chain.replica.list().isEmpty
        if !isEmpty, let newest = try await Restorer(chain.replica).plan(.latest).files.last,
            let mark = try await chain.replica.header(of: newest).sourceMark, mark.checksum == checksum
        {
            let state = ChainState(number: newest.max.rawValue, checksum: checksum, epoch: mark.epoch)
            try await database.note(state)
            return DatabaseFinding(
                checksum: checksum,
                recorded: ChainPoint(state),
                epoch: Epoch(rawValue: state.epoch)
            )
        }
        return DatabaseFinding(checksum: checksum, recorded: ChainPoint(number: 0, checksum: ~checksum))
    }

    /// From where a database that is not there is restored.
    ///
    /// Without a witness the cell in the own store tells: where it is moved away this node wrote last, and what it wrote lies
    /// in the peer's store; its own holds an earlier state.
    private func chainToRestore(_ own: ChainStore) async throws -> ChainStore {
        guard places.topology == .paired, let peer = chains?.peer else { return own }
        let read = await places.cell(.own).read()
        switch read.reading {
        case .body(let lease, _): return lease.state == .moved ? peer : own
        case .absent, .unfit, .failed:
            throw NodeError.store(
                "The cell in \(own) cannot be read, so it is not known which store has the newest state: "
                    + (read.error?.message ?? "it holds none.")
            )
        }
    }

    /// Restores the chain's newest state to a file.
    func restore(
        _ chain: ChainStore,
        to path: FilePath
    ) async throws -> (state: ChainState, pageSize: Int, node: NodeID?) {
        try await checkThatChainHasBegun(chain)
        let result = try await Restorer(chain.replica).restore(.latest, to: path)
        guard let newest = result.plan.files.last else { throw NodeError.noDatabaseYet }
        let header = try await chain.replica.header(of: newest)
        guard let mark = header.sourceMark else { throw NodeError.unmarkedChain("\(chain)") }
        let state = ChainState(number: result.plan.max.rawValue, checksum: result.databaseChecksum, epoch: mark.epoch)
        return (state, result.pageSize, header.nodeID == 0 ? nil : NodeID(rawValue: header.nodeID))
    }

    // MARK: - Following

    private func apply(_ ticket: Ticket, _ mark: FileMark, _ from: ChainPoint, _ chain: ChainStore) async {
        guard let file = fetched, FileMark(file) == mark else { return inbox.post(.applied(ticket, .failed)) }
        do {
            // A session that has died put the beginning there, and did not come to lay the copy beside it.
            if try await database.isFounding(), let seal = try await database.waitingSeal(), FileMark(seal) == mark {
                try await copy(seal, chain: chain)?.publish()
            }
            let answer = try await database.apply(file, from: from.checksum)
            if answer == .applied {
                note(nil)
            }
            inbox.post(.applied(ticket, answer))
        } catch {
            note(ChainTrouble(words: "transaction \(mark.point) cannot be applied: \(error)", isBlocking: true))
            inbox.post(.applied(ticket, .failed))
        }
    }

    // MARK: - Sealing

    private func seal(_ ticket: Ticket, _ epoch: Epoch, _ end: ChainPoint, _ node: NodeID, _ chain: ChainStore) async {
        do {
            let content: FollowerDatabase.SealContent
            if try await database.isFounding() {
                content = .everything
            } else if await database.checksum == end.checksum {
                content = .ownFirstPage
            } else {
                let (bytes, pageCount) = try await chain.firstPage(at: end.number)
                content = .firstPage(bytes, pageCount: pageCount)
            }
            let state = ChainState(number: end.number + 1, checksum: end.checksum, epoch: epoch.rawValue)
            let file = try await database.makeSeal(state, node: node, content)
            let copy = try await database.isFounding() ? copy(file, chain: chain) : nil
            let isBridged = try await copy?.bridge() ?? false
            let created = await chain.create(file)
            noteStored(state.number, created.stored)
            note(created.error.map { ChainTrouble(words: "the seal was not taken: \($0)") })
            if created.stored != nil, !isBridged { try await copy?.publish() }
            inbox.post(.created(ticket, created.answer))
        } catch {
            logger.warning("The seal could not be made", metadata: ["error": "\(error)"])
            inbox.post(.created(ticket, .unknown))
        }
    }

    /// Makes a seal of all pages, with the same pages beside the chain as a snapshot: where the database goes on in a store
    /// whose history is not its own.
    private func sealWhole(
        _ ticket: Ticket,
        _ epoch: Epoch,
        _ end: ChainPoint,
        _ node: NodeID,
        _ chain: ChainStore
    ) async {
        do {
            let state = ChainState(
                number: end.number + 1,
                checksum: await database.checksum ?? end.checksum,
                epoch: epoch.rawValue
            )
            let file = try await database.makeSeal(state, node: node, .everything)
            let created = await chain.create(file)
            noteStored(state.number, created.stored)
            note(created.error.map { ChainTrouble(words: "the seal was not taken: \($0)") })
            if created.stored != nil { try await BeginningCopy(seal: file, chain: chain).publish() }
            inbox.post(.created(ticket, created.answer))
        } catch {
            logger.warning("The seal could not be made", metadata: ["error": "\(error)"])
            inbox.post(.created(ticket, .unknown))
        }
    }
}
