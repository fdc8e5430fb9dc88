@testable import Cluster

extension Lease {
    /// A cell of two hosts without a witness.
    static func cell(
        _ epoch: UInt64,
        of node: NodeID,
        _ state: State = .held,
        to successor: NodeID? = nil
    ) -> Lease {
        var lease = Lease.sample(state: state)
        (lease.epoch, lease.node, lease.name) = (Epoch(rawValue: epoch), node, node == .one ? "one" : "two")
        (lease.session, lease.successor, lease.eligible) = (SessionID(rawValue: epoch), successor, [node])
        lease.nonce = Nonce(high: epoch, low: node.rawValue)
        return lease
    }
}

extension FileMark {
    /// The newest file of a store.
    static func sample(_ number: UInt64, _ epoch: UInt64, of node: NodeID) -> FileMark {
        FileMark(
            point: ChainPoint(number: number, checksum: number * 11),
            node: node,
            epoch: Epoch(rawValue: epoch),
            fileChecksum: number
        )
    }
}

/// The node of the second of two hosts without a witness, led by hand.
struct SamplePair {
    var core: NodeCore
    var milliseconds: Int64 = 0
    var actions: [NodeAction] = []
    /// The cells as they are; `nil`: the store does not answer.
    var cells: [ChainSite: Lease?]

    init(
        own: Lease,
        peer: Lease?,
        memory: NodeMemory = NodeMemory(),
        change: (inout NodeSettings) -> Void = { _ in }
    ) {
        var settings = NodeSettings(
            node: .two,
            name: "two",
            cluster: ClusterID(rawValue: 7),
            url: "",
            boot: "boot",
            timing: LeaseTiming(ttl: .seconds(6))
        )
        settings.topology = .paired
        change(&settings)
        cells = [.own: own, .peer: peer]
        core = NodeCore(settings, memory: memory, seed: 1, now: Moment(reading: .zero))
        tell(.tick)
        // The peer's cell counts once it was asked after the own one was read.
        pass(600)
    }

    /// Tells the node something, and answers at once what it asks of the cells.
    mutating func tell(_ event: NodeEvent) {
        actions = core.handle(event, at: now)
        var next = 0
        while next < actions.count {
            if let answer = answer(actions[next]) { actions += core.handle(answer, at: now) }
            next += 1
        }
    }

    private var now: Moment { Moment(reading: .milliseconds(milliseconds)) }

    private func answer(_ action: NodeAction) -> NodeEvent? {
        switch action {
        case .readCell(let ticket, let site):
            guard core.pair[site].request == ticket else { return nil }
            guard let lease = cells[site] ?? nil else { return .cellRead(ticket, site, .failed) }
            return .cellRead(ticket, site, .body(lease, version(lease)))
        default: return nil
        }
    }

    private func version(_ lease: Lease) -> LeaseVersion {
        LeaseVersion(rawValue: "\(lease.nonce) \(lease.state)")
    }

    /// Lets time pass, with a look at the cells.
    mutating func pass(_ milliseconds: Int64) {
        self.milliseconds += milliseconds
        tell(.tick)
        tell(.tick)
    }

    /// Finds its database at `point`, and this host's store with such an end.
    mutating func join(at point: ChainPoint, ownEnd: FileMark?) {
        if case .examine? = core.step?.kind, let ticket = core.step?.ticket {
            tell(.examined(ticket, DatabaseFinding(checksum: point.checksum, recorded: point)))
        }
        if case .survey? = core.step?.kind, let ticket = core.step?.ticket {
            let survey = StoreSurvey(
                highest: ownEnd?.point.number ?? 0,
                holds: ownEnd?.point == point,
                end: ownEnd
            )
            tell(.surveyed(ticket, survey))
        }
    }

    /// The claim that is under way.
    var claim: CellSwap? { core.role == .claiming ? core.pair.swap : nil }

    var alarms: [String] { actions.compactMap { if case .alarm(let text) = $0 { text } else { nil } } }
}
