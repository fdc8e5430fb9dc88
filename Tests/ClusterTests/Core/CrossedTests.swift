import Testing

@testable import Cluster

/// Where each of two hosts has a store, and one of them is gone for good (failover-review G).
@Suite struct CrossedTests {
    private let point = ChainPoint(number: 9, checksum: 99)
    private var lease: Lease {
        var lease = Lease.sample(head: point)
        lease.origin = Lease.Origin(epoch: lease.epoch, node: .one, first: 1)
        return lease
    }

    /// Node two, which has won the lease and finds that its store has lost what was in it.
    private func claimWithoutStore(acceptLoss: Bool) throws -> SampleNode {
        var node = SampleNode(topology: .crossed)
        node.join(at: point, lease: lease)
        node.tell(.command(.promote(acceptLoss: acceptLoss)))
        node.waitForClaim(lease)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        let ticket = try #require(node.core.step?.ticket)
        node.tell(.surveyed(ticket, StoreSurvey(highest: 4, holds: false)))
        return node
    }

    @Test("G2 Whose store has lost something does not take over")
    func refuses() throws {
        let node = try claimWithoutStore(acceptLoss: false)
        #expect(node.core.role == .draining)
    }

    @Test("G2 An operator who accepts a loss lets it go on, behind all numbers that the other may have used")
    func acceptsLoss() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        #expect(node.core.role == .recorded)
        let body = try #require(node.swapped)
        #expect(body.origin?.node == .two && body.origin?.first == point.number + 65_536)
        // Whatever the other comes back with, it keeps aside.
        #expect(body.continues.map { !$0.holds(point) } ?? false)
        #expect(body.eligible == [.two])
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.core.role == .primary)
        #expect(node.actions.contains(.open(body.epoch, seal: node.core.position)))
    }

    @Test("G3 A seal that took long counts; one that is never taken does not keep the lease")
    func slowSeal() throws {
        for isTaken in [true, false] {
            var node = SampleNode(topology: .crossed)
            node.join(at: point, lease: lease)
            node.waitForClaim(lease)
            node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
            node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 9, holds: true)))
            node.answerFetch(.absent)
            node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
            #expect(node.core.role == .sealing)
            let seal = try #require(node.core.step?.ticket)
            for number in 3..<40 {
                node.pass(2_000)
                node.answerSwap(.swapped(LeaseVersion(rawValue: "v\(number)")))
            }
            #expect(node.core.role == .sealing && node.core.step?.ticket == seal)
            node.tell(.created(seal, isTaken ? .created : .unknown))
            node.pass(2_000)
            #expect(node.core.role == (isTaken ? .sealed : .draining))
        }
    }

    @Test("G2 Nobody takes over by itself without what its own records tell of, though the store holds the head")
    func owes() throws {
        for isStray in [false, true] {
            var node = SampleNode(topology: .crossed)
            node.read(lease, "v1")
            // A power cut took the database back behind 12.
            let recorded = ChainPoint(number: 12, checksum: 132)
            let checksum = isStray ? 1 : point.checksum
            let finding = DatabaseFinding(checksum: checksum, recorded: recorded, older: [point])
            node.tell(.examined(try #require(node.core.step?.ticket), finding))
            if isStray {
                node.tell(.quarantined(try #require(node.core.step?.ticket)))
                let end = ChainEnd(point: point, epoch: lease.epoch)
                node.tell(.rewound(try #require(node.core.step?.ticket), end))
            }
            #expect(node.core.role == .standby && node.core.position == point)
            node.waitForClaim(lease)
            node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
            node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 9, holds: true)))
            for _ in 0..<2 {
                guard let step = node.core.step else { break }
                node.tell(.fetched(step.ticket, .absent))
            }
            #expect(node.core.role == .draining)
        }
    }

    @Test("G3 A store that a newer epoch has sealed gets no whole copy: its writer was superseded")
    func supersededCopy() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        #expect(node.core.role == .primary)
        let ticket = try #require(node.core.crossing.request?.ticket)
        let epoch = Epoch(rawValue: 5)
        let end = FileMark(point: ChainPoint(number: 10, checksum: 99), node: .one, epoch: epoch, fileChecksum: 1)
        node.tell(.surveyed(ticket, StoreSurvey(highest: 10, holds: false, end: end)))
        #expect(node.core.role == .joining)
        #expect(!node.actions.contains { if case .createCopy = $0 { true } else { false } })
    }

    @Test("G3 A whole copy is sent once the lease tells of it: a claimant by an operator's word then takes its place")
    func announcedCopy() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        let ticket = try #require(node.core.crossing.request?.ticket)
        node.tell(.surveyed(ticket, StoreSurvey(highest: 4, holds: false)))
        let copying = try #require(node.core.crossing.request?.ticket)
        let copy = FileMark(
            point: ChainPoint(number: node.core.position.number + 1, checksum: 99),
            node: .two,
            epoch: node.core.epoch,
            fileChecksum: 1
        )
        node.tell(.copied(copying, copy))
        #expect(!node.uploads && node.swapped?.copyAt == copy.point.number)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v4")))
        #expect(node.uploads)
    }

    @Test("G3 Where such a copy may still land in this host's store, the seal has all pages and its number")
    func sealInItsPlace() throws {
        for copyAt in [10, 15] as [UInt64] {
            var told = lease
            (told.copyAt, told.eligible) = (copyAt, [.one])
            var node = SampleNode(topology: .crossed)
            node.join(at: point, lease: told)
            node.tell(.command(.promote(acceptLoss: true)))
            node.waitForClaim(told)
            #expect(node.swapped?.copyAt == copyAt)
            node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
            node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 9, holds: true)))
            node.answerFetch(.absent)
            if case .fetchMerged? = node.core.step?.kind, let ticket = node.core.step?.ticket {
                node.tell(.fetched(ticket, .absent))
            }
            node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
            #expect(node.core.role == .sealing)
            let seal = try #require(node.core.step?.ticket)
            let isWhole = node.actions.contains { action in
                guard case .createWholeSeal(seal, _, let end) = action else { return false }
                return end == ChainPoint(number: copyAt - 1, checksum: point.checksum)
            }
            // A seal directly behind the store's end is in its place anyway.
            #expect(isWhole == (copyAt > 10))
            node.tell(.created(seal, .created))
            #expect(node.core.role == .sealed && node.core.position.number == copyAt)
            node.tell(.recorded(try #require(node.core.step?.ticket), .created))
            #expect(node.core.role == .recorded && node.swapped?.copyAt == 0)
        }
    }

    @Test("A node that has halted over its stores is not brought back by a lease; where stores are shared it is")
    func brokenStores() throws {
        for topology in [StoreTopology.crossed, .shared] {
            var node = SampleNode(topology: topology)
            let request = node.core.leaseRequest
            node.tell(.broken("the stores are exchanged"))
            #expect(node.core.role == .halted)
            node.pass(6_000)
            #expect(node.core.leaseRequest != request || topology == .crossed)
            node.read(lease, "v1")
            #expect(node.core.role == (topology == .crossed ? .halted : .joining))
        }
        var node = SamplePair(own: .cell(5, of: .one), peer: .cell(6, of: .one))
        node.tell(.broken("the stores are exchanged"))
        node.pass(6_000)
        node.pass(6_000)
        #expect(node.core.role == .halted && node.core.haltReason == "the stores are exchanged")
    }

    @Test("Nobody waits for ever to go back to a chain that nobody has written")
    func waitsToRewind() throws {
        var ahead = lease
        ahead.origin = Lease.Origin(epoch: lease.epoch, node: .one, first: 20)
        ahead.eligible = [.one]
        var node = SampleNode(topology: .crossed)
        node.join(at: point, lease: ahead)
        #expect(node.core.role == .quarantining)
        node.tell(.command(.promote(acceptLoss: true)))
        node.tell(.rewound(try #require(node.core.step?.ticket), nil))
        #expect(node.core.role == .joining)
        let finding = DatabaseFinding(checksum: point.checksum, recorded: point)
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        node.waitForClaim(ahead)
        // It is on the list once it opens.
        #expect(node.core.role == .claiming && node.swapped?.eligible == [.one])
    }

    @Test("Whoever loses the lease goes by what it wrote there until it can be read again")
    func ownLease() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        let (opened, epoch) = (node.core.position, node.core.epoch)
        #expect(node.core.role == .primary)
        node.pass(60_000)
        node.tell(.command(.switchover(to: .one)))
        #expect(node.core.role == .joining)
        let own = ChainPoint(number: opened.number + 2, checksum: 7)
        let ahead = FileMark(point: own, node: .two, epoch: epoch, fileChecksum: 3)
        let finding = DatabaseFinding(checksum: own.checksum, recorded: opened, ahead: [ahead])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        #expect(node.core.role == .standby && node.core.crossing.site == .peer)
        // The seal of a claim between its own two, by which nobody has opened.
        let next = ChainPoint(number: opened.number + 1, checksum: opened.checksum)
        node.answerFetch(.file(FileMark(point: next, node: .one, epoch: lease.epoch, fileChecksum: 4)))
        #expect(node.core.role == .standby && node.core.ahead == [ahead])
    }

    /// Node two at 9, which it wrote in an epoch, where node one has taken over behind 8, in epoch 3.
    private func followTakeover(from epoch: UInt64) throws -> SampleNode {
        var taken = lease
        taken.origin = Lease.Origin(epoch: lease.epoch, node: .one, first: 9, since: lease.epoch)
        var node = SampleNode(topology: .crossed)
        node.read(taken, "v1")
        let finding = DatabaseFinding(
            checksum: point.checksum,
            recorded: point,
            epoch: Epoch(rawValue: epoch)
        )
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        #expect(node.core.role == .standby)
        node.answerFetch(
            .file(
                FileMark(
                    point: ChainPoint(number: 10, checksum: 100),
                    node: .one,
                    epoch: lease.epoch,
                    fileChecksum: 1
                )
            )
        )
        return node
    }

    @Test("G3 A whole copy that fits is not written over what the one that took over has never had")
    func besideTakeover() throws {
        // Its store had gone back behind what this node wrote.
        for epoch: UInt64 in [0, 2] {
            let node = try followTakeover(from: epoch)
            #expect(node.core.role == .quarantining)
            #expect(node.actions.contains { if case .quarantine = $0 { true } else { false } })
        }
        let node = try followTakeover(from: 3)
        #expect(node.core.role == .standby)
        #expect(node.actions.contains { if case .apply = $0 { true } else { false } })
    }

    @Test("G2 Who takes over says in which epoch")
    func saysSince() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        let body = try #require(node.swapped)
        #expect(body.origin?.since == body.epoch)
        #expect(try Lease(parsing: body.encoded) == body)
    }

    /// What node two says when it takes over from 9, a file of that epoch, where node one had opened in epoch 2.
    private func takeOver(behind epoch: UInt64) throws -> Lease.Origin? {
        var lease = lease
        lease.origin?.epoch = Epoch(rawValue: 2)
        var node = SampleNode(topology: .crossed)
        node.read(lease, "v1")
        let finding = DatabaseFinding(checksum: point.checksum, recorded: point, epoch: Epoch(rawValue: epoch))
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        node.waitForClaim(lease)
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v2")))
        node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 9, holds: true)))
        node.answerFetch(.absent)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.tell(.created(try #require(node.core.step?.ticket), .created))
        node.tell(.recorded(try #require(node.core.step?.ticket), .created))
        #expect(node.core.role == .recorded)
        return node.swapped?.origin
    }

    @Test("G2 Who takes over behind what was never named says so, or where it does not know")
    func saysEarlierSeals() throws {
        for (epoch, hasEarlierSeals): (UInt64, Bool) in [(2, false), (3, true), (0, true)] {
            let origin = try #require(try takeOver(behind: epoch))
            #expect(origin.node == .two && origin.first == 10)
            #expect(origin.hasEarlierSeals == hasEarlierSeals, "behind epoch \(epoch)")
        }
    }

    @Test("G3 Who stands before the takeover keeps what it has aside where other seals may lie there")
    func beforeTakeover() throws {
        for hasEarlierSeals in [false, true] {
            var taken = lease
            taken.origin = Lease.Origin(
                epoch: lease.epoch,
                node: .one,
                first: 11,
                since: lease.epoch,
                hasEarlierSeals: hasEarlierSeals
            )
            var node = SampleNode(topology: .crossed)
            node.read(taken, "v1")
            let finding = DatabaseFinding(checksum: point.checksum, recorded: point, epoch: Epoch(rawValue: 2))
            node.tell(.examined(try #require(node.core.step?.ticket), finding))
            #expect(node.core.role == .quarantining)
            let isKept = node.actions.contains { if case .quarantine = $0 { true } else { false } }
            #expect(isKept == hasEarlierSeals)
        }
    }

    @Test("G4 A capture of which nothing is told is asked for again")
    func capturesAgain() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        let asked = serve(&node, seconds: 30)
        #expect(asked.count > 1)
        // An answer to any of them will do.
        #expect(Set(asked).count == 1)
        node.tell(.capturedAll(try #require(asked.last)))
        #expect(serve(&node, seconds: 10).isEmpty)
        #expect(node.core.hold?.body.eligible == [.one, .two])
    }

    @Test("A node that has fallen silent is not there to hand over to; who has not watched for long cannot tell")
    func silent() throws {
        var node = try claimWithoutStore(acceptLoss: true)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: point.checksum))
        node.answerSwap(.swapped(LeaseVersion(rawValue: "v3")))
        let absence = node.core.settings.absence.components.seconds
        #expect(isThere(.one, node) && isThere(NodeID(rawValue: 77), node))
        _ = serve(&node, seconds: absence + 10)
        #expect(isThere(.one, node) && !isThere(NodeID(rawValue: 77), node))
        _ = serve(&node, seconds: absence + 70, stamp: 5)
        #expect(!isThere(.one, node))
        _ = serve(&node, seconds: 70, stamp: 6)
        #expect(isThere(.one, node))
    }

    private func isThere(_ other: NodeID, _ node: SampleNode) -> Bool {
        node.core.hasMovedLately(other, at: Moment(reading: .milliseconds(node.milliseconds)))
    }

    /// Answers as the peer's store and the witness do. Returns the captures that were asked for, which nothing is told of.
    ///
    /// - Parameter stamp: What the other node's record says all the time; `nil`: it moves.
    private func serve(_ node: inout SampleNode, seconds: Int64, stamp: UInt64? = nil) -> [Ticket] {
        let end = node.milliseconds + seconds * 1_000
        var (captures, waiting) = ([Ticket](), node.actions)
        while node.milliseconds < end || !waiting.isEmpty {
            guard !waiting.isEmpty else {
                node.pass(500)
                waiting = node.actions
                continue
            }
            let action = waiting.removeFirst()
            if case .captureAll(let ticket) = action { captures.append(ticket) }
            guard let answer = answer(to: action, stamp ?? UInt64(node.milliseconds)) else { continue }
            node.tell(answer)
            waiting += node.actions
        }
        return captures
    }

    private func answer(to action: NodeAction, _ stamp: UInt64) -> NodeEvent? {
        switch action {
        case .swapLease(let ticket, let body, _):
            .leaseSwapped(ticket, .swapped(LeaseVersion(rawValue: "\(body.counter)")))
        case .survey(let ticket, let place): .surveyed(ticket, StoreSurvey(highest: place.number, holds: true))
        case .createCopy(let ticket, let epoch, let number):
            .copied(
                ticket,
                FileMark(
                    point: ChainPoint(number: number, checksum: 99),
                    node: .two,
                    epoch: epoch,
                    fileChecksum: number
                )
            )
        case .upload(let ticket, _): .created(ticket, .created)
        case .createRecord(let ticket, _): .recorded(ticket, .created)
        case .publishCopy(let ticket, _): .published(ticket, true)
        case .readNodeRecords(let ticket):
            .nodeRecordsRead(ticket, [NodeStamp(node: .one, stamp: stamp)])
        default: nil
        }
    }
}
