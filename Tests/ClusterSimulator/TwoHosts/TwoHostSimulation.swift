import Cluster

/// Two hosts, each with a node and a store; the node on each ships to the store of the other (failover-review G).
///
/// Where the right to write lies is left to the topology: in a witness, or in the stores themselves.
protocol TwoHostSimulation: Simulation where Conditions: TwoHostScenario, Incident == HostIncident {
    var hosts: Hosts { get set }

    /// The head that the right to write promises.
    var promisedHead: UInt64 { get }
    /// A disk has gone back, or a power cut has taken something.
    mutating func noteLoss()
}

/// What does not come back: a node's process, or its host with the store.
enum Gone {
    case process
    case host
}

/// The stores of the two hosts.
struct Hosts {
    var stores = [HostStore(), HostStore()]
    /// Earlier states of the stores, as their disks may come back.
    var images: [[HostStore]] = [[], []]
    /// Until when a store answers and takes nothing.
    var readOnlyUntil: [Int64] = [0, 0]

    /// The newest states that the stores hold, together.
    var stored: History { stores.reduce(History()) { $0.union($1.end?.history ?? History()) } }

    var violation: String? { stores[0].violation ?? stores[1].violation }
}

/// What happens on a host beside what nodes are told.
enum HostIncident {
    /// All pages are one file.
    case copied(Int, life: Int, Ticket, Epoch, from: UInt64)
    case publish(store: Int, SimulatedFile)
    case delete(store: Int, UInt64)
    case hostUp(Int)
}

/// What may go wrong with two hosts, whatever the topology.
protocol TwoHostScenario: Scenario {
    /// Chances of a request, in thousandths.
    var lostRequest: Int { get }
    var lostAnswer: Int { get }
    var late: Int { get }
    var conflict: Int { get }
    /// The longest delay of a late one after its sender gave up, in milliseconds.
    var latest: Int { get }
    /// Chances for a host at each pulse, in thousandths.
    var crash: Int { get }
    var hostDown: Int { get }
    var powerLoss: Int { get }
    var freeze: Int { get }
    /// Of the hosts that come back, those whose store is older, in thousandths.
    var rollback: Int { get }
    /// Whether such a store may still hold what was promised.
    var isRollbackRecent: Bool { get }
    /// The chances that a whole copy fails, and that nothing is told of a capture, in thousandths.
    var copyFailure: Int { get }
    var captureFailure: Int { get }
    /// What does not come back when all else is well again.
    var gone: Gone? { get }
    /// In milliseconds.
    var longestCut: Int { get }
    var longestFreeze: Int { get }
}

extension TwoHostSimulation {
    mutating func happen(_ incident: HostIncident) {
        switch incident {
        case .copied(let index, let life, let ticket, let epoch, let number): copy(index, life, ticket, epoch, number)
        case .publish(let store, let file): if isUp(store) { hosts.stores[store].publish(file) }
        case .delete(let store, let number): if isUp(store) { hosts.stores[store].delete(number) }
        case .hostUp(let index): hostUp(index)
        }
    }

    mutating func transactionLength() -> Int { 50 }

    // MARK: - Whole copies

    /// Nothing is told of a capture that fails.
    mutating func captureAll(_ index: Int, _ ticket: Ticket) {
        guard world.isHealing || !world.random.chance(scenario.captureFailure) else { return }
        world.deliver(.capturedAll(ticket), afterCaptureTo: index)
    }

    mutating func createCopy(_ index: Int, _ ticket: Ticket, _ epoch: Epoch, _ number: UInt64) {
        guard world.isHealing || !world.random.chance(scenario.copyFailure) else {
            return world.deliver(.copied(ticket, nil), to: index, in: 20...800)
        }
        let life = world.nodes[index].life
        world.add(.incident(.copied(index, life: life, ticket, epoch, from: number)), in: 20...800)
    }

    /// All pages become one file, behind what was captured before.
    private mutating func copy(_ index: Int, _ life: Int, _ ticket: Ticket, _ epoch: Epoch, _ number: UInt64) {
        let node = world.nodes[index]
        guard node.life == life, let core = node.core, node.isOpen else { return }
        guard node.frozenUntil <= world.time else {
            let later = HostIncident.copied(index, life: life, ticket, epoch, from: number)
            return world.queue.add(.incident(later), at: node.frozenUntil)
        }
        let file = SimulatedFile(
            number: max(number, core.nextNumber),
            node: node.id,
            epoch: epoch,
            session: core.session,
            history: node.database,
            isWhole: true
        )
        world.remember(file.history)
        world.nodes[index].files[file.mark.point.number] = file
        world.nodes[index].captured = file.history
        tell(index, life, .copied(ticket, file.mark))
    }
}
