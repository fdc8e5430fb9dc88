import Testing

@testable import Cluster

@Suite struct TakeoverTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    @Test("N12 A standby takes over in this order: swap, catch up, verify, seal, record, open")
    func order() throws {
        var node = SampleNode()
        #expect(node.core.role == .joining)
        node.join(at: point)
        #expect(node.core.role == .standby)
        node.waitForClaim()
        #expect(node.core.role == .claiming)
        #expect(node.swapped?.epoch == Epoch(rawValue: 4))
        let since = node.milliseconds

        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        #expect(node.core.role == .claimed)
        #expect(node.core.memory.won == Epoch(rawValue: 4))
        #expect(node.actions.contains(.remember(node.core.memory)))
        node.answerFetch(.absent)
        #expect(node.actions.contains { if case .verify = $0 { true } else { false } })
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: 99))
        #expect(node.core.role == .sealing)
        #expect(!node.core.gate.isOpen(at: Moment(reading: .milliseconds(node.milliseconds))))
        node.tell(.created(try #require(node.core.step?.ticket), .created))
        #expect(node.core.role == .sealed)
        #expect(node.core.position == ChainPoint(number: 10, checksum: 99))
        node.tell(.recorded(try #require(node.core.step?.ticket), .created))
        #expect(node.core.role == .primary)
        // The gate counts from sending the swap.
        #expect(node.core.gate.openUntil == Moment(reading: .milliseconds(since + 4_000)))
    }

    @Test("N14 A renewal that lands moves the gate from the moment it was first sent")
    func renewal() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        let claimed = try #require(node.core.hold?.body)
        node.pass(2_000)
        let sent = node.milliseconds
        let body = try #require(node.swapped)
        #expect(body.counter == 2 && body.nonce != claimed.nonce)
        node.milliseconds += 900
        node.answerSwap(.unknown)
        // The old version still stands, so the same body is sent again.
        node.read(claimed, "v2")
        #expect(node.swapped == body)
        node.milliseconds += 500
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.core.gate.openUntil == Moment(reading: .milliseconds(sent + 4_000)))
    }

    @Test("A store that shows an older lease stops a node")
    func backInTime() {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        node.pass(2_000)
        node.answerSwap(.refused)
        node.read(.sample(), "v1")
        #expect(node.core.role == .halted)
        #expect(node.core.haltReason?.contains("back in time") == true)
        #expect(!node.core.gate.isOpen(at: Moment(reading: .milliseconds(node.milliseconds))))
    }

    @Test("Another session in the lease fences a primary")
    func superseded() {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        let session = node.core.session
        node.pass(2_000)
        node.answerSwap(.refused)
        var other = Lease.sample()
        other.epoch = Epoch(rawValue: 5)
        node.read(other, "v9")
        #expect(node.core.role == .joining && node.core.session != session)
        #expect(node.actions.contains { if case .fence = $0 { true } else { false } })
        #expect(!node.core.gate.isOpen(at: Moment(reading: .milliseconds(node.milliseconds))))
    }

    @Test("N14 A claim whose answer was lost is found by its nonce")
    func unknownClaim() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        let body = try #require(node.swapped)
        node.answerSwap(.unknown)
        #expect(node.core.role == .claiming)
        node.read(body, "v2")
        #expect(node.core.role == .claimed)
    }

    @Test("N14 A claim that did not land is sent again with the same body")
    func repeatedClaim() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        let body = try #require(node.swapped)
        node.answerSwap(.unknown)
        node.read(.sample(), "v1")
        #expect(node.swapped == body)
        var other = Lease.sample(counter: 5)
        other.epoch = Epoch(rawValue: 4)
        node.answerSwap(.refused)
        node.read(other, "v9")
        #expect(node.core.role == .standby)
    }

    @Test("N3 Another file at the place of the seal is part of the chain, or ends the candidate")
    func occupiedSeal() throws {
        for (epoch, role) in [(UInt64(3), Role.claimed), (4, .joining), (5, .joining)] {
            var node = SampleNode()
            node.join(at: point)
            node.waitForClaim()
            node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
            node.answerFetch(.absent)
            node.tell(.verified(try #require(node.core.step?.ticket), checksum: 99))
            let mark = FileMark(
                point: ChainPoint(number: 10, checksum: 100),
                node: .one,
                epoch: Epoch(rawValue: epoch),
                fileChecksum: 1
            )
            node.tell(.created(try #require(node.core.step?.ticket), .exists(isSame: false, mark)))
            #expect(node.core.role == role)
        }
    }

    @Test("N4 A file that is gone below the head of the lease was merged; one above it does not exist")
    func end() throws {
        var node = SampleNode()
        let lease = Lease.sample(head: ChainPoint(number: 12, checksum: 5))
        node.join(at: point, lease: lease)
        node.waitForClaim(lease)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        node.answerFetch(.absent)
        #expect(node.actions.contains(.fetchMerged(try #require(node.core.step?.ticket), 10)))
        // No merged file either: the head cannot be reached, so the lease is given back.
        node.tell(.fetched(try #require(node.core.step?.ticket), .absent))
        #expect(node.core.role == .draining)
        #expect(node.swapped?.state == .free)
    }

    @Test(
        "N4 After it could not reach the head a node does not claim again before its position has changed, or a minute"
    )
    func backsOff() throws {
        var node = SampleNode()
        let lease = Lease.sample(head: ChainPoint(number: 12, checksum: 5))
        node.join(at: point, lease: lease)
        node.waitForClaim(lease)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        node.answerFetch(.absent)
        node.tell(.fetched(try #require(node.core.step?.ticket), .absent))
        let free = try #require(node.swapped)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        node.join(at: point, lease: free, version: "v3")
        #expect(node.core.role == .standby)
        for _ in 0..<90 {
            node.answerFetch(.absent)
            if case .fetchMerged? = node.core.step?.kind, let ticket = node.core.step?.ticket {
                node.tell(.fetched(ticket, .absent))
            }
            node.pass(600)
            node.read(free, "v3")
            #expect(node.core.role == .standby)
        }
        for _ in 0..<20 {
            node.pass(600)
            node.read(free, "v3")
        }
        #expect(node.core.role == .claiming)
    }

    @Test("N9 Own transactions that the chain never took are a tail once somebody else has sealed")
    func tail() throws {
        let own = FileMark(
            point: ChainPoint(number: 10, checksum: 100),
            node: .two,
            epoch: Epoch(rawValue: 2),
            fileChecksum: 1
        )
        var node = SampleNode()
        node.join(at: point, ahead: [own])
        #expect(node.core.role == .standby)
        let seal = FileMark(
            point: ChainPoint(number: 10, checksum: 99),
            node: .one,
            epoch: Epoch(rawValue: 3),
            fileChecksum: 2
        )
        node.answerFetch(.file(seal))
        #expect(node.core.role == .quarantining)
        #expect(node.actions.contains(.quarantine(try #require(node.core.step?.ticket), fork: point)))
        node.tell(.quarantined(try #require(node.core.step?.ticket)))
        #expect(node.actions == [.rewind(try #require(node.core.step?.ticket))])
    }

    @Test("N9 An own file that landed late moves the position and writes nothing")
    func lateOwnFile() {
        let own = FileMark(
            point: ChainPoint(number: 10, checksum: 100),
            node: .two,
            epoch: Epoch(rawValue: 2),
            fileChecksum: 1
        )
        var node = SampleNode()
        node.join(at: point, ahead: [own])
        node.answerFetch(.file(own))
        #expect(node.core.position == own.point)
        #expect(node.actions.contains(.notePosition(own.point)))
        #expect(!node.actions.contains { if case .apply = $0 { true } else { false } })
    }

    @Test("N6 Files below the head of a renewal that landed may be deleted, while the lease is valid")
    func licence() throws {
        var node = SampleNode()
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        #expect(node.core.role == .primary)
        let mark = FileMark(
            point: ChainPoint(number: 11, checksum: 101),
            node: .two,
            epoch: Epoch(rawValue: 4),
            fileChecksum: 1
        )
        node.tell(.captured(mark))
        node.tell(.created(try #require(node.core.uploads.first?.ticket), .created))
        #expect(node.actions.contains(.accepted(mark.point)))
        let now = { Moment(reading: .milliseconds(node.milliseconds)) }
        #expect(node.core.deletableBelow(at: now()) == 0)
        node.pass(2_000)
        #expect(node.swapped?.head == mark.point)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.core.deletableBelow(at: now()) == 11)
        node.milliseconds += 4_000
        #expect(node.core.deletableBelow(at: now()) == 0)
    }

    @Test("A primary that was locked while the store was away writes again once it is alone on the list")
    func aloneAfterLock() {
        var node = SampleNode()
        let point = ChainPoint(number: 20, checksum: 5)
        node.join(at: point)
        node.waitForClaim()
        node.open(at: point)
        #expect(node.core.role == .primary)
        node.pass(2_500)
        #expect(node.swapped?.eligible == [.one, .two])
        node.pass(5_000)
        #expect(node.actions.contains(.lockDatabase) && !node.core.gate.isOpen(at: node.core.now))
        // Nobody has seen the other node since.
        node.pass(300_000)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.swapped?.eligible == [.two] && !node.actions.contains(.unlockDatabase))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v4")))
        #expect(node.actions.contains(.unlockDatabase) && node.core.gate.isOpen(at: node.core.now))
    }
}
