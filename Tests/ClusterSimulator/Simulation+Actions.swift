import Cluster

extension Simulation {
    mutating func perform(_ index: Int, _ action: NodeAction) {
        switch action {
        case .readLease(let ticket): send(index, ticket, .readLease)
        case .swapLease(let ticket, let body, let condition): send(index, ticket, .swap(body, condition))
        case .overwriteLease(let ticket, let body): send(index, ticket, .overwrite(body))
        case .deleteLease(let ticket): send(index, ticket, .deleteLease)
        case .fetch(let ticket, let number): send(index, ticket, .fetch(number))
        case .fetchMerged(let ticket, let number): send(index, ticket, .fetchMerged(number))
        case .createRecord(let ticket, let record): send(index, ticket, .record(record))
        case .createSeal(let ticket, let epoch, let end):
            let file = SimulatedFile(
                number: end.number + 1,
                node: nodes[index].id,
                epoch: epoch,
                session: nodes[index].core?.session ?? SessionID(rawValue: 0),
                history: history(of: end)
            )
            send(index, ticket, .create(file))
        case .upload(let ticket, let mark):
            guard var file = nodes[index].files[mark.point.number] else { return }
            if file.mark != mark {
                // A retry with newer bytes.
                let history = histories[mark.point.checksum] ?? file.history
                file = SimulatedFile(
                    number: mark.point.number,
                    node: mark.node,
                    epoch: mark.epoch,
                    session: file.session,
                    history: history
                )
                nodes[index].files[mark.point.number] = file
            }
            send(index, ticket, .create(file))
        case .examine(let ticket): later(index, .examined(ticket, examine(index)), 1...scenario.longestExamination)
        case .apply(let ticket, let mark, let from): later(index, .applied(ticket, apply(index, mark, from)), 6...25)
        case .notePosition(let point): nodes[index].record(point)
        case .verify(let ticket):
            later(index, .verified(ticket, checksum: nodes[index].database.checksum), 1...20)
        case .quarantine(let ticket, _):
            nodes[index].tail = nodes[index].tail.union(nodes[index].database)
            later(index, .quarantined(ticket), 10...500)
        case .rewind(let ticket): later(index, .rewound(ticket, rewind(index)), 10...300)
        case .accepted(let point): accepted(index, point)
        case .open(let epoch, let seal): opened(index, epoch, seal)
        case .lockDatabase: nodes[index].isLocked = true
        case .unlockDatabase: nodes[index].isLocked = false
        case .fence: (nodes[index].isOpen, nodes[index].isLocked) = (false, true)
        case .endWrites(let ticket, _):
            queue.add(
                .drained(index, life: nodes[index].life, ticket),
                at: time + random.milliseconds(1...1000)
            )
        case .writeNodeRecord(let stamp): send(index, Ticket.none, .nodeRecord(nodes[index].id, stamp))
        case .readNodeRecords(let ticket): send(index, ticket, .readNodeRecords)
        case .remember(let memory): nodes[index].memory = memory
        case .askPromises(let ticket, let others, let request): ask(index, ticket, others, request)
        case .answerPromise(let request, let granted):
            answer(index, request, granted)
            if granted { crashSoon(index, scenario.crashOnPromise, 500) }
        case .sendHints:
            for other in nodes.indices where other != index && arrives(index, other) {
                queue.add(.deliver(other, life: nodes[other].life, .hint), at: time + random.milliseconds(1...20))
            }
        case .end:
            crash(index)
            queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
        case .roleChanged(.claimed):
            guard !isHealing, !scenario.isOneSided || index == 0, random.chance(scenario.stalledClaim) else { return }
            let length = random.milliseconds((scenario.isOneSided ? 7_000 : 500)...20_000)
            freeze(index, for: length)
            if scenario.isOneSided || random.chance(500) {
                nodes[index].cutFromLease = time + length + random.milliseconds(0...10_000)
            }
        case .roleChanged(.claiming): crashSoon(index, scenario.crashOnClaim, 2_000)
        // Nodes that share a store never ask for the others.
        case .gate, .roleChanged, .alarm, .useChain, .survey, .createCopy, .publishCopy, .captureAll: break
        }
    }

    private mutating func crashSoon(_ index: Int, _ chance: Int, _ milliseconds: Int) {
        guard !isHealing, random.chance(chance) else { return }
        queue.add(.crash(index, life: nodes[index].life), at: time + random.milliseconds(0...milliseconds))
    }

    private mutating func later(_ index: Int, _ event: NodeEvent, _ milliseconds: ClosedRange<Int>) {
        queue.add(
            .deliver(index, life: nodes[index].life, event),
            at: time + random.milliseconds(milliseconds)
        )
    }

    // MARK: - The store

    private mutating func send(_ index: Int, _ ticket: Ticket, _ operation: Request.Operation) {
        let life = nodes[index].life
        let delay = random.milliseconds(1...(random.chance(50) ? 800 : 30))
        var request = Request(node: index, life: life, ticket: ticket, operation: operation, isAnswered: true)
        let end = operation.concernsLease ? nodes[index].cutFromLease : nodes[index].cutFromChain
        let isAway = time < max(outageUntil, nodes[index].cutFromStore, end)
        guard !isHealing else { return queue.add(.land(request), at: time + delay) }
        let isTroubled = !scenario.isOneSided || index == 0
        let losesAnswer =
            isTroubled && random.chance(scenario.lostAnswer)
            || operation.isClaim && random.chance(scenario.lostClaimAnswer)
        if isAway || isTroubled && random.chance(scenario.lostRequest) {
            queue.add(.deliver(index, life: life, operation.silence(ticket)), at: time + Self.timeout)
        } else if random.chance(scenario.conflict), let conflict = operation.conflict(ticket) {
            queue.add(.deliver(index, life: life, conflict), at: time + delay)
        } else if losesAnswer {
            request.isAnswered = false
            queue.add(.land(request), at: time + delay)
            queue.add(.deliver(index, life: life, operation.silence(ticket)), at: time + Self.timeout)
        } else if random.chance(scenario.late) {
            request.isAnswered = false
            queue.add(.land(request), at: time + Self.timeout + random.milliseconds(0...scenario.latest))
            queue.add(.deliver(index, life: life, operation.silence(ticket)), at: time + Self.timeout)
        } else {
            queue.add(.land(request), at: time + delay)
        }
    }

    mutating func land(_ request: Request) {
        let ticket = request.ticket
        let event: NodeEvent
        switch request.operation {
        case .readLease:
            if let lease = store.lease {
                event = .leaseRead(ticket, .body(lease, store.version))
            } else {
                event = .leaseRead(ticket, .absent)
            }
        case .swap(let body, let condition):
            event = .leaseSwapped(ticket, store.swap(body, condition: condition) ? .swapped(store.version) : .refused)
        case .overwrite(let body):
            store.overwrite(body)
            event = .leaseSwapped(ticket, .swapped(store.version))
        case .deleteLease:
            store.deleteLease()
            event = .leaseSwapped(ticket, .swapped(store.version))
        case .fetch(let number):
            if store.present.contains(number), let file = store.created[number] {
                if isCurrent(request) { nodes[request.node].fetched = (file.mark, file.history, false) }
                event = .fetched(ticket, .file(file.mark))
            } else {
                event = .fetched(ticket, .absent)
            }
        case .fetchMerged(let number):
            if let file = store.covering(number) {
                if isCurrent(request) { nodes[request.node].fetched = (file.mark, file.history, false) }
                event = .fetched(ticket, .file(file.mark))
            } else {
                event = .fetched(ticket, .absent)
            }
        case .create(let file):
            if store.create(file) {
                event = .created(ticket, .created)
            } else {
                let there = store.created[file.mark.point.number]
                event = .created(ticket, .exists(isSame: there == file, there?.mark))
            }
            check()
        case .nodeRecord(let node, let stamp):
            store.nodeRecords[node] = stamp
            return
        case .readNodeRecords:
            let stamps = store.nodeRecords.map { NodeStamp(node: $0.key, stamp: $0.value) }
            event = .nodeRecordsRead(ticket, stamps.sorted { $0.node < $1.node })
        case .record(let record): event = .recorded(ticket, store.createRecord(record))
        }
        guard request.isAnswered else { return }
        queue.add(
            .deliver(request.node, life: request.life, event),
            at: time + random.milliseconds(1...(random.chance(50) ? 600 : 20))
        )
    }

    private func isCurrent(_ request: Request) -> Bool { nodes[request.node].life == request.life }

    // MARK: - The database

    /// What the node finds on its disk; what was committed and not captured becomes a file first.
    private mutating func examine(_ index: Int) -> DatabaseFinding {
        if isFounding(index) { found(index) }
        var node = nodes[index]
        var newest = node.recorded.number
        var state = history(of: node.recorded)
        while let file = node.files[newest + 1] {
            newest += 1
            state = file.history
        }
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
        while let file = node.files[node.recorded.number + UInt64(ahead.count) + 1] { ahead.append(file.mark) }
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
        if leftOut.contains(.blindApply) {
            let base = history(of: from)
            nodes[index].database =
                database == base ? fetched.history : database.union(fetched.history.subtracting(base))
        } else {
            guard database.checksum == from.checksum, database.isBeginning(of: fetched.history) else { return .unfit }
            nodes[index].database = fetched.history
        }
        remember(nodes[index].database)
        nodes[index].files[mark.point.number] = nil
        nodes[index].intended = mark.point
        queue.add(.record(index, life: nodes[index].life, mark.point), at: time + random.milliseconds(0...5))
        return .applied
    }

    private mutating func rewind(_ index: Int) -> ChainEnd? {
        let newest = store.newest()
        guard newest.number > store.beginning || store.beginning == 0 else { return nil }
        nodes[index].database = newest.history
        nodes[index].files = [:]
        remember(newest.history)
        let point = ChainPoint(number: newest.number, checksum: newest.history.checksum)
        nodes[index].record(point)
        check()
        return ChainEnd(point: point, epoch: newest.epoch)
    }

    private mutating func accepted(_ index: Int, _ point: ChainPoint) {
        nodes[index].record(point)
        let file = nodes[index].files[point.number]
        acknowledged = acknowledged.union(file?.history ?? history(of: point))
        check()
    }

    private mutating func opened(_ index: Int, _ epoch: Epoch, _ seal: ChainPoint) {
        let node = nodes[index]
        if let file = store.created[seal.number], file.mark.epoch == epoch, file.session == node.core?.session {
            if !file.history.isBeginning(of: node.database) {
                store.note("I7: opened on a database that is not the sealed one")
            }
        } else if !leftOut.contains(.noSeal) {
            store.note("I7: opened without its own seal in the chain")
        }
        if store.end?.mark.epoch == epoch, !acknowledged.subtracting(node.database).isEmpty {
            store.note("I4: opened without a commit that was acknowledged as replicated")
        }
        store.openedEpoch = max(store.openedEpoch, epoch)
        nodes[index].record(seal)
        nodes[index].files = [:]
        nodes[index].captured = history(of: seal)
        (nodes[index].isOpen, nodes[index].epoch) = (true, epoch)
        if node.database != nodes[index].captured {
            queue.add(.capture(index, life: node.life), at: time + random.milliseconds(1...500))
        }
    }

    // MARK: - Other nodes

    private mutating func arrives(_ from: Int, _ to: Int) -> Bool {
        if isHealing { return true }
        return time >= nodes[from].cutFromPeers && time >= nodes[to].cutFromPeers
            && !random.chance(scenario.lostRequest)
    }

    private mutating func ask(_ index: Int, _ ticket: Ticket, _ others: [NodeID], _ request: PromiseRequest) {
        for other in nodes.indices where others.contains(nodes[other].id) && arrives(index, other) {
            queue.add(
                .ask(from: index, life: nodes[index].life, to: other, ticket, request),
                at: time + random.milliseconds(1...200)
            )
        }
    }

    private mutating func answer(_ index: Int, _ request: PromiseRequest, _ granted: Bool) {
        guard let asker = asked.removeValue(forKey: request.reference), arrives(index, asker.from) else { return }
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

extension Simulation.Request.Operation {
    /// What the sender hears when no answer comes.
    func silence(_ ticket: Ticket) -> NodeEvent {
        switch self {
        case .readLease: .leaseRead(ticket, .failed)
        case .swap, .overwrite, .deleteLease: .leaseSwapped(ticket, .unknown)
        case .fetch, .fetchMerged: .fetched(ticket, .failed)
        case .create: .created(ticket, .unknown)
        case .record: .recorded(ticket, .unknown)
        case .nodeRecord, .readNodeRecords: .nodeRecordsRead(ticket, nil)
        }
    }

    /// Whether this is the first body of a session.
    var isClaim: Bool {
        guard case .swap(let body, _) = self else { return false }
        return body.counter == 1
    }

    /// Whether this is about the lease.
    var concernsLease: Bool {
        switch self {
        case .readLease, .swap, .overwrite, .deleteLease: true
        case .fetch, .fetchMerged, .create, .record, .nodeRecord, .readNodeRecords: false
        }
    }

    /// A 409, where the request may get one.
    func conflict(_ ticket: Ticket) -> NodeEvent? {
        switch self {
        case .swap: .leaseSwapped(ticket, .conflict)
        case .create: .created(ticket, .conflict)
        case .record: .recorded(ticket, .conflict)
        case .readLease, .overwrite, .deleteLease, .fetch, .fetchMerged, .nodeRecord, .readNodeRecords: nil
        }
    }
}
