import Cluster

extension Simulation {
    /// Carries out what a node wants as it is done in every topology.
    mutating func performAlike(_ index: Int, _ action: NodeAction) {
        switch action {
        case .readLease(let ticket): send(index, ticket, .readLease)
        case .swapLease(let ticket, let body, let condition): send(index, ticket, .swap(body, condition))
        case .overwriteLease(let ticket, let body): send(index, ticket, .overwrite(body))
        case .deleteLease(let ticket): send(index, ticket, .deleteLease)
        case .useChain(let site): world.nodes[index].site = site
        case .survey(let ticket, let place): send(index, ticket, .survey(place))
        case .fetch(let ticket, let number): send(index, ticket, .fetch(number))
        case .fetchMerged(let ticket, let number): send(index, ticket, .fetchMerged(number))
        case .createRecord(let ticket, let record): send(index, ticket, .record(record))
        case .createSeal(let ticket, let epoch, let end): send(index, ticket, .create(seal(index, epoch, end)))
        case .upload(let ticket, let mark):
            if let file = fileToShip(index, mark) { send(index, ticket, .create(file)) }
        case .publishCopy(let ticket, let mark):
            if let file = world.nodes[index].files[mark.point.number] { send(index, ticket, .publish(file)) }
        case .captureAll(let ticket): world.deliver(.capturedAll(ticket), afterCaptureTo: index)
        case .endWrites(let ticket, _): world.deliver(.writesEnded(ticket), afterCaptureTo: index)
        case .examine(let ticket):
            world.deliver(.examined(ticket, examine(index)), to: index, in: 1...scenario.longestExamination)
        case .apply(let ticket, let mark, let from):
            world.deliver(.applied(ticket, apply(index, mark, from)), to: index, in: 6...25)
        case .notePosition(let point):
            world.nodes[index].record(point, in: world.nodes[index].process?.core.positionEpoch ?? .zero)
        case .verify(let ticket):
            let checksum = world.nodes[index].database.checksum
            world.deliver(.verified(ticket, checksum: checksum), to: index, in: 1...20)
        case .quarantine(let ticket, _):
            world.nodes[index].tail = world.nodes[index].tail.union(world.nodes[index].database)
            world.deliver(.quarantined(ticket), to: index, in: 10...500)
        case .rewind(let ticket): world.deliver(.rewound(ticket, rewind(index)), to: index, in: 10...300)
        case .accepted(let point): accept(index, point)
        case .open(let epoch, let seal): open(index, epoch, seal)
        case .lockDatabase: world.nodes[index].isLocked = true
        case .unlockDatabase: world.nodes[index].isLocked = false
        case .fence: (world.nodes[index].isOpen, world.nodes[index].isLocked) = (false, true)
        case .writeNodeRecord(let stamp): send(index, .none, .nodeRecord(world.nodes[index].id, stamp))
        case .readNodeRecords(let ticket): send(index, ticket, .readNodeRecords)
        case .remember(let memory): world.nodes[index].memory = memory
        case .askPromises(let ticket, let others, let request): askPromises(index, ticket, others, request)
        case .answerPromise(let request, let granted): answerPromise(index, request, granted)
        case .sendHints: sendHints(index)
        case .end: crashAndRestart(index)
        // A topology with whole copies, or with cells, sees to them itself.
        case .gate, .roleChanged, .alarm, .createCopy, .readCell, .swapCell, .createWholeSeal: break
        }
    }

    private func seal(_ index: Int, _ epoch: Epoch, _ end: ChainPoint) -> SimulatedFile {
        SimulatedFile(
            number: end.number + 1,
            node: world.nodes[index].id,
            epoch: epoch,
            session: world.nodes[index].process?.core.session ?? SessionID(rawValue: 0),
            history: world.history(of: end)
        )
    }

    /// The bytes are fixed with the mark, unless the rule that says so is left out.
    private mutating func fileToShip(_ index: Int, _ mark: FileMark) -> SimulatedFile? {
        guard var file = world.nodes[index].files[mark.point.number] else { return nil }
        guard file.mark != mark else { return file }
        guard world.leftOut.contains(.reencode) else { return nil }
        file = SimulatedFile(
            number: mark.point.number,
            node: mark.node,
            epoch: mark.epoch,
            session: file.session,
            history: world.history(of: mark.point)
        )
        world.nodes[index].files[mark.point.number] = file
        return file
    }

    private mutating func accept(_ index: Int, _ point: ChainPoint) {
        world.nodes[index].record(point, in: world.nodes[index].epoch)
        world.acknowledged = world.acknowledged.union(world.history(of: point, at: index))
    }

    private mutating func open(_ index: Int, _ epoch: Epoch, _ seal: ChainPoint) {
        world.openedEpoch = max(world.openedEpoch, epoch)
        world.nodes[index].record(seal, in: epoch)
        world.nodes[index].files = [:]
        world.nodes[index].captured = world.history(of: seal)
        (world.nodes[index].isOpen, world.nodes[index].epoch) = (true, epoch)
        guard world.nodes[index].database != world.nodes[index].captured else { return }
        world.add(.capture(index, life: world.nodes[index].life), in: 1...500)
    }
}
