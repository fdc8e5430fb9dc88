import Testing

@testable import Cluster

/// What an operator's word does, whatever the node is at just then.
@Suite struct OperatorTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    private func isDone(_ node: SampleNode) -> Bool { node.actions.contains(.end) }

    @Test("`promote` counts for one claim, and not for ever")
    func promote() {
        var node = SampleNode()
        node.join(at: point)
        node.tell(.command(.promote(acceptLoss: true)))
        #expect(node.core.wanted(at: Moment(reading: .milliseconds(node.milliseconds))) == true)
        node.waitForClaim()
        node.open(at: point)
        #expect(node.core.role == .primary)
        #expect(node.core.wanted(at: Moment(reading: .milliseconds(node.milliseconds))) == nil)

        var other = SampleNode()
        other.join(at: point)
        other.tell(.command(.promote(acceptLoss: true)))
        other.pass(90_000)
        #expect(other.core.wanted(at: Moment(reading: .milliseconds(other.milliseconds))) == nil)
    }

    @Test("Without a word of now, a node that is off the list does not claim")
    func offTheList() {
        var lease = Lease.sample()
        lease.eligible = [.one]
        var node = SampleNode()
        node.join(at: point, lease: lease)
        node.tell(.command(.promote(acceptLoss: true)))
        node.pass(90_000)
        node.waitForClaim(lease)
        #expect(node.core.role == .standby)
        node.tell(.command(.promote(acceptLoss: true)))
        node.waitForClaim(lease)
        #expect(node.core.role == .claiming)
    }

    @Test("`promote` takes a primary back that was demoted and cannot ship")
    func promoteDemoted() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        let next = ChainPoint(number: node.core.nextNumber, checksum: 100)
        node.tell(.captured(FileMark(point: next, node: .two, epoch: node.core.epoch, fileChecksum: 1)))
        node.tell(.command(.demote))
        guard case .endingWrites(let ticket) = node.core.drain?.phase else {
            Issue.record("it does not wait for its transactions")
            return
        }
        node.tell(.writesEnded(ticket))
        node.pass(60_000)
        #expect(node.core.role == .draining)
        node.tell(.command(.promote(acceptLoss: false)))
        #expect(node.core.role == .primary && !node.core.memory.isDemoted)
    }

    @Test("N1 `demote` during a claim gives the lease back as soon as it is known to be won")
    func demoteClaiming() {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.tell(.command(.demote))
        #expect(node.core.role == .claiming)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        #expect(node.core.role == .draining)
        #expect(node.swapped?.state == .free)
    }

    @Test("N1 `demote` between the claim and the open gate lets go, and does not open")
    func demoteClaimed() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        #expect(node.core.role == .claimed)
        let fetch = try #require(node.core.step?.ticket)
        node.tell(.command(.demote))
        #expect(node.core.role == .draining && node.swapped?.state == .free)
        node.tell(.fetched(fetch, .absent))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.core.role == .joining && node.core.memory.isDemoted)
    }

    @Test("N7 Who lets go with a seal, and without a record of its epoch, leaves the head where it was")
    func demoteSealed() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        let head = node.core.hold?.claimedHead
        node.answerFetch(.absent)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.tell(.created(try #require(node.core.step?.ticket), .created))
        #expect(node.core.role == .sealed && node.core.position.number == 10)
        node.tell(.command(.demote))
        #expect(node.swapped?.state == .free)
        #expect(node.swapped?.head == head, "its own seal is contested, and no record says so")
    }

    @Test("N1 `demote` during a hand-over lets go of the lease where the other one does not come")
    func demoteHandingOver() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        node.tell(.command(.switchover(to: .one)))
        guard case .endingWrites(let ticket)? = node.core.drain?.phase else {
            Issue.record("\(node.core.role)")
            return
        }
        node.tell(.command(.demote))
        node.tell(.writesEnded(ticket))
        // A renewal may be under way; the next request lets go.
        if node.swapped == nil || node.swapped?.state == .held {
            node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        }
        #expect(node.swapped?.state == .free)
        #expect(node.core.role == .draining)
    }

    @Test("A transaction that is open at a hand-over may commit until `drain` has passed, or all is captured")
    func openTransactions() {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        node.tell(.command(.switchover(to: .one)))
        let since = node.milliseconds
        #expect(node.core.gate.openUntil == Moment(reading: .milliseconds(since + 1_000)))
        guard case .endingWrites(let ticket)? = node.core.drain?.phase else {
            Issue.record("\(node.core.role)")
            return
        }
        node.milliseconds += 300
        node.tell(.writesEnded(ticket))
        #expect(!node.core.gate.isOpen(at: Moment(reading: .milliseconds(node.milliseconds))))
    }

    @Test("A node that has halted, or lets go already, ends when it is told to")
    func shutDown() {
        var halted = SampleNode()
        halted.tell(.broken("the disk is gone"))
        #expect(halted.core.role == .halted)
        halted.tell(.command(.shutDown))
        #expect(isDone(halted))

        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        node.tell(.command(.demote))
        #expect(node.core.role == .draining)
        node.tell(.command(.shutDown))
        #expect(!isDone(node))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(isDone(node))
    }

    @Test("N13 A session that was superseded gets no promise, or it would keep its successor's standby from claiming")
    func superseded() {
        var lease = Lease.sample()
        lease.epoch = Epoch(rawValue: 4)
        lease.session = SessionID(rawValue: 12)
        var node = SampleNode()
        node.join(at: point, lease: lease)
        func request(_ session: UInt64, _ epoch: UInt64) -> PromiseRequest {
            PromiseRequest(
                cluster: ClusterID(rawValue: 7),
                node: .one,
                session: SessionID(rawValue: session),
                epoch: Epoch(rawValue: epoch),
                ttl: .seconds(6),
                reference: 1
            )
        }
        node.tell(.promiseAsked(request(11, 3)))
        #expect(node.actions.contains(.answerPromise(request(11, 3), granted: false)))
        node.tell(.promiseAsked(request(12, 4)))
        #expect(node.actions.contains(.answerPromise(request(12, 4), granted: true)))
    }

    @Test("N14 A node whose own time to live is longer looks often enough to see the lease expire")
    func shorterLease() {
        var lease = Lease.sample()
        lease.ttl = .seconds(1)
        var node = SampleNode()
        node.join(at: point, lease: lease)
        for _ in 0..<30 where node.core.role == .standby {
            node.answerFetch(.absent)
            node.pass(100)
            node.read(lease, "v1")
        }
        #expect(node.core.role == .claiming)
    }
}
