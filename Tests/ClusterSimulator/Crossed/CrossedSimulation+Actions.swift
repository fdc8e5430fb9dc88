import Cluster

extension CrossedSimulation {
    mutating func perform(_ index: Int, _ action: NodeAction) {
        let store = self.store(of: index)
        switch action {
        case .readLease(let ticket): send(index, ticket, .readLease)
        case .swapLease(let ticket, let body, let condition): send(index, ticket, .swap(body, condition))
        case .useChain(let site): sites[index] = site
        case .survey(let ticket, let place): send(index, ticket, .survey(store, place))
        case .fetch(let ticket, let number): send(index, ticket, .fetch(store, number))
        case .fetchMerged(let ticket, let number): send(index, ticket, .fetchMerged(store, number))
        case .createRecord(let ticket, let record): send(index, ticket, .record(store, record))
        case .createSeal(let ticket, let epoch, let end):
            let file = SimulatedFile(
                number: end.number + 1,
                node: nodes[index].id,
                epoch: epoch,
                session: nodes[index].core?.session ?? SessionID(rawValue: 0),
                history: history(of: end)
            )
            send(index, ticket, .create(store, file))
        case .upload(let ticket, let mark):
            guard let file = nodes[index].files[mark.point.number], file.mark == mark else { return }
            send(index, ticket, .create(store, file))
        case .createCopy(let ticket, let epoch, let number):
            let delay = random.milliseconds(20...800)
            queue.add(.copy(index, life: nodes[index].life, ticket, epoch, number), at: time + delay)
        case .publishCopy(let ticket, let mark):
            guard let file = nodes[index].files[mark.point.number] else { return }
            send(index, ticket, .publish(store, file))
        case .captureAll(let ticket): laterCaptured(index, .capturedAll(ticket))
        case .endWrites(let ticket, _): laterCaptured(index, .writesEnded(ticket))
        case .examine(let ticket): later(index, .examined(ticket, examine(index)), 1...scenario.longestExamination)
        case .apply(let ticket, let mark, let from): later(index, .applied(ticket, apply(index, mark, from)), 6...25)
        case .notePosition(let point): nodes[index].record(point)
        case .verify(let ticket):
            later(index, .verified(ticket, checksum: nodes[index].database.checksum), 1...20)
        case .quarantine(let ticket, _):
            nodes[index].tail = nodes[index].tail.union(nodes[index].database)
            later(index, .quarantined(ticket), 10...500)
        case .rewind(let ticket): later(index, .rewound(ticket, rewind(index, store)), 10...300)
        case .accepted(let point): accepted(index, point)
        case .open(let epoch, let seal): opened(index, epoch, seal)
        case .lockDatabase: nodes[index].isLocked = true
        case .unlockDatabase: nodes[index].isLocked = false
        case .fence: (nodes[index].isOpen, nodes[index].isLocked) = (false, true)
        case .writeNodeRecord(let stamp): send(index, Ticket.none, .nodeRecord(index, nodes[index].id, stamp))
        case .readNodeRecords(let ticket): send(index, ticket, .readNodeRecords(1 - index))
        case .remember(let memory): nodes[index].memory = memory
        case .askPromises(let ticket, _, let request): ask(index, ticket, request)
        case .answerPromise(let request, let granted): answer(index, request, granted)
        case .sendHints:
            let other = 1 - index
            guard reaches(index, other) else { return }
            queue.add(.deliver(other, life: nodes[other].life, .hint), at: time + random.milliseconds(1...20))
        case .end:
            crash(index)
            queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
        case .roleChanged(.claimed):
            guard !isHealing, random.chance(scenario.crashOnClaim) else { return }
            queue.add(.crash(index, life: nodes[index].life), at: time + random.milliseconds(0...200))
        case .overwriteLease, .deleteLease, .gate, .roleChanged, .alarm: break
        }
    }

    /// The store that a node reads, seals and ships to.
    private func store(of index: Int) -> Int { sites[index] == .own ? index : 1 - index }

    private mutating func later(_ index: Int, _ event: NodeEvent, _ milliseconds: ClosedRange<Int>) {
        queue.add(.deliver(index, life: nodes[index].life, event), at: time + random.milliseconds(milliseconds))
    }

    private mutating func laterCaptured(_ index: Int, _ event: NodeEvent) {
        queue.add(.captured(index, life: nodes[index].life, event), at: time + random.milliseconds(1...1000))
    }

    // MARK: - Requests

    private mutating func send(_ index: Int, _ ticket: Ticket, _ operation: Request.Operation) {
        let life = nodes[index].life
        let isNear = operation.store == index
        let delay = random.milliseconds(1...(random.chance(50) ? 800 : 30))
        var request = Request(node: index, life: life, ticket: ticket, operation: operation, isAnswered: true)
        guard !isHealing else { return queue.add(.land(request), at: time + delay) }
        if !isReachable(index, operation) || !isNear && random.chance(scenario.lostRequest) {
            queue.add(.deliver(index, life: life, operation.silence(ticket)), at: time + Self.timeout)
        } else if random.chance(scenario.conflict), let conflict = operation.conflict(ticket) {
            queue.add(.deliver(index, life: life, conflict), at: time + delay)
        } else if random.chance(scenario.lostAnswer) || random.chance(scenario.late) {
            let isLate = random.chance(500)
            request.isAnswered = false
            let landing = isLate ? Self.timeout + random.milliseconds(0...scenario.latest) : delay
            queue.add(.land(request), at: time + landing)
            queue.add(.deliver(index, life: life, operation.silence(ticket)), at: time + Self.timeout)
        } else {
            queue.add(.land(request), at: time + delay)
        }
    }

    private func isReachable(_ index: Int, _ operation: Request.Operation) -> Bool {
        guard let store = operation.store else { return time >= max(witnessOutageUntil, nodes[index].cutFromLease) }
        guard isUp(store), !operation.writes || time >= readOnlyUntil[store] else { return false }
        return store == index || time >= nodes[index].cutFromChain && isLinked()
    }

    /// Whether the hosts see each other.
    private func isLinked() -> Bool { time >= max(nodes[0].cutFromPeers, nodes[1].cutFromPeers) }

    /// Whether what one node says to the other arrives.
    private mutating func reaches(_ from: Int, _ to: Int) -> Bool {
        isHealing || isUp(to) && isLinked() && !random.chance(scenario.lostRequest)
    }

    mutating func land(_ request: Request) {
        let ticket = request.ticket
        let event: NodeEvent
        if let store = request.operation.store, !isUp(store) {
            guard request.isAnswered else { return }
            return queue.add(
                .deliver(request.node, life: request.life, request.operation.silence(ticket)),
                at: time + Self.timeout
            )
        }
        switch request.operation {
        case .readLease: event = .leaseRead(ticket, .body(witness.lease, witness.version))
        case .swap(let body, let condition):
            let isDone = witness.swap(body, condition: condition, at: time)
            event = .leaseSwapped(ticket, isDone ? .swapped(witness.version) : .refused)
        case .survey(let store, let place): event = .surveyed(ticket, stores[store].survey(place))
        case .fetch(let store, let number):
            event = found(request, stores[store].present.contains(number) ? stores[store].created[number] : nil)
        case .fetchMerged(let store, let number): event = found(request, stores[store].covering(number))
        case .create(let store, let file):
            if stores[store].create(file) {
                event = .created(ticket, .created)
            } else {
                let there = stores[store].created[file.mark.point.number]
                event = .created(ticket, .exists(isSame: there == file, there?.mark ?? file.mark))
            }
            check()
        case .publish(let store, let file):
            stores[store].publish(file)
            event = .published(ticket, true)
        case .nodeRecord(let store, let node, let stamp):
            stores[store].nodeRecords[node] = stamp
            return
        case .readNodeRecords(let store):
            let stamps = stores[store].nodeRecords.map { NodeStamp(node: $0.key, stamp: $0.value) }
            event = .nodeRecordsRead(ticket, stamps.sorted { $0.node < $1.node })
        case .record(let store, let record): event = .recorded(ticket, stores[store].createRecord(record))
        }
        guard request.isAnswered else { return }
        queue.add(
            .deliver(request.node, life: request.life, event),
            at: time + random.milliseconds(1...(random.chance(50) ? 600 : 20))
        )
    }

    private mutating func found(_ request: Request, _ file: SimulatedFile?) -> NodeEvent {
        guard let file else { return .fetched(request.ticket, .absent) }
        if nodes[request.node].life == request.life {
            nodes[request.node].fetched = (file.mark, file.history, file.isWhole)
        }
        return .fetched(request.ticket, .file(file.mark))
    }

    // MARK: - The database

    /// What the node finds on its disk; what was committed and not captured becomes a file first.
    private mutating func examine(_ index: Int) -> DatabaseFinding {
        var node = nodes[index]
        // A whole copy that is not known to be accepted stands for all before it.
        let copy = node.files.values.filter { $0.isWhole && $0.mark.point.number > node.recorded.number }.max {
            $0.mark.point.number < $1.mark.point.number
        }
        let first = copy?.mark.point.number ?? node.recorded.number + 1
        var newest = first - 1
        var state = history(of: node.recorded)
        while let file = node.files[newest + 1] {
            newest += 1
            state = file.history
        }
        node.files = node.files.filter { $0.key <= newest }
        if node.database != state, state.isBeginning(of: node.database) {
            node.files[newest + 1] = SimulatedFile(
                number: newest + 1,
                node: node.id,
                epoch: node.epoch,
                session: SessionID(rawValue: 0),
                history: node.database
            )
        }
        remember(node.database)
        var ahead: [FileMark] = []
        while let file = node.files[first + UInt64(ahead.count)] { ahead.append(file.mark) }
        nodes[index] = node
        return DatabaseFinding(
            checksum: node.database.checksum,
            recorded: node.recorded,
            intended: node.intended,
            older: node.older,
            ahead: ahead
        )
    }

    private mutating func apply(_ index: Int, _ mark: FileMark, _ from: ChainPoint) -> ApplyAnswer {
        guard let fetched = nodes[index].fetched, fetched.mark == mark else { return .failed }
        let database = nodes[index].database
        guard database.checksum == from.checksum else { return .unfit }
        // A whole copy may lack what a power cut has taken from its writer: the chain counts.
        guard fetched.isWhole || database.isBeginning(of: fetched.history) else { return .unfit }
        nodes[index].database = fetched.history
        remember(nodes[index].database)
        nodes[index].files[mark.point.number] = nil
        nodes[index].intended = mark.point
        queue.add(.record(index, life: nodes[index].life, mark.point), at: time + random.milliseconds(0...5))
        return .applied
    }

    private mutating func rewind(_ index: Int, _ store: Int) -> ChainEnd? {
        guard store == index || isHealing || isUp(store) && isLinked(), let newest = stores[store].newest() else {
            return nil
        }
        let origin = witness.lease.origin
        guard origin?.node == nodes[index].id || newest.mark.point.number >= origin?.first ?? 0 else { return nil }
        nodes[index].database = newest.history
        nodes[index].files = [:]
        remember(newest.history)
        nodes[index].record(newest.mark.point)
        check()
        return ChainEnd(point: newest.mark.point, epoch: newest.mark.epoch)
    }

    private mutating func accepted(_ index: Int, _ point: ChainPoint) {
        nodes[index].record(point)
        let file = nodes[index].files[point.number]
        acknowledged = acknowledged.union(file?.history ?? history(of: point))
        if nodes[index].epoch < openedEpoch, let living = living, living != index,
            !acknowledged.subtracting(nodes[living].database).isEmpty
        {
            note("I4: a superseded writer had a commit acknowledged as replicated")
        }
        check()
    }

    /// The node that has opened last.
    private var living: Int? { nodes.firstIndex { $0.epoch == openedEpoch && openedEpoch > .zero } }

    private mutating func opened(_ index: Int, _ epoch: Epoch, _ seal: ChainPoint) {
        let node = nodes[index]
        if witness.lease.epoch == epoch {
            if !acknowledged.subtracting(node.database).isEmpty {
                note("I4: opened without a commit that was acknowledged as replicated")
            }
            if !protected.subtracting(lost).subtracting(node.database).isEmpty {
                note("I10: opened by itself without a commit that was accepted while it was off the list")
            }
            if witness.lease.origin?.epoch != epoch { note("I7: opened before the witness named it") }
        }
        openedEpoch = max(openedEpoch, epoch)
        nodes[index].record(seal)
        nodes[index].files = [:]
        nodes[index].captured = history(of: seal)
        (nodes[index].isOpen, nodes[index].epoch) = (true, epoch)
        if node.database != nodes[index].captured {
            queue.add(.capture(index, life: node.life), at: time + random.milliseconds(1...500))
        }
    }

    /// All pages become one file, behind what was captured before.
    mutating func copy(_ index: Int, _ life: Int, _ ticket: Ticket, _ epoch: Epoch, _ number: UInt64) {
        guard nodes[index].life == life, let core = nodes[index].core, nodes[index].isOpen else { return }
        guard nodes[index].frozenUntil <= time else {
            return queue.add(.copy(index, life: life, ticket, epoch, number), at: nodes[index].frozenUntil)
        }
        let file = SimulatedFile(
            number: max(number, core.nextNumber),
            node: nodes[index].id,
            epoch: epoch,
            session: core.session,
            history: nodes[index].database,
            isWhole: true
        )
        remember(file.history)
        nodes[index].files[file.mark.point.number] = file
        nodes[index].captured = file.history
        tell(index, life, .copied(ticket, file.mark))
    }

    // MARK: - The other node

    private mutating func ask(_ index: Int, _ ticket: Ticket, _ request: PromiseRequest) {
        let other = 1 - index
        guard reaches(index, other) else { return }
        queue.add(
            .ask(from: index, life: nodes[index].life, to: other, ticket, request),
            at: time + random.milliseconds(1...200)
        )
    }

    private mutating func answer(_ index: Int, _ request: PromiseRequest, _ granted: Bool) {
        guard let asker = asked.removeValue(forKey: request.reference), reaches(index, asker.from) else { return }
        queue.add(
            .deliver(
                asker.from,
                life: asker.life,
                .promiseAnswered(asker.ticket, from: nodes[index].id, granted: granted)
            ),
            at: time + random.milliseconds(1...200)
        )
    }
}

extension CrossedSimulation.Request.Operation {
    /// Whether it puts something into a store.
    var writes: Bool {
        switch self {
        case .create, .publish, .record, .nodeRecord: true
        case .readLease, .swap, .survey, .fetch, .fetchMerged, .readNodeRecords: false
        }
    }

    /// The store that it goes to; `nil`: the witness.
    var store: Int? {
        switch self {
        case .readLease, .swap: nil
        case .survey(let store, _), .fetch(let store, _), .fetchMerged(let store, _), .create(let store, _),
            .publish(let store, _), .record(let store, _), .nodeRecord(let store, _, _), .readNodeRecords(let store):
            store
        }
    }

    /// What the sender hears when no answer comes.
    func silence(_ ticket: Ticket) -> NodeEvent {
        switch self {
        case .readLease: .leaseRead(ticket, .failed)
        case .swap: .leaseSwapped(ticket, .unknown)
        case .survey: .surveyed(ticket, nil)
        case .fetch, .fetchMerged: .fetched(ticket, .failed)
        case .create: .created(ticket, .unknown)
        case .record: .recorded(ticket, .unknown)
        case .publish: .published(ticket, false)
        case .nodeRecord, .readNodeRecords: .nodeRecordsRead(ticket, nil)
        }
    }

    /// A 409, where the request may get one.
    func conflict(_ ticket: Ticket) -> NodeEvent? {
        switch self {
        case .swap: .leaseSwapped(ticket, .conflict)
        case .create: .created(ticket, .conflict)
        case .record: .recorded(ticket, .conflict)
        case .readLease, .survey, .fetch, .fetchMerged, .publish, .nodeRecord, .readNodeRecords: nil
        }
    }
}
