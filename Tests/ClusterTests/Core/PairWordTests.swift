import Testing

@testable import Cluster

/// What an operator may say to a node without a witness, and has to; node two, whose peer is node one.
@Suite struct PairWordTests {
    private let point = ChainPoint(number: 9, checksum: 99)

    /// A standby whose peer holds the right in this host's store, and has shipped there.
    private func standby(
        peer: Lease?,
        end: FileMark? = .sample(9, 5, of: .one),
        change: (inout NodeSettings) -> Void = { _ in }
    ) -> SamplePair {
        var node = SamplePair(own: .cell(5, of: .one), peer: peer, change: change)
        node.join(at: point, ownEnd: end)
        return node
    }

    @Test("W9 A clear word asks whether the peer's process is stopped, and claims the cell that has the right")
    func clear() throws {
        var node = standby(peer: .cell(5, of: .one, .moved))
        #expect(node.core.role == .standby && node.core.promotion == .asks(.clear))
        node.tell(.command(.promotePeerIsDown([])))
        #expect(node.core.role == .standby)
        #expect(node.alarms.contains { $0.contains("Is the peer's process stopped?") })
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        let claim = try #require(node.claim)
        #expect(claim.site == .own && claim.body.epoch.rawValue == 6 && claim.body.state == .held)
    }

    @Test("W9 A word that comes while this host's store does not answer waits for it")
    func waitsForStore() throws {
        var node = standby(peer: .cell(5, of: .one, .moved))
        node.cells.updateValue(nil, forKey: .own)
        node.pass(600)
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        #expect(node.claim == nil && node.core.role == .standby)
        node.cells.updateValue(.cell(5, of: .one), forKey: .own)
        for _ in 0..<3 where node.claim == nil { node.pass(600) }
        #expect(try #require(node.claim).site == .own)
    }

    @Test("W9 A claim that meets the holder's last turn of the cell is sent again; another right ends the word")
    func meetsHolder() throws {
        for epoch in [5, 6] as [UInt64] {
            var node = standby(peer: .cell(5, of: .one, .moved))
            node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
            #expect(node.claim?.body.epoch.rawValue == 6)
            var cell = Lease.cell(epoch, of: .one)
            cell.nonce = Nonce(high: 77, low: 7)
            node.cells.updateValue(cell, forKey: .own)
            node.tell(.cellSwapped(try #require(node.core.pair.own.request), .own, .refused))
            #expect(node.core.pair.word != nil || epoch == 6)
            for _ in 0..<3 where node.claim?.body.epoch.rawValue != 7 { node.pass(600) }
            #expect((node.claim?.body.epoch.rawValue == 7) == (epoch == 5), "\(node.core.role)")
        }
    }

    @Test("W1 What was tried is durable before the claim is sent")
    func tried() throws {
        var node = standby(peer: .cell(5, of: .one, .moved))
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        let remembered = try #require(
            node.actions.lastIndex { if case .remember(let memory) = $0 { memory.tried.rawValue == 6 } else { false } }
        )
        let sent = try #require(node.actions.firstIndex { if case .swapCell = $0 { true } else { false } })
        #expect(remembered < sent)
    }

    @Test("W9 With the peer's cell out of reach the word is clear only if a file shows that the peer has moved its own")
    func outOfReach() {
        #expect(standby(peer: nil).core.promotion == .asks(.clear))
        #expect(standby(peer: nil, end: .sample(9, 4, of: .one)).core.promotion == .asks(.blind))
    }

    @Test("W9 A blind word needs all three answers, and its epoch is far above")
    func blind() throws {
        var node = SamplePair(own: .cell(5, of: .two, .moved), peer: nil)
        node.join(at: point, ownEnd: nil)
        #expect(node.core.promotion == .asks(.blind))
        #expect(PairWord.blind.warning != nil)
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        #expect(node.core.role == .standby)
        node.tell(.command(.promotePeerIsDown(Set(PairQuestion.allCases))))
        #expect(try #require(node.claim).body.epoch.rawValue == 65_541)
    }

    @Test("W9 A clear answer does not count for what has become blind since")
    func becameBlind() {
        var node = standby(peer: .cell(5, of: .one, .moved), end: .sample(9, 4, of: .one))
        #expect(node.core.promotion == .asks(.clear))
        node.cells[.peer] = .some(nil)
        node.pass(700)
        node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
        #expect(node.core.role == .standby && node.core.promotion == .asks(.blind))
    }

    @Test("W9 With a release on record a blind word is refused, whatever is answered")
    func releasing() {
        var memory = NodeMemory()
        memory.isReleasing = true
        var node = SamplePair(own: .cell(5, of: .two, .moved), peer: nil, memory: memory)
        node.join(at: point, ownEnd: nil)
        guard case .refused(let why) = node.core.promotion else {
            Issue.record("\(node.core.promotion)")
            return
        }
        #expect(why.contains("promote on the peer's host"))
        node.tell(.command(.promotePeerIsDown(Set(PairQuestion.allCases))))
        #expect(node.core.role == .standby && node.alarms == [why])
        #expect(node.core.need == PairNeed(why, command: nil))
    }

    @Test("W3 Without a word a restarted holder claims where its right lies, once that cell is read")
    func restarted() throws {
        var node = SamplePair(own: .cell(5, of: .two, .moved), peer: nil)
        node.join(at: point, ownEnd: nil)
        #expect(node.core.role == .standby)
        node.cells[.peer] = .cell(5, of: .two)
        node.pass(700)
        let claim = try #require(node.claim)
        #expect(claim.site == .peer && claim.body.epoch.rawValue == 6)
    }

    @Test("The peer's cell counts only if it was read after the own one showed what it shows")
    func staleReading() {
        var node = SamplePair(own: .cell(5, of: .two, .moved), peer: .cell(5, of: .one, .free))
        node.join(at: point, ownEnd: nil)
        // The own cell changes; the peer's was read before.
        node.core.pair.own.seen = (.cell(6, of: .one), LeaseVersion(rawValue: "new"))
        #expect(node.core.right == nil)
    }

    @Test("W10 What is needed is said in one sentence, with what to type")
    func need() {
        let quiet = standby(peer: .cell(5, of: .one, .moved))
        #expect(quiet.core.need == nil, "a peer that answers needs nobody")
        let command = "sqlite-replicate promote -peer-is-down"
        var node = standby(peer: nil)
        #expect(node.core.need?.command == command)
        #expect(node.core.need?.sentence.hasPrefix("one has the right to write and does not answer") == true)
        node = SamplePair(own: .cell(5, of: .two, .moved), peer: nil)
        node.join(at: point, ownEnd: nil)
        #expect(node.core.need?.command == command)
        #expect(node.core.need?.sentence.contains("lies in the peer's store, which does not answer") == true)
    }

    @Test("`unsafe-auto-promote` speaks the clear word, never a blind one, and only where the peer is gone altogether")
    func unsafe() {
        let unsafe: (inout NodeSettings) -> Void = { $0.isUnsafelyPromoted = true }
        var node = standby(peer: nil, change: unsafe)
        #expect(node.core.role == .standby)
        node.tell(.peerHealth(isGood: false))
        #expect(node.claim?.site == .own)

        var blind = standby(peer: nil, end: .sample(9, 4, of: .one), change: unsafe)
        blind.tell(.peerHealth(isGood: false))
        #expect(blind.core.role == .standby)

        var seen = standby(peer: .cell(5, of: .one, .moved), change: unsafe)
        seen.tell(.peerHealth(isGood: false))
        #expect(seen.core.role == .standby)

        var safe = standby(peer: nil)
        safe.tell(.peerHealth(isGood: false))
        #expect(safe.core.role == .standby)
    }

    @Test("W7 A newer epoch of the peer in either cell fences")
    func fenced() throws {
        for site in [ChainSite.own, .peer] {
            var node = standby(peer: .cell(5, of: .one, .moved))
            node.tell(.command(.promotePeerIsDown([.peerIsStopped])))
            let claim = try #require(node.claim)
            let ticket = try #require(node.core.pair.own.request)
            node.cells[.own] = claim.body
            node.tell(.cellSwapped(ticket, .own, .swapped(LeaseVersion(rawValue: "v2"))))
            #expect(node.core.role == .claimed)
            let session = node.core.session
            node.cells[site] = .cell(7, of: .one)
            node.pass(700)
            #expect(node.core.role == .joining && node.core.session != session, "\(site)")
        }
    }
}
