import Testing

@testable import Cluster

/// A chain that began anew, by `cluster adopt` or `cluster repair --reseed`.
@Suite struct BeginningTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    /// A lease of the next epoch behind which the chain begins anew, free.
    private func anew(behind begin: UInt64, continues: UInt64? = nil, since: UInt64 = 0, eligible: [NodeID] = [.one])
        -> Lease
    {
        var lease = Lease.sample(state: .free, head: ChainPoint(number: begin, checksum: 0))
        (lease.epoch, lease.begin) = (Epoch(rawValue: 4), begin)
        lease.continues = continues.map { Lease.Continuation(since: since, through: $0) }
        (lease.eligible, lease.session) = (eligible, SessionID(rawValue: 77))
        return lease
    }

    private func mark(_ number: UInt64) -> FileMark {
        FileMark(
            point: ChainPoint(number: number, checksum: number * 11),
            node: .two,
            epoch: Epoch(rawValue: 3),
            fileChecksum: number
        )
    }

    private func quarantines(_ node: SampleNode) -> Bool {
        node.actions.contains { if case .quarantine(_, nil) = $0 { true } else { false } }
    }

    private func rewinds(_ node: SampleNode) -> Bool {
        node.actions.contains { if case .rewind = $0 { true } else { false } }
    }

    @Test(
        "N15 A standby before the new beginning goes back to the chain, without a tail, as soon as it can be restored"
    )
    func goesBack() throws {
        var node = SampleNode()
        node.join(at: point, lease: anew(behind: 20, continues: 9))
        #expect(node.core.role == .quarantining && rewinds(node) && !quarantines(node))
        for wait: Int64 in [1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
            node.tell(.rewound(try #require(node.core.step?.ticket), nil))
            node.pass(wait - 1)
            #expect(!rewinds(node))
            node.pass(1)
            #expect(rewinds(node))
        }
        let end = ChainEnd(point: ChainPoint(number: 21, checksum: 5), epoch: Epoch(rawValue: 5))
        node.tell(.rewound(try #require(node.core.step?.ticket), end))
        #expect(node.core.role == .standby && node.core.position == end.point)
        #expect(node.actions.contains { if case .fetch(_, 22) = $0 { true } else { false } })
    }

    @Test("N11 What a standby holds beyond what the chain goes on from is kept first")
    func keeps() throws {
        var ahead = SampleNode()
        ahead.join(at: point, ahead: [mark(10), mark(11)], lease: anew(behind: 20, continues: 11))
        #expect(ahead.core.role == .quarantining && quarantines(ahead) && !rewinds(ahead))
        ahead.tell(.quarantined(try #require(ahead.core.step?.ticket)))
        #expect(rewinds(ahead))
        // It follows a place that the database with which the chain goes on never had.
        var newer = SampleNode()
        newer.join(at: point, lease: anew(behind: 20, continues: 8))
        #expect(newer.core.role == .quarantining && quarantines(newer) && !rewinds(newer))
        // The chain had begun anew before without it: what that database holds of the history before is not known.
        var older = SampleNode()
        older.join(at: point, lease: anew(behind: 20, continues: 18, since: 15))
        #expect(older.core.role == .quarantining && quarantines(older) && !rewinds(older))
    }

    @Test("N15 A standby that sees the beginning move goes back, and claims on no ground before")
    func claimsNothing() {
        var node = SampleNode()
        node.join(at: point)
        node.pass(600)
        node.read(anew(behind: 20, continues: 9, eligible: [.one, .two]), "v2")
        #expect(node.core.role == .standby && node.swapped == nil)
        node.answerFetch(.failed)
        node.pass(600)
        #expect(node.core.role == .quarantining && rewinds(node))
    }

    @Test("N15 The node that begins the chain anew claims it, and seals behind the beginning")
    func begins() throws {
        var node = SampleNode()
        let start = ChainPoint(number: 20, checksum: 3)
        let lease = anew(behind: 20, continues: 9, eligible: [.two])
        node.join(at: start, lease: lease)
        #expect(node.core.role == .standby)
        node.answerFetch(.absent)
        node.pass(600)
        node.read(lease, "v1")
        let claim = try #require(node.swapped)
        #expect(claim.epoch == Epoch(rawValue: 5) && claim.begin == 20 && claim.continues == lease.continues)
        node.open(at: start)
        #expect(node.core.role == .primary && node.core.position.number == 21)
    }

    @Test("N5 A foreign file halts above the beginning, and at or below it only says that this node must go back")
    func foreign() {
        var above = SampleNode()
        above.join(at: ChainPoint(number: 20, checksum: 3), lease: anew(behind: 20))
        above.answerFetch(.foreign(21))
        #expect(above.core.role == .halted && above.core.haltReason?.contains("cluster adopt") == true)
        var below = SampleNode()
        below.join(at: point)
        below.pass(600)
        below.read(anew(behind: 10, continues: 9), "v2")
        below.answerFetch(.foreign(10))
        #expect(below.core.role == .quarantining && rewinds(below))
    }

    @Test("A halted node joins again once an operator has let the chain begin anew; a takeover is no repair")
    func comesBack() throws {
        var node = SampleNode()
        node.join(at: point)
        node.answerFetch(.foreign(10))
        #expect(node.core.role == .halted)
        var takeover = Lease.sample()
        takeover.epoch = Epoch(rawValue: 4)
        node.pass(6_000)
        node.read(takeover, "v2")
        #expect(node.core.role == .halted)
        let session = node.core.session
        node.pass(6_000)
        var lease = anew(behind: 12, continues: 9)
        lease.epoch = Epoch(rawValue: 5)
        node.read(lease, "v3")
        #expect(node.core.role == .joining && node.core.haltReason == nil && node.core.session != session)
        node.pass(0)
        node.tell(.examined(try #require(node.core.step?.ticket), DatabaseFinding(checksum: 99, recorded: point)))
        #expect(node.core.role == .quarantining && rewinds(node))
    }

    @Test("Where the lease was gone, the new one is the repair; a halted node ends when it is told to")
    func leaseIsBack() {
        var node = SampleNode()
        node.join(at: point)
        node.pass(600)
        if let ticket = node.core.leaseRequest { node.tell(.leaseRead(ticket, .absent)) }
        #expect(node.core.role == .halted)
        node.pass(6_000)
        node.read(.sample(), "v1")
        #expect(node.core.role == .halted, "the lease of before is no repair")
        node.tell(.hint)
        var lease = Lease.sample(state: .free)
        lease.epoch = Epoch(rawValue: 4)
        node.read(lease, "v2")
        #expect(node.core.role == .joining)
        node.tell(.broken("it is broken"))
        #expect(node.core.role == .halted)
        node.tell(.command(.shutDown))
        #expect(node.actions == [.end])
    }

    @Test(
        "A lease older than the database, or than what this node has won, shows after a restart that the store went back"
    )
    func wentBack() {
        var won = SampleNode(memory: NodeMemory(won: Epoch(rawValue: 4)))
        won.read(.sample(), "v1")
        #expect(won.core.haltReason?.contains("went back in time") == true)
        let settings = SampleNode().core.settings
        var core = NodeCore(
            settings,
            memory: NodeMemory(),
            newestEpoch: Epoch(rawValue: 4),
            seed: 1,
            now: Moment(reading: .zero)
        )
        _ = core.handle(.tick, at: Moment(reading: .zero))
        if let ticket = core.leaseRequest {
            let reading = LeaseReading.body(.sample(), LeaseVersion(rawValue: "v1"))
            _ = core.handle(.leaseRead(ticket, reading), at: Moment(reading: .zero))
        }
        #expect(core.haltReason?.contains("reseed") == true)
    }
}
