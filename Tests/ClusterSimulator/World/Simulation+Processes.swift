import Cluster

/// Processes: what they learn, how they start and how they end.
extension Simulation {
    /// Tells a node something, and carries out what it wants.
    mutating func tell(_ index: Int, _ life: Int, _ event: NodeEvent) {
        guard world.nodes[index].life == life, world.nodes[index].process != nil else { return }
        guard world.nodes[index].frozenUntil <= world.time else {
            return world.nodes[index].inbox.append(event)
        }
        let now = world.nodes[index].localTime(at: world.time)
        let actions = world.nodes[index].process?.core.handle(event, at: now) ?? []
        trace(index, event, actions)
        for action in actions where world.nodes[index].life == life {
            perform(index, action)
            if !world.isHealing, scenario.crashAtAction > 0, world.random.below(100_000) < scenario.crashAtAction {
                crashAndRestart(index)
            }
        }
        schedule(index)
    }

    /// Tells the process that runs there now.
    mutating func tell(_ index: Int, _ event: NodeEvent) { tell(index, world.nodes[index].life, event) }

    private mutating func trace(_ index: Int, _ event: NodeEvent, _ actions: [NodeAction]) {
        if case .tick = event, actions.isEmpty { return }
        world.say("node \(index + 1) \(event)\n        → \(actions)")
    }

    private mutating func schedule(_ index: Int) {
        guard let moment = world.nodes[index].process?.core.nextWake else { return }
        let wake = max(world.time + 1, world.nodes[index].time(of: moment))
        guard wake < world.nodes[index].nextWake else { return }
        world.nodes[index].nextWake = wake
        world.queue.add(.wake(index, life: world.nodes[index].life), at: wake)
    }

    // MARK: - Life and death

    /// Whether the node's host is there.
    func isUp(_ index: Int) -> Bool { world.nodes[index].downUntil <= world.time }

    mutating func start(_ index: Int) {
        let node = world.nodes[index]
        guard !node.isGone else { return }
        var settings = NodeSettings(
            node: node.id,
            name: "\(node.id.rawValue)",
            cluster: ClusterID(rawValue: 7),
            url: "",
            boot: "\(node.boots)",
            timing: LeaseTiming(ttl: .seconds(6))
        )
        // Shorter than in life, as all is here.
        (settings.registration, settings.absence) = (.seconds(5), .seconds(25))
        settings.isFailsafe = scenario.isFailsafe
        adapt(&settings)
        let core = NodeCore(
            settings,
            memory: node.memory,
            seed: world.random.next(),
            now: node.localTime(at: world.time),
            leavingOut: world.leftOut
        )
        world.nodes[index].process = SimulatedProcess(core)
        (world.nodes[index].frozenUntil, world.nodes[index].site) = (0, .own)
        tell(index, node.life, .tick)
    }

    mutating func crash(_ index: Int) {
        world.nodes[index].process = nil
        world.nodes[index].inbox = []
        world.nodes[index].life += 1
        (world.nodes[index].isOpen, world.nodes[index].isLocked) = (false, false)
        world.nodes[index].nextWake = .max
    }

    /// The process ends, and comes back after a while.
    mutating func crashAndRestart(_ index: Int) {
        crash(index)
        world.add(.restart(index), in: 10...scenario.longestAbsence)
    }

    /// The process ends soon, perhaps.
    mutating func crashSoon(_ index: Int, _ chance: Int, within milliseconds: Int) {
        guard !world.isHealing, world.random.chance(chance) else { return }
        world.add(.crash(index, life: world.nodes[index].life), in: 0...milliseconds)
    }

    /// Any state may be left.
    func afterPowerLoss(_ index: Int, _ cut: History) -> History { cut }

    /// The power of a host fails: its database goes back by up to a few commits.
    mutating func powerLoss(_ index: Int) {
        crash(index)
        world.nodes[index].boots += 1
        let database = world.nodes[index].database
        if !database.isEmpty {
            let highest = 127 - database.commits.leadingZeroBitCount
            let kept = max(0, highest - world.random.below(4))
            let cut = History(commits: database.commits & ((UInt128(1) << UInt128(kept)) - 1))
            let remaining = afterPowerLoss(index, cut)
            world.lost = world.lost.union(database.subtracting(remaining))
            world.nodes[index].database = remaining
            world.say("the power of host \(index + 1) fails: its database goes back to \(remaining)")
            world.remember(remaining)
        }
        world.add(.restart(index), in: 10...scenario.longestAbsence)
    }

    mutating func freeze(_ index: Int, for length: Int64) {
        world.nodes[index].frozenUntil = world.time + length
        world.queue.add(.thaw(index), at: world.nodes[index].frozenUntil)
    }

    /// The node goes on, and learns at once what came meanwhile.
    mutating func thaw(_ index: Int) {
        guard world.nodes[index].frozenUntil <= world.time else { return }
        let events = world.nodes[index].inbox
        world.nodes[index].inbox = []
        for event in events { tell(index, event) }
    }

    /// From here on nothing goes wrong, and everybody is there who comes back.
    mutating func heal() {
        (world.isHealing, world.commitLimit) = (true, 127)
        for index in world.nodes.indices { world.nodes[index].mend() }
        endOutages()
        for index in world.nodes.indices {
            if world.nodes[index].process == nil { start(index) }
            thaw(index)
            tell(index, .tick)
        }
    }

    /// An operator says something, to anybody.
    mutating func command(_ index: Int, successors: [NodeID]) {
        let command: NodeCommand
        switch world.random.below(6) {
        case 0, 1, 2:
            let choice = successors.count > 1 ? world.random.below(successors.count) : 0
            command = .switchover(to: successors[choice])
        case 3: command = .shutDown
        case 4: command = .promote(acceptLoss: false)
        default: command = .demote
        }
        tell(index, .command(command))
    }
}
