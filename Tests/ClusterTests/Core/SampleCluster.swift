@testable import Cluster

extension NodeID {
    static let one = NodeID(rawValue: 1)
    static let two = NodeID(rawValue: 2)
}

extension Lease {
    /// The lease of a cluster of two, as node one holds it in epoch 3.
    static func sample(counter: UInt64 = 1, state: State = .held, head: ChainPoint = .start) -> Lease {
        Lease(
            cluster: ClusterID(rawValue: 7),
            epoch: Epoch(rawValue: 3),
            session: SessionID(rawValue: 11),
            node: .one,
            name: "one",
            state: state,
            counter: counter,
            nonce: Nonce(high: 1, low: counter),
            ttl: .seconds(6),
            head: head,
            begin: 0,
            eligible: [.one, .two],
            url: ""
        )
    }
}

/// A node of the sample cluster that is led by hand.
struct SampleNode {
    var core: NodeCore
    var milliseconds: Int64 = 0
    var actions: [NodeAction] = []

    init(
        _ node: NodeID = .two,
        memory: NodeMemory = NodeMemory(),
        boot: String = "boot",
        topology: StoreTopology = .shared
    ) {
        var settings = NodeSettings(
            node: node,
            name: "two",
            cluster: ClusterID(rawValue: 7),
            url: "",
            boot: boot,
            timing: LeaseTiming(ttl: .seconds(6))
        )
        settings.topology = topology
        core = NodeCore(settings, memory: memory, seed: 1, now: Moment(reading: .zero))
        tell(.tick)
    }

    mutating func tell(_ event: NodeEvent) {
        actions = core.handle(event, at: Moment(reading: .milliseconds(milliseconds)))
    }

    mutating func pass(_ milliseconds: Int64) {
        self.milliseconds += milliseconds
        tell(.tick)
    }

    /// Answers the read of the lease that is under way.
    mutating func read(_ lease: Lease, _ version: String) {
        guard let ticket = core.leaseRequest else { return }
        tell(.leaseRead(ticket, .body(lease, LeaseVersion(rawValue: version))))
    }

    /// Becomes a standby at `point`.
    mutating func join(at point: ChainPoint, ahead: [FileMark] = [], lease: Lease = .sample(), version: String = "v1") {
        read(lease, version)
        guard let ticket = core.step?.ticket else { return }
        let checksum = ahead.last?.point.checksum ?? point.checksum
        tell(.examined(ticket, DatabaseFinding(checksum: checksum, recorded: point, ahead: ahead)))
    }

    /// Watches the lease stand still until it claims.
    mutating func waitForClaim(_ lease: Lease = .sample(), version: String = "v1") {
        for _ in 0..<20 where core.role == .standby {
            answerFetch(.absent)
            pass(600)
            read(lease, version)
        }
    }

    mutating func answerFetch(_ answer: FetchAnswer) {
        guard let step = core.step, case .fetch = step.kind else { return }
        tell(.fetched(step.ticket, answer))
    }

    mutating func answerSwap(_ answer: SwapAnswer) {
        guard let ticket = core.leaseRequest else { return }
        tell(.leaseSwapped(ticket, answer))
    }

    /// Goes from a claim to the open gate behind `point`.
    mutating func open(at point: ChainPoint) {
        answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        answerFetch(.absent)
        if let ticket = core.step?.ticket { tell(.verified(ticket, checksum: point.checksum)) }
        if let ticket = core.step?.ticket { tell(.created(ticket, .created)) }
        if let ticket = core.step?.ticket { tell(.recorded(ticket, .created)) }
    }

    var uploads: Bool { actions.contains { if case .upload = $0 { true } else { false } } }

    var swapped: Lease? {
        for case .swapLease(_, let body, _) in actions { return body }
        return nil
    }
}
