import Testing

@testable import Cluster

/// How a claimant without a witness reads the two stores; node two, whose peer is node one.
@Suite struct PairReadingTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    /// A claimant in the peer's store, which holds that place as this host's store does.
    private func claimant(ownEnd: FileMark, peerEnd: FileMark) throws -> SamplePair {
        var node = SamplePair(own: .cell(5, of: .one), peer: .cell(6, of: .one))
        node.join(at: point, ownEnd: .sample(9, 5, of: .one))
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        #expect(try #require(node.claim).site == .peer)
        node.tell(.cellSwapped(try #require(node.core.pair.peer.request), .peer, .swapped(LeaseVersion(rawValue: "2"))))
        for end in [ownEnd, peerEnd] {
            let survey = StoreSurvey(highest: end.point.number, holds: true, end: end)
            node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
            goOn(&node)
        }
        return node
    }

    /// Lets it decide until it asks for something.
    private func goOn(_ node: inout SamplePair) {
        for _ in 0..<4 where node.core.step == nil { node.tell(.tick) }
    }

    /// A seal of node one in its own store.
    private func seal(_ number: UInt64) -> FileMark {
        var mark = FileMark.sample(number, 6, of: .one)
        mark.point.checksum = point.checksum
        return mark
    }

    @Test("W6 Seals by the owner of the peer's store at its end do not lead away from this host's chain")
    func sealsAtTheEnd() throws {
        var node = try claimant(ownEnd: .sample(12, 5, of: .one), peerEnd: seal(11))
        for number in [10, 11] as [UInt64] {
            #expect(node.core.crossing.site == .peer)
            node.tell(.fetched(try #require(node.core.step?.ticket), .file(seal(number))))
            #expect(!node.actions.contains { if case .apply = $0 { true } else { false } })
        }
        node.tell(.fetched(try #require(node.core.step?.ticket), .absent))
        goOn(&node)
        #expect(node.core.crossing.site == .own && node.core.position == point)
        #expect(node.actions.contains { if case .survey(_, let place) = $0 { place == point } else { false } })
    }

    @Test("W6 Such seals are part of the chain where something lies behind them")
    func sealsBefore() throws {
        var node = try claimant(ownEnd: .sample(9, 5, of: .one), peerEnd: .sample(11, 6, of: .two))
        node.tell(.fetched(try #require(node.core.step?.ticket), .file(seal(10))))
        node.tell(.fetched(try #require(node.core.step?.ticket), .file(.sample(11, 6, of: .two))))
        let noted = try #require(node.actions.firstIndex { $0.notes(seal(10).point) })
        let applied = try #require(
            node.actions.firstIndex { if case .apply(_, _, let from) = $0 { from == seal(10).point } else { false } }
        )
        #expect(noted < applied)
    }

    @Test("W6 Such seals do not make what the peer has shipped here since an older history", arguments: 0..<3)
    func sealsBesideShipped(_ way: Int) throws {
        // It stands before the seal in the peer's store, or with own transactions there, or elsewhere.
        let (ahead, isOnChain) = (way == 1 ? [FileMark.sample(10, 4, of: .two)] : [], way < 2)
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 4), node: .two)
        var node = SamplePair(own: .cell(5, of: .one), peer: .cell(6, of: .one), memory: memory)
        let checksum = ahead.last?.point.checksum ?? point.checksum
        let finding = DatabaseFinding(checksum: checksum, recorded: point, ahead: ahead)
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        node.tell(.surveyed(try #require(node.core.step?.ticket), nil))
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        #expect(try #require(node.claim).site == .peer)
        node.tell(.cellSwapped(try #require(node.core.pair.peer.request), .peer, .swapped(LeaseVersion(rawValue: "2"))))
        let shipped = StoreSurvey(highest: 12, holds: false, end: .sample(12, 5, of: .one))
        let sealed = StoreSurvey(highest: 10, holds: isOnChain, end: seal(10))
        for survey in [shipped, sealed] {
            node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
            goOn(&node)
        }
        if isOnChain {
            node.tell(.fetched(try #require(node.core.step?.ticket), .file(seal(10))))
            node.tell(.fetched(try #require(node.core.step?.ticket), .absent))
            goOn(&node)
            node.tell(.surveyed(try #require(node.core.step?.ticket), shipped))
            goOn(&node)
        }
        #expect(node.core.pair.mustGoBack && node.core.memory.partOf == memory.partOf)
    }

    @Test("W6 The peer's newest file behind an own seal that was never opened by makes what is beyond a tail")
    func wholeSealUnopened() throws {
        // Node two sealed its store with all pages and died before it opened; node one has shipped its copy behind that.
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 6), node: .two)
        let sealed = FileMark.sample(10, 6, of: .two)
        let survey = StoreSurvey(highest: 12, holds: true, end: .sample(12, 7, of: .one))
        for isClaimant in [false, true] {
            let cell = isClaimant ? Lease.cell(7, of: .one, .free) : .cell(7, of: .one)
            var node = SamplePair(own: cell, peer: .cell(5, of: .one, .moved), memory: memory)
            let ahead = FileMark.sample(11, 5, of: .two)
            let finding = DatabaseFinding(checksum: 121, recorded: point, ahead: [ahead])
            node.tell(.examined(try #require(node.core.step?.ticket), finding))
            if isClaimant {
                #expect(try #require(node.claim).site == .own)
                let ticket = try #require(node.core.pair.own.request)
                node.tell(.cellSwapped(ticket, .own, .swapped(LeaseVersion(rawValue: "2"))))
            }
            node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
            goOn(&node)
            node.tell(.fetched(try #require(node.core.step?.ticket), .file(sealed)))
            let isKept = node.actions.contains { if case .quarantine(_, self.point) = $0 { true } else { false } }
            #expect(isClaimant ? node.core.pair.mustGoBack : isKept)
        }
    }

    @Test("W5 A store whose next file does not continue this database is not followed, and not asked for it again")
    func unfit() throws {
        var node = try claimant(ownEnd: .sample(9, 5, of: .one), peerEnd: .sample(11, 6, of: .one))
        #expect(node.core.crossing.site == .peer)
        node.tell(.fetched(try #require(node.core.step?.ticket), .file(.sample(10, 6, of: .one))))
        let apply = try #require(node.core.step?.ticket)
        #expect(node.actions.contains { if case .apply(apply, _, _) = $0 { true } else { false } })
        node.tell(.applied(apply, .unfit))
        goOn(&node)
        // This host's is read next, from where the database stands.
        #expect(node.core.pair.reading.unfit == [.peer] && node.core.pair.reading.sites == [.own])
        #expect(node.core.crossing.site == .own && node.core.step?.kind == .fetch(10))
        #expect(node.core.role == .claimed && node.core.position == point)
    }

    @Test("W6 A database that a power cut took back asks each store for what it was", arguments: [true, false])
    func wentBack(_ isThere: Bool) throws {
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 5), node: .one)
        var node = SamplePair(own: .cell(5, of: .one), peer: .cell(6, of: .one), memory: memory)
        let recorded = ChainPoint(number: 12, checksum: 132)
        let finding = DatabaseFinding(checksum: point.checksum, recorded: recorded, older: [point])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        #expect(node.core.pair.wentBackOver == [recorded] && node.core.memory.owes == 12)
        node.tell(.surveyed(try #require(node.core.step?.ticket), nil))
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        node.tell(.cellSwapped(try #require(node.core.pair.peer.request), .peer, .swapped(LeaseVersion(rawValue: "2"))))
        let shipped = StoreSurvey(highest: 14, holds: false, end: .sample(14, 5, of: .one))
        for _ in 0..<2 {
            node.tell(.surveyed(try #require(node.core.step?.ticket), shipped))
            goOn(&node)
        }
        for site in [ChainSite.peer, .own] {
            #expect(node.core.crossing.site == site)
            #expect(node.actions.contains { if case .survey(_, recorded) = $0 { true } else { false } })
            var answer = shipped
            answer.holds = isThere
            node.tell(.surveyed(try #require(node.core.step?.ticket), answer))
            goOn(&node)
            // What it has lost lies there; else it goes on from where it was part of that store's history.
            if isThere { return #expect(node.core.step?.kind == .rewind) }
        }
        #expect(node.core.step?.kind == .fetch(10))
    }

    @Test("W6 It asks for the newest place that was ever on record, also where it has followed a store since")
    func wentBackTwice() throws {
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 5), node: .one)
        memory.owes = 14
        var node = SamplePair(own: .cell(5, of: .one), peer: .cell(6, of: .one), memory: memory)
        let (owed, recorded) = (ChainPoint(number: 14, checksum: 1), ChainPoint(number: 12, checksum: 132))
        let finding = DatabaseFinding(checksum: point.checksum, recorded: recorded, older: [point, owed])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        #expect(node.core.pair.wentBackOver == [owed, recorded] && node.core.memory.owes == 14)
        node.tell(.surveyed(try #require(node.core.step?.ticket), nil))
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        node.tell(.cellSwapped(try #require(node.core.pair.peer.request), .peer, .swapped(LeaseVersion(rawValue: "2"))))
        for _ in 0..<2 {
            let survey = StoreSurvey(highest: 15, holds: false, end: .sample(15, 5, of: .one))
            node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
            goOn(&node)
        }
        #expect(node.actions.contains { if case .survey(_, owed) = $0 { true } else { false } })
    }

    @Test(
        "W6 A database on no record goes back to the store that ends with what was recorded",
        arguments: [132, 133] as [UInt64]
    )
    func astray(checksum: UInt64) throws {
        var memory = NodeMemory()
        // It has opened since the seal at the store's end, and shipped nothing.
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 6), node: .two)
        var node = SamplePair(own: .cell(1, of: .two, .moved), peer: .cell(6, of: .two), memory: memory)
        let recorded = ChainPoint(number: 12, checksum: 132)
        node.tell(
            .examined(
                try #require(node.core.step?.ticket),
                DatabaseFinding(checksum: 5, recorded: recorded, older: [point])
            )
        )
        #expect(node.core.role == .quarantining)
        node.tell(.quarantined(try #require(node.core.step?.ticket)))
        node.tell(.cellSwapped(try #require(node.core.pair.peer.request), .peer, .swapped(LeaseVersion(rawValue: "2"))))
        node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 0, holds: false)))
        goOn(&node)
        let seal = FileMark(
            point: ChainPoint(number: 13, checksum: checksum),
            node: .two,
            epoch: Epoch(rawValue: 5),
            fileChecksum: 1
        )
        node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 13, holds: false, end: seal)))
        for _ in 0..<4 where node.core.step == nil { goOn(&node) }
        #expect((node.core.step?.kind == .rewind) == (checksum == recorded.checksum))
    }

    @Test("W4 A claimant that is put back on a newer epoch's state is superseded", arguments: [4, 6, 7] as [UInt64])
    func restoredPastClaim(_ epoch: UInt64) throws {
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 5), node: .two)
        var node = SamplePair(own: .cell(6, of: .one, .free), peer: .cell(5, of: .two, .moved), memory: memory)
        let recorded = ChainPoint(number: 12, checksum: 132)
        let finding = DatabaseFinding(checksum: point.checksum, recorded: recorded, older: [point])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        #expect(try #require(node.claim).body.epoch.rawValue == 7)
        node.tell(.cellSwapped(try #require(node.core.pair.own.request), .own, .swapped(LeaseVersion(rawValue: "2"))))
        let survey = StoreSurvey(highest: 14, holds: false, end: .sample(14, 4, of: .one))
        node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
        goOn(&node)
        // The place on record lies there.
        let found = StoreSurvey(highest: 14, holds: true, end: survey.end)
        node.tell(.surveyed(try #require(node.core.step?.ticket), found))
        goOn(&node)
        #expect(node.core.step?.kind == .rewind)
        let end = ChainEnd(point: ChainPoint(number: 15, checksum: 5), epoch: Epoch(rawValue: epoch + 1), node: .one)
        node.tell(.rewound(try #require(node.core.step?.ticket), end))
        // Its own claim is that of epoch 7, by node two.
        #expect(node.core.role == (epoch == 7 ? .joining : .claimed))
    }

    @Test("W6 Such a seal at the store's end takes nothing from a database that is ahead")
    func wholeSealAtTheEnd() throws {
        var node = SamplePair(own: .cell(7, of: .one, .free), peer: .cell(5, of: .one, .moved))
        let finding = DatabaseFinding(checksum: 121, recorded: point, ahead: [.sample(11, 5, of: .two)])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        node.tell(.cellSwapped(try #require(node.core.pair.own.request), .own, .swapped(LeaseVersion(rawValue: "2"))))
        let sealed = FileMark.sample(10, 6, of: .two)
        node.tell(.surveyed(try #require(node.core.step?.ticket), StoreSurvey(highest: 10, holds: true, end: sealed)))
        goOn(&node)
        node.tell(.fetched(try #require(node.core.step?.ticket), .file(sealed)))
        goOn(&node)
        #expect(node.core.role == .claimed && !node.core.pair.mustGoBack && node.core.ahead.count == 1)
    }
}

extension NodeAction {
    fileprivate func notes(_ place: ChainPoint) -> Bool {
        guard case .notePosition(let point) = self else { return false }
        return point == place
    }
}
