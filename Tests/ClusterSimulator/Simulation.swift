package import Cluster

/// Some nodes, a store, and an application, in simulated time; everything follows from the seed.
package struct Simulation {
    /// Something that happens at a moment.
    enum Event {
        case wake(Int, life: Int)
        case deliver(Int, life: Int, NodeEvent)
        case land(Request)
        case begin(Int)
        case commit(Int, life: Int)
        case capture(Int, life: Int)
        case record(Int, life: Int, ChainPoint)
        case drained(Int, life: Int, Ticket)
        case write(SimulatedStore.Merged)
        case delete(UInt64)
        case ask(from: Int, life: Int, to: Int, Ticket, PromiseRequest)
        case crash(Int, life: Int)
        case restart(Int)
        case thaw(Int)
        case chaos
    }

    /// A request on its way to the store.
    struct Request {
        enum Operation {
            case readLease
            case swap(Lease, LeaseVersion?)
            case overwrite(Lease)
            case deleteLease
            case fetch(UInt64)
            case fetchMerged(UInt64)
            case create(SimulatedFile)
            case record(EpochRecord)
            case nodeRecord(NodeID, UInt64)
            case readNodeRecords
        }

        var node: Int
        var life: Int
        var ticket: Ticket
        var operation: Operation
        /// Whether its sender hears of it.
        var isAnswered: Bool
    }

    package let seed: UInt64
    let scenario: Scenario
    let leftOut: Set<ProtocolRule>
    var random: SimulationRandom
    var store = SimulatedStore()
    var nodes: [SimulatedNode] = []
    var queue = EventQueue<Event>()
    package private(set) var time: Int64 = 0
    var commitCount = 0
    var acknowledged = History()
    /// What a power cut took before anybody could have relied on it.
    var lost = History()
    var histories: [UInt64: History] = [0: History()]
    var isHealing = false
    var outageUntil: Int64 = 0
    /// Promises that were asked for: whom to answer.
    var asked: [UInt64: (from: Int, life: Int, ticket: Ticket)] = [:]
    var askedCount: UInt64 = 0
    package private(set) var eventCount = 0
    package private(set) var log: [String]?

    static let second: Int64 = 1_000_000_000
    static let timeout: Int64 = 1_500_000_000

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - seed: What everything follows from.
    ///   - rule: A rule of the protocol to be left out; what goes wrong is chosen to bring it out.
    ///   - traced: Whether ``log`` is kept.
    package init(seed: UInt64, leavingOut rule: ProtocolRule? = nil, traced: Bool = false) {
        self.seed = seed
        random = SimulationRandom(seed: seed)
        var scenario = Scenario(from: &random)
        if let rule { scenario.bringOut(rule, &random) }
        // Rare in life: in some of the runs, and never where something else is to be brought out.
        if rule == nil, seed.isMultiple(of: 4) { scenario.anew = 30 }
        self.scenario = scenario
        leftOut = rule.map { [$0] } ?? []
        if traced { log = [] }
        let ids = (0..<self.scenario.nodeCount).map { NodeID(rawValue: UInt64($0 + 1)) }
        for id in ids {
            let spread = self.scenario.hasGoodClocks ? 100 : 500
            let rate = 1 + Double(random.below(2 * spread + 1) - spread) / 1000
            nodes.append(SimulatedNode(id: id, offset: Int64(random.below(10_000)) * Self.second, rate: rate))
        }
        store.begin(
            Lease(
                cluster: ClusterID(rawValue: 7),
                epoch: .zero,
                session: SessionID(rawValue: 0),
                node: NodeID(rawValue: 0),
                name: "",
                state: .free,
                counter: 0,
                nonce: Nonce(high: 0, low: 0),
                ttl: .seconds(6),
                head: .start,
                begin: 0,
                eligible: ids,
                url: ""
            )
        )
        for index in nodes.indices {
            start(index)
            queue.add(.begin(index), at: random.milliseconds(0...500))
        }
        queue.add(.chaos, at: Self.second)
    }

    // MARK: - Running

    /// Runs to the end: things go wrong for a while, then they do not, and all must be well. Returns what was not.
    package mutating func run() -> String? {
        run(until: Int64(scenario.seconds) * Self.second)
        if let violation = store.violation { return violation }
        heal()
        let limit = time + 1_500 * Self.second
        let goal = commitCount
        let patience = time + 60 * Self.second
        var isAsked = false
        while time < limit, store.violation == nil {
            run(until: time + 3 * Self.second)
            if isWell(since: goal) { return store.violation }
            if time >= patience, !isAsked {
                // Whoever was demoted, or is not on the list, waits for a word.
                isAsked = true
                let index = nodes.indices.first { isFounding($0) } ?? 0
                tell(index, nodes[index].life, .command(.promote(acceptLoss: true)))
            }
        }
        return store.violation ?? "I8: no primary that ships, or a node that does not follow: \(summary)"
    }

    private mutating func run(until end: Int64) {
        while store.violation == nil, let (moment, event) = queue.next() {
            if moment > end {
                queue.add(event, at: moment)
                break
            }
            time = moment
            eventCount += 1
            happen(event)
        }
        time = max(time, end)
    }

    private mutating func happen(_ event: Event) {
        switch event {
        case .wake(let index, let life):
            guard nodes[index].life == life, nodes[index].nextWake <= time else { return }
            nodes[index].nextWake = .max
            tell(index, life, .tick)
        case .deliver(let index, let life, let event): tell(index, life, event)
        case .land(let request): land(request)
        case .begin(let index): begin(index)
        case .commit(let index, let life): commit(index, life)
        case .capture(let index, let life): capture(index, life)
        case .record(let index, let life, let point):
            if nodes[index].life == life { nodes[index].record(point) }
        case .drained(let index, let life, let ticket):
            guard nodes[index].life == life else { return }
            capture(index, life)
            tell(index, life, .writesEnded(ticket))
        case .write(let file): store.write(file)
        case .delete(let number): store.delete(number)
        case .ask(let from, let fromLife, let to, let ticket, var request):
            askedCount += 1
            request.reference = askedCount
            asked[askedCount] = (from, fromLife, ticket)
            tell(to, nodes[to].life, .promiseAsked(request))
        case .crash(let index, let life):
            guard nodes[index].life == life else { return }
            crash(index)
            queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
        case .restart(let index): if nodes[index].core == nil { start(index) }
        case .thaw(let index): thaw(index)
        case .chaos:
            guard !isHealing else { return }
            chaos()
            queue.add(.chaos, at: time + Int64(scenario.pulse) * 1_000_000)
        }
    }

    /// Tells a node something, and carries out what it wants.
    mutating func tell(_ index: Int, _ life: Int, _ event: NodeEvent) {
        guard nodes[index].life == life, nodes[index].core != nil else { return }
        guard nodes[index].frozenUntil <= time else {
            return nodes[index].inbox.append(event)
        }
        let now = nodes[index].localTime(at: time)
        let actions = nodes[index].core?.handle(event, at: now) ?? []
        if log != nil { trace(index, event, actions) }
        for action in actions where nodes[index].life == life {
            perform(index, action)
            if !isHealing, scenario.crashAtAction > 0, random.below(100_000) < scenario.crashAtAction {
                crash(index)
                queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
            }
        }
        schedule(index)
    }

    private mutating func schedule(_ index: Int) {
        guard let moment = nodes[index].core?.nextWake else { return }
        let wake = max(time + 1, nodes[index].time(of: moment))
        guard wake < nodes[index].nextWake else { return }
        nodes[index].nextWake = wake
        queue.add(.wake(index, life: nodes[index].life), at: wake)
    }

    // MARK: - Processes

    mutating func start(_ index: Int) {
        let node = nodes[index]
        var settings = NodeSettings(
            node: node.id,
            name: "\(node.id.rawValue)",
            cluster: ClusterID(rawValue: 7),
            url: "",
            boot: "\(node.boots)",
            timing: LeaseTiming(ttl: .seconds(6))
        )
        settings.holdDownLimit = scenario.holdDownLimit
        // Shorter than in life, as all is here.
        (settings.registration, settings.absence) = (.seconds(5), .seconds(25))
        settings.isFailsafe = scenario.isFailsafe
        let core = NodeCore(
            settings,
            memory: node.memory,
            seed: random.next(),
            now: node.localTime(at: time),
            leavingOut: leftOut
        )
        nodes[index].core = core
        nodes[index].frozenUntil = 0
        tell(index, node.life, .tick)
    }

    mutating func freeze(_ index: Int, for length: Int64) {
        nodes[index].frozenUntil = time + length
        queue.add(.thaw(index), at: nodes[index].frozenUntil)
    }

    /// The node goes on, and learns at once what came meanwhile.
    mutating func thaw(_ index: Int) {
        guard nodes[index].frozenUntil <= time else { return }
        let events = nodes[index].inbox
        nodes[index].inbox = []
        for event in events { tell(index, nodes[index].life, event) }
    }

    mutating func crash(_ index: Int) {
        nodes[index].core = nil
        nodes[index].inbox = []
        nodes[index].life += 1
        (nodes[index].isOpen, nodes[index].isLocked) = (false, false)
        nodes[index].nextWake = .max
    }

    mutating func powerLoss(_ index: Int) {
        crash(index)
        nodes[index].boots += 1
        let database = nodes[index].database
        guard !database.isEmpty else { return }
        let highest = 127 - database.commits.leadingZeroBitCount
        let kept = max(0, highest - random.below(4))
        let remaining = History(commits: database.commits & ((UInt128(1) << UInt128(kept)) - 1))
        lost = lost.union(database.subtracting(remaining))
        nodes[index].database = remaining
        remember(remaining)
    }

    mutating func remember(_ history: History) { histories[history.checksum] = history }

    func history(of point: ChainPoint) -> History { histories[point.checksum] ?? History() }

    private mutating func heal() {
        isHealing = true
        outageUntil = 0
        for index in nodes.indices {
            nodes[index].frozenUntil = 0
            (nodes[index].cutFromStore, nodes[index].cutFromPeers) = (0, 0)
            (nodes[index].cutFromLease, nodes[index].cutFromChain) = (0, 0)
            if nodes[index].core == nil { start(index) }
            thaw(index)
            tell(index, nodes[index].life, .tick)
        }
    }

    /// Whether there is one primary that ships new commits, and everybody holds what the chain holds.
    private func isWell(since commits: Int) -> Bool {
        guard commitCount > commits, let end = store.end else { return false }
        let primaries = nodes.filter { $0.core?.role == .primary && $0.isOpen }
        guard primaries.count == 1 else { return false }
        let fresh = History(
            commits: ((UInt128(1) << UInt128(min(commitCount, 127))) - 1) & ~((UInt128(1) << UInt128(commits)) - 1)
        )
        guard acknowledged.commits & fresh.commits != 0 || commits >= 120 else { return false }
        return nodes.allSatisfy { node in
            node.core?.role == .primary
                || node.core?.role == .standby && node.database.isBeginning(of: end.history)
                    && end.mark.point.number - (node.core?.position.number ?? 0) <= 4
        }
    }

    // MARK: - Invariants that concern everybody

    mutating func check() {
        var kept = (store.end?.history ?? History()).union(lost)
        for node in nodes { kept = kept.union(node.database).union(node.tail) }
        let all = commitCount >= 128 ? ~UInt128(0) : (UInt128(1) << UInt128(commitCount)) - 1
        if all & ~kept.commits != 0 {
            store.note("I6: a commit vanished: \(History(commits: all & ~kept.commits))")
        }
        if !acknowledged.subtracting(store.end?.history ?? History()).isEmpty {
            store.note("I4: acknowledged as replicated and not in the chain")
        }
    }

    var summary: String {
        nodes.map { node in
            "\(node.id.rawValue) \(node.core?.role.rawValue ?? "down") at \(node.core?.position.number ?? 0)"
                + (node.core?.haltReason.map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
    }

    private mutating func trace(_ index: Int, _ event: NodeEvent, _ actions: [NodeAction]) {
        if case .tick = event, actions.isEmpty { return }
        let milliseconds = time / 1_000_000
        log?.append("\(milliseconds) ms  node \(index + 1) \(event)\n        → \(actions)")
    }
}
