import Cluster

/// What every simulated cluster is made of: nodes, time and what happens in it, and what is known of all commits.
///
/// `Incident`: what happens in one topology alone.
struct World<Incident> {
    /// Something that happens at a moment. A node that has died since (`life`) does not meet it.
    enum Event {
        case wake(Int, life: Int)
        case deliver(Int, life: Int, NodeEvent)
        case land(Request)
        case begin(Int)
        case commit(Int, life: Int)
        case capture(Int, life: Int)
        /// What is committed is captured, then the node hears this.
        case captured(Int, life: Int, NodeEvent)
        case record(Int, life: Int, FileMark)
        case ask(from: Int, life: Int, to: Int, Ticket, PromiseRequest)
        case crash(Int, life: Int)
        case restart(Int)
        case thaw(Int)
        case chaos
        case incident(Incident)
    }

    let leftOut: Set<ProtocolRule>
    var random: SimulationRandom
    var nodes: [SimulatedNode] = []
    var queue = EventQueue<Event>()
    /// In nanoseconds.
    var time: Int64 = 0
    var eventCount = 0
    /// Things go wrong no more.
    var isHealing = false

    var commitCount = 0
    /// Up to how many the application goes now, of the ``History/limit`` that there can be.
    var commitLimit = 100
    /// What was acknowledged as replicated.
    var acknowledged = History()
    /// What was accepted while nobody else might take over.
    var protected = History()
    /// What a power cut took before anybody could have relied on it.
    var lost = History()
    /// The newest epoch that has opened for writing.
    var openedEpoch = Epoch.zero
    /// Every state that a database had, by its checksum.
    private var histories: [UInt64: History] = [0: History()]

    /// Promises that were asked for: whom to answer.
    var asked: [UInt64: (from: Int, life: Int, ticket: Ticket)] = [:]
    var askedCount: UInt64 = 0

    /// What broke first, of what the simulation itself watches.
    var broken: String?
    /// What has happened, if that is wanted.
    private(set) var log: [String]?

    init(seed: UInt64, leavingOut rule: ProtocolRule?, traced: Bool) {
        random = SimulationRandom(seed: seed)
        leftOut = rule.map { [$0] } ?? []
        log = traced ? [] : nil
    }

    /// Adds nodes 1, 2, … whose clocks run within 10 % of the true time, or within 50 %.
    mutating func addNodes(_ count: Int, hasGoodClocks: Bool) {
        for number in 1...count {
            let spread = hasGoodClocks ? 100 : 500
            let rate = 1 + Double(random.below(2 * spread + 1) - spread) / 1000
            let offset = Int64(random.below(10_000)) * SimulatedTime.second
            nodes.append(SimulatedNode(id: NodeID(rawValue: UInt64(number)), offset: offset, rate: rate))
        }
    }

    // MARK: - What will happen

    mutating func add(_ event: Event, in milliseconds: ClosedRange<Int>) {
        queue.add(event, at: time + random.milliseconds(milliseconds))
    }

    /// The node learns something, unless it has died by then.
    mutating func deliver(_ event: NodeEvent, to index: Int, in milliseconds: ClosedRange<Int>) {
        add(.deliver(index, life: nodes[index].life, event), in: milliseconds)
    }

    /// What is committed by then is captured, then the node learns something.
    mutating func deliver(_ event: NodeEvent, afterCaptureTo index: Int) {
        add(.captured(index, life: nodes[index].life, event), in: 1...1000)
    }

    // MARK: - What databases hold

    mutating func remember(_ history: History) { histories[history.checksum] = history }

    func history(of point: ChainPoint) -> History { histories[point.checksum] ?? History() }

    /// What the store holds at a place, as the node's own file says.
    func history(of point: ChainPoint, at index: Int) -> History {
        nodes[index].files[point.number]?.history ?? history(of: point)
    }

    /// The commits from number `first` on.
    func commits(from first: Int) -> History {
        let all = commitCount >= 128 ? ~UInt128(0) : (UInt128(1) << UInt128(commitCount)) - 1
        return History(commits: first >= 128 ? 0 : all & ~((UInt128(1) << UInt128(first)) - 1))
    }

    // MARK: - What people see

    mutating func say(_ text: @autoclosure () -> String) { log?.append("\(time / 1_000_000) ms  \(text())") }

    var summary: String {
        nodes.map { node in
            "\(node.id.rawValue) \(node.process?.core.role.rawValue ?? "down") at \(node.process?.core.position.number ?? 0)"
                + (node.process?.core.haltReason.map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
    }
}

/// Lengths of simulated time, in nanoseconds.
enum SimulatedTime {
    static let second: Int64 = 1_000_000_000
    /// How long a node waits for an answer.
    static let timeout: Int64 = 1_500_000_000
}
