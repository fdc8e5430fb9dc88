import Testing

@testable import Cluster

/// A seal with all pages in this host's store, and a power cut before anything else tells of it; node two, whose peer is node
/// one.
@Suite struct PairPagesTests {
    private let recorded = ChainPoint(number: 9, checksum: 99)
    private let own = FileMark.sample(10, 5, of: .two)
    /// Where the peer has announced its copy, and the seal stands instead.
    private let copyAt: UInt64 = 15

    private var sealed: FileMark {
        var mark = FileMark.sample(copyAt, 6, of: .two)
        mark.point.checksum = own.point.checksum
        return mark
    }

    /// A node that has the right in this host's store, and finds its database with such a checksum.
    private func claimant(checksum: UInt64, pagesAt: UInt64, end: FileMark?) throws -> SamplePair {
        var memory = NodeMemory()
        (memory.partOf, memory.pagesAt) = (EpochStamp(epoch: Epoch(rawValue: 6), node: .two), pagesAt)
        var cell = Lease.cell(6, of: .two)
        cell.copyAt = copyAt
        var node = SamplePair(own: cell, peer: nil, memory: memory)
        let finding = DatabaseFinding(checksum: checksum, recorded: recorded, ahead: [own])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        if node.core.role == .quarantining { node.tell(.quarantined(try #require(node.core.step?.ticket))) }
        let claim = try #require(node.claim)
        #expect(claim.site == .own)
        node.cells[.own] = claim.body
        node.tell(.cellSwapped(try #require(node.core.pair.own.request), .own, .swapped(LeaseVersion(rawValue: "2"))))
        let survey = StoreSurvey(highest: end?.point.number ?? 0, holds: false, end: end)
        node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
        goOn(&node)
        return node
    }

    /// Lets it decide until it asks for something.
    private func goOn(_ node: inout SamplePair) {
        var actions = node.actions
        for _ in 0..<4 where node.core.step == nil {
            node.tell(.tick)
            actions += node.actions
        }
        node.actions = actions
    }

    @Test("W4 What a power cut took after such a seal is put back from it", arguments: [77, 99] as [UInt64])
    func powerCut(_ checksum: UInt64) throws {
        // It stands at no place on record, or has lost only what was never shipped, of which no debt tells.
        var node = try claimant(checksum: checksum, pagesAt: copyAt, end: sealed)
        guard case .rewind? = node.core.step?.kind else {
            Issue.record("\(String(describing: node.core.step))")
            return
        }
        let end = ChainEnd(point: sealed.point, epoch: sealed.epoch, node: .two)
        node.tell(.rewound(try #require(node.core.step?.ticket), end))
        goOn(&node)
        #expect(node.core.position == sealed.point && node.core.memory.pagesAt == 0)
        #expect(node.core.pair.sealBehind == sealed.point)
    }

    @Test("W4 A database that such a seal was made of stands at it, though its answer was lost")
    func intact() throws {
        let node = try claimant(checksum: own.point.checksum, pagesAt: copyAt, end: sealed)
        #expect(node.core.position == sealed.point && node.core.ahead.isEmpty)
        #expect(node.actions.contains(.notePosition(sealed.point)))
        #expect(node.core.pair.sealBehind == sealed.point)
    }

    @Test("W6 Any other seal of this node says nothing of what its database held")
    func otherSeal() throws {
        let node = try claimant(checksum: own.point.checksum, pagesAt: 0, end: sealed)
        #expect(node.core.position == recorded && node.core.ahead == [own])
        #expect(node.core.pair.sealBehind == sealed.point)
    }

    @Test("W5 The number is on disk before the seal is sent, and forgotten once the node opens")
    func number() throws {
        var node = try claimant(checksum: own.point.checksum, pagesAt: 0, end: .sample(9, 4, of: .one))
        node.tell(.fetched(try #require(node.core.step?.ticket), .absent))
        goOn(&node)
        #expect(node.core.memory.pagesAt == copyAt)
        node.tell(.verified(try #require(node.core.step?.ticket), checksum: own.point.checksum))
        let isWhole = node.actions.contains { if case .createWholeSeal = $0 { true } else { false } }
        #expect(isWhole)
        node.tell(.created(try #require(node.core.step?.ticket), .created))
        #expect(node.core.memory.pagesAt == copyAt)
        node.tell(.recorded(try #require(node.core.step?.ticket), .created))
        node.pass(7000)
        #expect(node.core.role == .primary && node.core.memory.pagesAt == 0)
    }

    // MARK: - A seal without pages

    /// What the database holds, in the peer's store, and a seal of this host's store with all pages of the same.
    private let shipped = ChainPoint(number: 15, checksum: 99)
    private let alike = FileMark(
        point: ChainPoint(number: 14, checksum: 99),
        node: .two,
        epoch: Epoch(rawValue: 6),
        fileChecksum: 14
    )

    /// A claimant by the blind word, whose right went to the peer's store, and which finds its database like that.
    private func blindClaimant(checksum: UInt64, end: FileMark) throws -> SamplePair {
        var memory = NodeMemory()
        memory.partOf = EpochStamp(epoch: Epoch(rawValue: 6), node: .two)
        var node = SamplePair(own: .cell(6, of: .two, .moved), peer: nil, memory: memory)
        let finding = DatabaseFinding(checksum: checksum, recorded: shipped, older: [alike.point])
        node.tell(.examined(try #require(node.core.step?.ticket), finding))
        if node.core.role == .quarantining { node.tell(.quarantined(try #require(node.core.step?.ticket))) }
        node.tell(.surveyed(try #require(node.core.step?.ticket), nil))
        node.tell(.command(.promotePeerIsDown([.peerStaysOff, .peerIsStopped, .peerHasNoRight])))
        let claim = try #require(node.claim)
        #expect(claim.site == .own)
        node.cells[.own] = claim.body
        node.tell(.cellSwapped(try #require(node.core.pair.own.request), .own, .swapped(LeaseVersion(rawValue: "2"))))
        let survey = StoreSurvey(highest: end.point.number, holds: false, end: end)
        node.tell(.surveyed(try #require(node.core.step?.ticket), survey))
        goOn(&node)
        return node
    }

    @Test("W4 A database that is just what its store ends with stands there, and on record")
    func equalEnd() throws {
        let node = try blindClaimant(checksum: shipped.checksum, end: alike)
        #expect(node.core.position == alike.point && node.actions.contains(.notePosition(alike.point)))
        #expect(node.core.step?.kind == .verify && node.core.pair.sealBehind == alike.point)
    }

    @Test("W6 One that is not stays where it is, and is sealed behind that end")
    func otherEnd() throws {
        let node = try blindClaimant(checksum: shipped.checksum, end: .sample(14, 6, of: .two))
        #expect(node.core.position == shipped && node.core.step?.kind == .verify)
        #expect(node.core.pair.sealBehind == FileMark.sample(14, 6, of: .two).point)
    }

    @Test("W4 One that a power cut left at no place on record is put back where its store ends with what is on record")
    func strayedFromEqualEnd() throws {
        let node = try blindClaimant(checksum: 77, end: alike)
        #expect(node.core.step?.kind == .rewind)
    }
}
