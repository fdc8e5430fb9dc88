import Cluster

/// Databases, and the application that writes to them.
extension Simulation {
    /// What the node finds on its disk; what was committed and not captured becomes a file first.
    mutating func examine(_ index: Int) -> DatabaseFinding {
        var node = world.nodes[index]
        // A whole copy that is not known to be accepted stands for all before it.
        let copy = node.files.values.filter { $0.isWhole && $0.mark.point.number > node.recorded.number }.max {
            $0.mark.point.number < $1.mark.point.number
        }
        let first = copy?.mark.point.number ?? node.recorded.number + 1
        var newest = first - 1
        var state = world.history(of: node.recorded)
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
        world.remember(node.database)
        var ahead: [FileMark] = []
        while let file = node.files[first + UInt64(ahead.count)] { ahead.append(file.mark) }
        world.nodes[index] = node
        return DatabaseFinding(
            checksum: node.database.checksum,
            recorded: node.recorded,
            intended: node.intended,
            older: node.older,
            ahead: ahead,
            epoch: node.recordedEpoch
        )
    }

    mutating func apply(_ index: Int, _ mark: FileMark, _ from: ChainPoint) -> ApplyAnswer {
        guard let fetched = world.nodes[index].fetched, fetched.mark == mark else { return .failed }
        let database = world.nodes[index].database
        if world.leftOut.contains(.blindApply) {
            let base = world.history(of: from)
            world.nodes[index].database =
                database == base ? fetched.history : database.union(fetched.history.subtracting(base))
        } else {
            guard database.checksum == from.checksum else { return .unfit }
            // A whole copy may lack what a power cut has taken from its writer: the chain counts.
            guard fetched.isWhole || database.isBeginning(of: fetched.history) else { return .unfit }
            world.nodes[index].database = fetched.history
        }
        world.nodes[index].synced = world.nodes[index].database
        world.remember(world.nodes[index].database)
        world.nodes[index].files[mark.point.number] = nil
        world.nodes[index].intended = mark.point
        world.add(.record(index, life: world.nodes[index].life, mark), in: 0...5)
        return .applied
    }

    mutating func rewind(_ index: Int) -> ChainEnd? {
        guard let newest = restored(by: index) else { return nil }
        (world.nodes[index].database, world.nodes[index].synced) = (newest.history, newest.history)
        world.nodes[index].files = [:]
        world.remember(newest.history)
        world.nodes[index].record(newest.end.point, in: newest.end.epoch)
        return newest.end
    }

    // MARK: - The application

    /// It begins a transaction where it may.
    mutating func beginTransaction(_ index: Int) {
        let pause = world.isHealing ? 300 : scenario.commitPause
        world.add(.begin(index), in: 1...(2 * pause))
        guard world.nodes[index].frozenUntil <= world.time, mayWrite(index),
            world.commitCount < world.commitLimit
        else { return }
        let length = transactionLength()
        world.add(.commit(index, life: world.nodes[index].life), in: 0...length)
    }

    private func mayWrite(_ index: Int) -> Bool {
        let node = world.nodes[index]
        guard let core = node.core, node.isOpen, core.role == .primary, !node.isLocked else { return false }
        return core.gate.isOpen(at: node.localTime(at: world.time))
    }

    /// The transaction wants to commit; it asks again, under the write lock.
    mutating func commit(_ index: Int, _ life: Int) {
        guard world.nodes[index].life == life, world.commitCount < 127 else { return }
        guard world.nodes[index].frozenUntil <= world.time else {
            return world.queue.add(.commit(index, life: life), at: world.nodes[index].frozenUntil)
        }
        guard mayWrite(index) || world.leftOut.contains(.roleBeforeLock) else { return }
        if hasOneWriter, world.openedEpoch > world.nodes[index].epoch {
            note("I5: a commit was accepted after epoch \(world.openedEpoch) had opened")
        }
        if world.nodes[index].process?.core.isProtecting == true { world.protected.insert(world.commitCount) }
        write(index)
        world.add(.capture(index, life: life), in: 1...1000)
    }

    /// The next commit is in that node's database.
    mutating func write(_ index: Int) {
        world.nodes[index].database.insert(world.commitCount)
        world.commitCount += 1
        world.remember(world.nodes[index].database)
    }

    /// Closes what is committed as the next transaction file.
    mutating func capture(_ index: Int, _ life: Int) {
        let node = world.nodes[index]
        guard node.life == life, node.isOpen, let core = node.core, core.role == .primary || core.role == .draining,
            node.database != node.captured
        else { return }
        guard node.frozenUntil <= world.time else {
            return world.queue.add(.capture(index, life: life), at: node.frozenUntil)
        }
        let file = SimulatedFile(
            number: core.nextNumber,
            node: node.id,
            epoch: node.epoch,
            session: core.session,
            history: node.database
        )
        world.nodes[index].files[core.nextNumber] = file
        world.nodes[index].captured = node.database
        tell(index, life, .captured(file.mark))
    }

    // MARK: - What must hold

    mutating func endure() -> String? { nil }

    /// Notes if a commit is nowhere: not in what stores keep, nor in a database or a tail, nor taken by a power cut.
    mutating func noteVanished(besides stored: History) {
        var kept = world.lost.union(stored)
        for node in world.nodes { kept = kept.union(node.database).union(node.tail) }
        let vanished = world.commits(from: 0).subtracting(kept)
        if !vanished.isEmpty { note("I6: a commit vanished: \(vanished)") }
    }

    /// Whether something that was committed since was acknowledged as replicated.
    func hasShipped(since commits: Int) -> Bool {
        guard world.commitCount > commits else { return false }
        return !world.acknowledged.intersection(world.commits(from: commits)).isEmpty || commits >= 120
    }
}
