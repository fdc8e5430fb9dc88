/// Reading and swapping the two cells (failover-review W1, W7).
extension NodeCore {
    /// Whether the two hosts have no witness.
    var isPaired: Bool { settings.topology == .paired }

    /// Whether a node knows enough of the right to judge its database by it.
    var isOriented: Bool { isPaired ? pair.own.seen != nil : watch.seen != nil }

    mutating func advanceCells() {
        for site in [ChainSite.own, .peer] where pair[site].request == nil && now >= pair[site].next { readCell(site) }
        giveUpWaiting()
        considerRight()
        advanceRight()
        announceCopyInCell()
        advanceHead()
    }

    /// When to look at a cell next, or to stop waiting for one.
    var cellWake: Moment? {
        guard isPaired else { return nil }
        let looks = [pair.own, pair.peer].filter { $0.request == nil }.map(\.next)
        return (looks + [waitingEnd, openingEnd].compactMap(\.self)).min()
    }

    mutating func readCell(_ site: ChainSite) {
        let ticket = newTicket()
        pair[site].request = ticket
        pair[site].asking = pair.own.seen?.version
        actions.append(.readCell(ticket, site))
    }

    mutating func sendCell(_ swap: CellSwap) {
        let ticket = newTicket()
        pair.swap = swap
        pair[swap.site].request = ticket
        pair[swap.site].asking = pair.own.seen?.version
        actions.append(.swapCell(ticket, swap.site, swap.body, condition: swap.condition))
    }

    // MARK: - Answers

    mutating func cellRead(_ ticket: Ticket, _ site: ChainSite, _ reading: LeaseReading) {
        guard pair[site].request == ticket else { return }
        pair[site].request = nil
        pair[site].next = now + timing.poll
        switch reading {
        case .failed: pair[site].isAway = true
        case .unfit(let why): halt(why, lease: nil)
        case .absent:
            // A node that never saw a cell waits for a cluster.
            guard highestEpoch > .zero || pair.own.seen != nil else { return }
            // A host that was lost with its store comes back with an empty one: the right does not lie there.
            guard site == .own || hold == nil || pair.place != .own else {
                pair.peer.isAway = true
                return
            }
            halt("\(Self.name(site)) has lost its cell: 'cluster status' says what to do.")
        case .body(let lease, let version): cellSeen(site, lease, version)
        }
    }

    mutating func cellSwapped(_ ticket: Ticket, _ site: ChainSite, _ answer: SwapAnswer) {
        guard pair[site].request == ticket, let swap = pair.swap, swap.site == site else { return }
        pair[site].request = nil
        switch answer {
        case .swapped(let version): cellLanded(swap, version)
        case .conflict: sendCell(swap)
        case .refused: pair[site].next = now
        case .unknown:
            pair[site].isAway = true
            pair[site].next = now + pause
        }
    }

    private mutating func cellSeen(_ site: ChainSite, _ lease: Lease, _ version: LeaseVersion) {
        guard lease.cluster == settings.cluster else {
            return halt("\(Self.name(site)) has the cell of another cluster, \(lease.cluster).", lease: nil)
        }
        pair[site].isAway = false
        pair[site].asked = pair[site].asking
        // A word is about one right: where only its holder has written it once more it counts still.
        if let before = pair[site].seen?.lease, before.stamp != lease.stamp || before.state != lease.state {
            pair.word = nil
        }
        pair[site].seen = (lease, version)
        // The peer's cell counts only where it was asked behind the own one's last change.
        if pair.peer.asked != pair.own.seen?.version { pair.peer.next = now }
        highestEpoch = max(highestEpoch, lease.epoch)
        if let swap = pair.swap, swap.site == site { decide(swap, lease, version) }
        guard let hold else { return }
        if lease.node != settings.node, isNewer(lease.stamp, than: hold.body.stamp) {
            return fence("Node \(lease.name) has taken over, in epoch \(lease.epoch).")
        }
        let isHeld = site == .own ? pair.place != .peer : pair.place != .own
        if isHeld, lease.stamp < hold.body.stamp, !isLeftOut(.openBeforeSwap) {
            halt(
                "\(Self.name(site)) went back in time, with its cell. Stop the other node, start this one again, and say "
                    + "'promote -peer-is-down' on its host."
            )
        }
    }

    /// What became of a swap in doubt.
    private mutating func decide(_ swap: CellSwap, _ lease: Lease, _ version: LeaseVersion) {
        if lease.nonce == swap.body.nonce, lease.session == swap.body.session {
            cellLanded(swap, version)
        } else if version == swap.condition {
            sendCell(swap)
        } else {
            pair.swap = nil
            switch swap.purpose {
            case .claim: become(.standby)
            case .release: fence("Node \(lease.name) has taken over, in epoch \(lease.epoch).")
            case .takePeer, .moveOwn, .head, .copy: break
            }
        }
    }

    private mutating func cellLanded(_ swap: CellSwap, _ version: LeaseVersion) {
        pair.swap = nil
        pair[swap.site].isAway = false
        pair[swap.site].asked = pair[swap.site].asking
        pair[swap.site].seen = (swap.body, version)
        pair[swap.site].next = now + timing.poll
        highestEpoch = max(highestEpoch, swap.body.epoch)
        switch swap.purpose {
        case .claim(let cause): rightWon(swap, version, cause)
        case .takePeer: pair.place = isLeftOut(.movedFirst) && pair.own.seen?.lease.state == .moved ? .peer : .both
        case .moveOwn: if !isLeftOut(.movedFirst) || pair.place != .own { movedOwn() }
        case .head, .copy: break
        case .release: released(swap.body)
        }
    }

    private mutating func movedOwn() { (pair.place, crossing.next) = (.peer, now) }

    // MARK: - Waiting

    /// Until when a claim or a release in doubt is waited for: an operator speaks to a node that waits for nothing.
    private var waitingEnd: Moment? {
        guard let swap = pair.swap else { return nil }
        switch swap.purpose {
        case .claim, .release: return swap.firstSent + settings.handoff
        case .takePeer, .moveOwn, .head, .copy: return nil
        }
    }

    private mutating func giveUpWaiting() {
        guard let waitingEnd, now >= waitingEnd, let swap = pair.swap else { return }
        if case .release = swap.purpose { return fence("It is not known whether the right was let go.") }
        // What lands yet is a dead session's.
        (pair.swap, pair[swap.site].request, pair[swap.site].next) = (nil, nil, now)
        session = SessionID(rawValue: random.next())
        become(.standby)
    }

    /// Whether an epoch is newer than another one (W1).
    func isNewer(_ stamp: EpochStamp, than other: EpochStamp) -> Bool {
        isLeftOut(.noTieBreak) ? stamp.epoch > other.epoch : stamp > other
    }

    static func name(_ site: ChainSite) -> String { site == .own ? "This host's store" : "The peer's store" }
}
