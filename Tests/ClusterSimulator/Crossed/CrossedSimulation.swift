package import Cluster

/// Two hosts, each with a node and a store, a witness and an application, in simulated time; everything follows from the
/// seed. The node on each host ships to the store of the other (failover-review G).
package struct CrossedSimulation {
    /// Something that happens at a moment.
    enum Event {
        case wake(Int, life: Int)
        case deliver(Int, life: Int, NodeEvent)
        case land(Request)
        case begin(Int)
        case commit(Int, life: Int)
        case capture(Int, life: Int)
        case captured(Int, life: Int, NodeEvent)
        case copy(Int, life: Int, Ticket, Epoch, UInt64)
        case record(Int, life: Int, ChainPoint)
        case publish(Int, SimulatedFile)
        case delete(Int, UInt64)
        case ask(from: Int, life: Int, to: Int, Ticket, PromiseRequest)
        case crash(Int, life: Int)
        case restart(Int)
        case hostUp(Int)
        case thaw(Int)
        case chaos
    }

    /// A request on its way to the witness or to a store.
    struct Request {
        enum Operation {
            case readLease
            case swap(Lease, LeaseVersion?)
            case survey(Int, ChainPoint)
            case fetch(Int, UInt64)
            case fetchMerged(Int, UInt64)
            case create(Int, SimulatedFile)
            case publish(Int, SimulatedFile)
            case record(Int, EpochRecord)
            case nodeRecord(Int, NodeID, UInt64)
            case readNodeRecords(Int)
        }

        var node: Int
        var life: Int
        var ticket: Ticket
        var operation: Operation
        /// Whether its sender hears of it.
        var isAnswered: Bool
    }

    package let seed: UInt64
    let scenario: CrossedScenario
    let leftOut: Set<ProtocolRule>
    var random: SimulationRandom
    var witness: SimulatedWitness
    var stores = [CrossedStore(), CrossedStore()]
    /// Earlier states of the stores, as their disks may come back.
    var images: [[CrossedStore]] = [[], []]
    var nodes: [SimulatedNode] = []
    /// Which store a node reads, seals and ships to.
    var sites = [ChainSite.own, .own]
    /// Until when a host is down, and until when its store takes nothing.
    var downUntil: [Int64] = [0, 0]
    var readOnlyUntil: [Int64] = [0, 0]
    var queue = EventQueue<Event>()
    package private(set) var time: Int64 = 0
    var commitCount = 0
    var acknowledged = History()
    /// What was accepted while nobody else might take over.
    var protected = History()
    var lost = History()
    var openedEpoch = Epoch.zero
    var histories: [UInt64: History] = [0: History()]
    var isHealing = false
    var witnessOutageUntil: Int64 = 0
    var asked: [UInt64: (from: Int, life: Int, ticket: Ticket)] = [:]
    var askedCount: UInt64 = 0
    package private(set) var eventCount = 0
    package private(set) var log: [String]?
    private var broken: String?

    static let second: Int64 = 1_000_000_000
    static let timeout: Int64 = 1_500_000_000

    /// Prepares a run; see ``Simulation``.
    package init(seed: UInt64, leavingOut rule: ProtocolRule? = nil, traced: Bool = false) {
        self.seed = seed
        random = SimulationRandom(seed: seed)
        var scenario = CrossedScenario(from: &random)
        if let rule { scenario.bringOut(rule) }
        self.scenario = scenario
        leftOut = rule.map { [$0] } ?? []
        if traced { log = [] }
        let ids = [NodeID(rawValue: 1), NodeID(rawValue: 2)]
        witness = SimulatedWitness(
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
                origin: Lease.Origin(epoch: .zero, node: ids[0], first: 0),
                eligible: [ids[0]],
                url: ""
            )
        )
        for id in ids {
            let spread = scenario.hasGoodClocks ? 100 : 500
            let rate = 1 + Double(random.below(2 * spread + 1) - spread) / 1000
            nodes.append(SimulatedNode(id: id, offset: Int64(random.below(10_000)) * Self.second, rate: rate))
        }
        for index in nodes.indices {
            start(index)
            queue.add(.begin(index), at: random.milliseconds(0...500))
        }
        queue.add(.chaos, at: Self.second)
    }

    // MARK: - Running

    /// What broke, if anything did.
    var violation: String? { broken ?? witness.violation ?? stores[0].violation ?? stores[1].violation }

    mutating func note(_ what: String) { if violation == nil { broken = what } }

    /// Runs to the end: things go wrong for a while, then they do not, and all must be well. Returns what was not.
    package mutating func run() -> String? {
        run(until: Int64(scenario.seconds) * Self.second)
        if let violation { return violation }
        heal()
        let limit = time + 1_500 * Self.second
        let goal = commitCount
        var patience = time + 60 * Self.second
        while time < limit, violation == nil {
            run(until: time + 3 * Self.second)
            if isWell(since: goal) { return violation }
            guard time >= patience else { continue }
            // Whoever was demoted waits for a word.
            patience = time + 120 * Self.second
            for index in nodes.indices { tell(index, nodes[index].life, .command(.promote(acceptLoss: false))) }
        }
        return violation ?? "I8: no primary that ships, or a node that does not follow: \(summary)"
    }

    private mutating func run(until end: Int64) {
        while violation == nil, let (moment, event) = queue.next() {
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
        case .captured(let index, let life, let event):
            guard nodes[index].life == life else { return }
            capture(index, life)
            tell(index, life, event)
        case .copy(let index, let life, let ticket, let epoch, let number): copy(index, life, ticket, epoch, number)
        case .record(let index, let life, let point): if nodes[index].life == life { nodes[index].record(point) }
        case .publish(let store, let file): if isUp(store) { stores[store].publish(file) }
        case .delete(let store, let number): if isUp(store) { stores[store].delete(number) }
        case .ask(let from, let fromLife, let to, let ticket, var request):
            askedCount += 1
            request.reference = askedCount
            asked[askedCount] = (from, fromLife, ticket)
            tell(to, nodes[to].life, .promiseAsked(request))
        case .crash(let index, let life):
            guard nodes[index].life == life, isUp(index) else { return }
            crash(index)
            queue.add(.restart(index), at: time + random.milliseconds(10...scenario.longestAbsence))
        case .restart(let index): if nodes[index].core == nil, isUp(index) { start(index) }
        case .hostUp(let index): hostUp(index)
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
        settings.topology = .crossed
        settings.holdDownLimit = nil
        // Shorter than in life, as all is here.
        (settings.registration, settings.absence) = (.seconds(5), .seconds(25))
        settings.isFailsafe = scenario.isFailsafe
        sites[index] = .own
        nodes[index].core = NodeCore(
            settings,
            memory: node.memory,
            seed: random.next(),
            now: node.localTime(at: time),
            leavingOut: leftOut
        )
        nodes[index].frozenUntil = 0
        tell(index, node.life, .tick)
    }

    /// The node goes on, and learns at once what came meanwhile.
    private mutating func thaw(_ index: Int) {
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

    func isUp(_ host: Int) -> Bool { downUntil[host] <= time }

    private mutating func heal() {
        isHealing = true
        witnessOutageUntil = 0
        for index in nodes.indices {
            (downUntil[index], readOnlyUntil[index]) = (0, 0)
            nodes[index].frozenUntil = 0
            (nodes[index].cutFromPeers, nodes[index].cutFromLease, nodes[index].cutFromChain) = (0, 0, 0)
        }
        for index in nodes.indices {
            if nodes[index].core == nil { start(index) }
            thaw(index)
            tell(index, nodes[index].life, .tick)
        }
    }

    /// Whether one node writes and ships, and the other follows and may take over.
    private func isWell(since commits: Int) -> Bool {
        guard commitCount > commits else { return false }
        guard let primary = nodes.indices.first(where: { nodes[$0].core?.role == .primary && nodes[$0].isOpen }) else {
            return false
        }
        let other = 1 - primary
        guard nodes[other].core?.role == .standby, let end = stores[other].end else { return false }
        let fresh = History(
            commits: ((UInt128(1) << UInt128(min(commitCount, 127))) - 1) & ~((UInt128(1) << UInt128(commits)) - 1)
        )
        guard acknowledged.commits & fresh.commits != 0 || commits >= 120 else { return false }
        return nodes[other].database.isBeginning(of: end.history) && witness.lease.eligible.count == 2
            && end.mark.point.number - (nodes[other].core?.position.number ?? 0) <= 4
    }

    // MARK: - Invariants that concern everybody

    mutating func check() {
        var kept = lost
        for store in stores { kept = kept.union(store.end?.history ?? History()) }
        for node in nodes { kept = kept.union(node.database).union(node.tail) }
        let all = commitCount >= 128 ? ~UInt128(0) : (UInt128(1) << UInt128(commitCount)) - 1
        if all & ~kept.commits != 0 { note("I6: a commit vanished: \(History(commits: all & ~kept.commits))") }
    }

    mutating func remember(_ history: History) { histories[history.checksum] = history }

    func history(of point: ChainPoint) -> History { histories[point.checksum] ?? History() }

    var summary: String {
        nodes.map { node in
            "\(node.id.rawValue) \(node.core?.role.rawValue ?? "down") at \(node.core?.position.number ?? 0)"
                + (node.core?.haltReason.map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
    }

    private mutating func trace(_ index: Int, _ event: NodeEvent, _ actions: [NodeAction]) {
        if case .tick = event, actions.isEmpty { return }
        log?.append("\(time / 1_000_000) ms  node \(index + 1) \(event)\n        → \(actions)")
    }

    mutating func say(_ text: String) { log?.append("\(time / 1_000_000) ms  \(text)") }
}
