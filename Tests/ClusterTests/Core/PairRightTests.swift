import Testing

@testable import Cluster

/// W2, W3, W9: where the right to write lies, for node two; node one is its peer.
@Suite struct PairRightTests {
    private func right(_ own: Lease, _ peer: Lease?, ownEnd: EpochStamp? = nil) -> PairRight {
        PairRight(own: own, peer: peer, ownEnd: ownEnd, node: .two)
    }

    private func stamp(_ epoch: UInt64, _ node: NodeID) -> EpochStamp {
        EpochStamp(epoch: Epoch(rawValue: epoch), node: node)
    }

    @Test("W1 An epoch is newer by its number, and of two with one number by its node")
    func order() {
        #expect(stamp(3, .two) < stamp(4, .one))
        #expect(stamp(4, .one) < stamp(4, .two))
    }

    @Test("W2 The right lies in the one cell that is not moved")
    func oneCell() {
        let peers = right(.cell(5, of: .one), .cell(5, of: .one, .moved))
        #expect(peers.site == .own && peers.word == .clear)
        let ours = right(.cell(5, of: .two, .moved), .cell(5, of: .two))
        #expect(ours.site == .peer && ours.word == nil)
    }

    @Test("W2 Of two cells the newer epoch's counts; of one epoch's the one in its holder's own store")
    func twoCells() {
        #expect(right(.cell(5, of: .two), .cell(4, of: .one)).site == .own)
        #expect(right(.cell(4, of: .two), .cell(5, of: .one)).site == .peer)
        #expect(right(.cell(4, of: .one), .cell(4, of: .two)).site == .peer, "node two's epoch 4 is the newer one")
        let peers = right(.cell(5, of: .one), .cell(5, of: .one))
        #expect(peers.site == .peer, "node one was on its way from its own store to the other")
        #expect(right(.cell(5, of: .two), .cell(5, of: .two)).site == .own)
    }

    @Test("W3 Without a word: what is free, handed to this node, or of its own earlier session")
    func claimable() {
        #expect(right(.cell(5, of: .one, .free), .cell(5, of: .one, .moved)).word == nil)
        #expect(right(.cell(5, of: .one, .handoff, to: .two), nil).word == nil)
        #expect(right(.cell(5, of: .two), nil).word == nil)
        #expect(right(.cell(5, of: .two, .moved), .cell(5, of: .two, .free)).word == nil)
        #expect(right(.cell(5, of: .one, .handoff, to: .one), .cell(5, of: .one, .moved)).word == .clear)
    }

    @Test("W3 A moved cell gives no right: with the peer's out of reach only a blind word helps")
    func movedCell() {
        let found = right(.cell(5, of: .two, .moved), nil)
        #expect(found.site == .own && found.body == nil && found.word == .blind)
    }

    @Test("W9 A right that is older than a moved cell comes from a store that went back: only a blind word takes it")
    func wentBack() {
        let found = right(.cell(3, of: .two), .cell(5, of: .one, .moved))
        #expect(found.site == .own && found.word == .blind)
        #expect(right(.cell(5, of: .two), .cell(5, of: .one, .moved)).word == nil)
        #expect(right(.cell(3, of: .two, .free), .cell(5, of: .one, .moved)).word == .blind)
    }

    @Test("W9 A cell held by the peer is blind alone, and clear with a file of that epoch beside it")
    func blind() {
        #expect(right(.cell(5, of: .one), nil).word == .blind)
        #expect(right(.cell(5, of: .one), nil, ownEnd: stamp(4, .one)).word == .blind)
        #expect(right(.cell(5, of: .one), nil, ownEnd: stamp(5, .two)).word == .blind)
        #expect(right(.cell(5, of: .one), nil, ownEnd: stamp(5, .one)).word == .clear)
        #expect(right(.cell(5, of: .one), .cell(5, of: .one, .moved)).word == .clear)
    }

    @Test("W1 A claim's number is above all that was read and tried; a blind word's is far above")
    func number() {
        let clear = right(.cell(7, of: .one), .cell(5, of: .one, .moved))
        #expect(clear.nextEpoch(tried: .zero).rawValue == 8)
        #expect(clear.nextEpoch(tried: Epoch(rawValue: 20)).rawValue == 21)
        #expect(right(.cell(5, of: .one), nil).nextEpoch(tried: .zero).rawValue == 65_541)
        let last = right(.cell(.max, of: .one), nil)
        #expect(last.nextEpoch(tried: .zero).rawValue == .max, "what lies in a store must not trap")
    }
}

/// W6: what a store's newest file means for a database; node two, whose peer is node one.
@Suite struct StoreVerdictTests {
    private func verdict(
        _ site: ChainSite,
        end: FileMark?,
        holds: Bool = false,
        wentBack: Bool = false,
        isBehind: Bool = false,
        holdsRecorded: Bool = false,
        partOf: UInt64 = 5
    ) -> StoreVerdict {
        StoreVerdict(
            StoreVerdict.Facts(
                site: site,
                holds: holds,
                end: end,
                isBlank: false,
                partOf: EpochStamp(epoch: Epoch(rawValue: partOf), node: .two),
                isBehind: isBehind,
                wentBack: wentBack,
                holdsRecorded: holdsRecorded,
                node: .two
            )
        )
    }

    @Test("W6 A newer file of the peer in this host's store makes what is beyond it a tail; an older one does not")
    func newerFile() {
        #expect(verdict(.own, end: .sample(9, 6, of: .one)) == .leave)
        #expect(verdict(.own, end: .sample(9, 5, of: .one)) == .keep, "node two's epoch 5 is the newer one")
        #expect(verdict(.own, end: .sample(9, 4, of: .one)) == .keep, "the newer epoch has not settled this store")
    }

    @Test("N6 A database that was part of the newest file's epoch follows, though the file of its place was merged")
    func merged() {
        var facts = StoreVerdict.Facts(
            site: .own,
            holds: false,
            end: .sample(9, 5, of: .one),
            isBlank: false,
            partOf: EpochStamp(epoch: Epoch(rawValue: 5), node: .one),
            isBehind: true,
            wentBack: false,
            node: .two
        )
        #expect(StoreVerdict(facts) == .follow)
        facts.isBehind = false
        #expect(StoreVerdict(facts) == .leave, "it stands beyond the end of that very epoch")
    }

    @Test("W6 An owner's seal in its own store says nothing about its database")
    func ownersSeal() {
        #expect(verdict(.own, end: .sample(9, 6, of: .two)) == .keep)
        #expect(verdict(.peer, end: .sample(9, 6, of: .one)) == .keep)
    }

    @Test("W4 After a power cut what only the peer's store has is fetched")
    func powerCut() {
        #expect(verdict(.peer, end: .sample(9, 5, of: .two), wentBack: true) == .restore)
        #expect(verdict(.peer, end: .sample(9, 5, of: .two), holds: true, wentBack: true) == .follow)
        #expect(verdict(.peer, end: nil, wentBack: true) == .keep)
        #expect(verdict(.peer, end: .sample(9, 6, of: .one), wentBack: true) == .keep, "a seal by that store's owner")
        #expect(verdict(.peer, end: .sample(9, 4, of: .two), wentBack: true) == .keep, "it was part of a newer epoch")
    }

    @Test("W4 After a power cut the store that leads to the place on record counts, whoever has sealed it since")
    func recorded() {
        for site in [ChainSite.own, .peer] {
            for node in [NodeID.one, .two] {
                #expect(verdict(site, end: .sample(9, 6, of: node), wentBack: true, holdsRecorded: true) == .restore)
            }
        }
    }
}
