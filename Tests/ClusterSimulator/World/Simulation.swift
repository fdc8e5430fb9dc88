import Cluster

/// A simulated cluster: a world, and what is particular to how its nodes and stores lie. Everything follows from the seed.
///
/// The extensions do what all topologies have in common: events, processes, databases, the application, the way of requests.
protocol Simulation {
    associatedtype Conditions: Scenario
    associatedtype Incident

    var world: World<Incident> { get set }
    var scenario: Conditions { get }

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - seed: What everything follows from.
    ///   - rule: A rule of the protocol to be left out; what goes wrong is chosen to bring it out.
    ///   - isHard: Whether what is rare goes wrong in most runs, instead of in a few.
    ///   - traced: Whether the world's log is kept.
    init(seed: UInt64, leavingOut rule: ProtocolRule?, isHard: Bool, traced: Bool)

    // MARK: Where requests go, and what they mean

    /// The store that a node asks for something; `nil`: the witness.
    func store(for operation: Request.Operation, of index: Int) -> Int?
    /// Draws what becomes of a request while things go wrong.
    mutating func fate(of request: Request) -> Fate
    /// Does what a request asks for. `nil`: it is not answered, or by other means.
    mutating func carryOut(_ request: Request) -> NodeEvent?
    /// Draws whether what one node says to another arrives.
    mutating func reaches(_ from: Int, _ to: Int) -> Bool

    // MARK: What actions mean

    /// Settings of a node that starts.
    func adapt(_ settings: inout NodeSettings)
    /// Carries out what a node wants; what is done alike everywhere is left to ``performAlike(_:_:)``.
    mutating func perform(_ index: Int, _ action: NodeAction)
    /// What a restore of the chain's newest state gives a node now; `nil`: nothing that counts.
    func restored(by index: Int) -> (end: ChainEnd, history: History)?
    /// Draws the longest time that the next transaction may take, in milliseconds.
    mutating func transactionLength() -> Int

    // MARK: What goes wrong

    /// Draws what goes wrong now.
    mutating func chaos()
    mutating func happen(_ incident: Incident)
    /// What a power cut leaves of a database that it would cut down to a state.
    func afterPowerLoss(_ index: Int, _ cut: History) -> History
    /// Ends what is wrong with stores; nothing is wrong with nodes any more.
    mutating func endOutages()

    // MARK: What must hold

    /// What broke, if anything did.
    var violation: String? { get }
    /// Whether no commit may be accepted any more once a newer epoch has opened.
    var hasOneWriter: Bool { get }
    /// What must hold before all is mended, where anything must. Returns what did not.
    mutating func endure() -> String?
    /// Looks at what must hold at every instant.
    mutating func check()
    /// Whether all is as it must become once things go wrong no more; `commits` were made before that.
    func isWell(since commits: Int) -> Bool
    /// Who was gone comes back; `false`: nobody was. All must become well again.
    mutating func comeBack() -> Bool
    /// Operators say what some nodes may wait for, the `round`th time.
    mutating func sayWord(_ round: Int)
}

/// What a run's scenario says, whatever the topology.
protocol Scenario {
    /// How long things go wrong, in seconds.
    var seconds: Int { get }
    /// How often what goes wrong is drawn, in milliseconds.
    var pulse: Int { get }
    /// The chance that a process ends between two of its actions, in hundred thousandths.
    var crashAtAction: Int { get }
    /// The longest time that a crashed process stays away, and the longest look at a database, in milliseconds.
    var longestAbsence: Int { get }
    var longestExamination: Int { get }
    /// The mean time between commits, in milliseconds.
    var commitPause: Int { get }
    var isFailsafe: Bool { get }
}

extension Simulation {
    mutating func note(_ what: String) { if violation == nil { world.broken = what } }

    /// The first moments; the last step of every initializer.
    mutating func begin() {
        for index in world.nodes.indices {
            start(index)
            world.add(.begin(index), in: 0...500)
        }
        world.queue.add(.chaos, at: SimulatedTime.second)
    }

    /// Runs to the end: things go wrong for a while, then they do not, and all must be well. Returns what was not.
    mutating func run() -> String? {
        run(until: Int64(scenario.seconds) * SimulatedTime.second)
        if let violation = violation ?? endure() { return violation }
        heal()
        var limit = world.time + 1_500 * SimulatedTime.second
        var goal = world.commitCount
        var patience = world.time + 60 * SimulatedTime.second
        var words = 0
        while world.time < limit, violation == nil {
            run(until: world.time + 3 * SimulatedTime.second)
            if isWell(since: goal) {
                guard violation == nil, comeBack() else { return violation }
                (goal, limit) = (world.commitCount, world.time + 1_500 * SimulatedTime.second)
            }
            guard world.time >= patience else { continue }
            patience = world.time + 120 * SimulatedTime.second
            words += 1
            sayWord(words)
        }
        return violation
            ?? "I8: no primary that ships, or a node that does not follow: \(world.summary); commit \(goal) of \(world.commitCount)"
    }

    mutating func run(until end: Int64) {
        while violation == nil, let (moment, event) = world.queue.next() {
            if moment > end {
                world.queue.add(event, at: moment)
                break
            }
            world.time = moment
            world.eventCount += 1
            happen(event)
            check()
        }
        world.time = max(world.time, end)
    }

    private mutating func happen(_ event: World<Incident>.Event) {
        switch event {
        case .wake(let index, let life):
            guard isAlive(index, life), world.nodes[index].nextWake <= world.time else { return }
            world.nodes[index].nextWake = .max
            tell(index, life, .tick)
        case .deliver(let index, let life, let event): tell(index, life, event)
        case .land(let request): land(request)
        case .begin(let index): beginTransaction(index)
        case .commit(let index, let life): commit(index, life)
        case .capture(let index, let life): capture(index, life)
        case .captured(let index, let life, let event):
            guard isAlive(index, life) else { return }
            capture(index, life)
            tell(index, life, event)
        case .record(let index, let life, let mark):
            if isAlive(index, life) { world.nodes[index].record(mark.point, in: mark.epoch) }
        case .ask(let from, let fromLife, let to, let ticket, let request):
            ask(from, fromLife, to, ticket, request)
        case .crash(let index, let life): if isAlive(index, life) { crashAndRestart(index) }
        case .restart(let index): if world.nodes[index].process == nil, isUp(index) { start(index) }
        case .thaw(let index): thaw(index)
        case .chaos:
            guard !world.isHealing else { return }
            chaos()
            world.queue.add(.chaos, at: world.time + Int64(scenario.pulse) * 1_000_000)
        case .incident(let incident): happen(incident)
        }
    }

    /// Whether that process still runs.
    private func isAlive(_ index: Int, _ life: Int) -> Bool { world.nodes[index].life == life }
}
