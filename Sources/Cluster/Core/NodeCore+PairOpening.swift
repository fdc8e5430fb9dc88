/// From the seal to the right in the peer's cell, and out again, without a witness (failover-review W4 d to f, W8).
extension NodeCore {
    /// Moves the right from the own cell to the peer's, as far as that answers.
    mutating func advanceRight() {
        guard isPaired, pair.swap == nil, let hold, [.recorded, .primary, .draining].contains(role) else { return }
        let mine = hold.body.stamp
        let own = pair.own.seen?.lease
        switch pair.place {
        case .own:
            if isLeftOut(.movedFirst), own?.stamp == mine, own?.state == .held {
                return swapCell(.own, .moved, .moveOwn)
            }
            guard !pair.peer.isAway, let peer = pair.peer.seen?.lease, isNewer(mine, than: peer.stamp) else { return }
            swapCell(.peer, .held, .takePeer)
        case .both:
            if isLeftOut(.staleOwnCell) {
                (pair.place, crossing.next) = (.peer, now)
            } else if own?.stamp == mine {
                swapCell(.own, .moved, .moveOwn)
            }
        case .peer:
            guard !isLeftOut(.staleOwnCell), let own, own.state != .moved,
                isNewer(mine, than: own.stamp)
            else { return }
            swapCell(.own, .moved, .moveOwn)
        }
    }

    private mutating func swapCell(_ site: ChainSite, _ state: Lease.State, _ purpose: CellSwap.Purpose) {
        guard let hold, let seen = pair[site].seen, pair[site].request == nil else { return }
        let body = cellBody(state, hold.epoch, over: seen.lease)
        sendCell(CellSwap(site: site, body: body, condition: seen.version, purpose: purpose, firstSent: now))
    }

    // MARK: - Opening

    /// Whether the right is where it is to be, or the cell that it should go to next is away: then that is done later.
    var mayOpenPaired: Bool {
        guard let hold, !isLeftOut(.openBeforeSwap) else { return true }
        if pair.place != .peer, now >= hold.won + timing.ttl { return true }
        switch pair.place {
        case .own: return pair.peer.isAway
        case .both: return pair.own.isAway
        case .peer: return isLeftOut(.staleOwnCell) || pair.own.seen?.lease.state == .moved
        }
    }

    /// When it opens at the latest.
    var openingEnd: Moment? {
        guard role == .recorded, pair.place != .peer, let hold else { return nil }
        return max(now, hold.won + timing.ttl)
    }

    mutating func preparePairedOpening() {
        guard isPaired, let hold else { return }
        notePartOf(hold.body.stamp)
        // What a power cut took and no store gave back is given up.
        forgetDebt()
        forgetOwnPages()
        pair.strayedFrom = nil
        if isLeftOut(.openBeforeSwap) { pair.place = .peer }
    }

    /// A rule left out: a restarted primary goes on as it was.
    mutating func resumeUnread() {
        let last = EpochStamp(epoch: memory.tried, node: settings.node)
        guard memory.partOf == last, memory.tried > .zero, let seen = pair.own.seen else { return }
        let body = cellBody(.held, memory.tried, over: seen.lease)
        hold = LeaseHold(
            body: body,
            version: seen.version,
            since: now,
            nextRenewal: now,
            claimedHead: body.head,
            cause: .free,
            won: now
        )
        (pair.place, pair.isSealedAtPeer, crossing.needsCopy) = (.peer, false, true)
        become(.recorded)
    }

    /// Whether the peer's store may be settled: the right lies there.
    var maySettle: Bool { pair.place == .peer || isLeftOut(.shipEarly) }

    // MARK: - The whole copy (W5)

    /// Whether the peer's cell, or the lease, tells where the whole copy lies.
    ///
    /// Its number is above all of this node's, so it may leave a gap: a successor's seal directly behind the store's end would
    /// not keep it out. Whoever claims there reads in the cell which number it has to take itself.
    var isCopyAnnounced: Bool {
        guard let copy = crossing.copy else { return true }
        guard isPaired else { return hold.map { $0.body.copyAt >= copy.point.number } ?? false }
        guard let cell = pair.peer.seen?.lease, let hold, cell.stamp == hold.body.stamp else {
            return isLeftOut(.shipEarly) || isLeftOut(.openBeforeSwap)
        }
        return cell.copyAt >= copy.point.number
    }

    mutating func announceCopyInCell() {
        guard let copy = crossing.copy, !isCopyAnnounced, pair.swap == nil, let hold, let seen = pair.peer.seen,
            pair.peer.request == nil, seen.lease.stamp == hold.body.stamp
        else { return }
        var body = cellBody(.held, hold.epoch, over: seen.lease)
        body.copyAt = copy.point.number
        sendCell(CellSwap(site: .peer, body: body, condition: seen.version, purpose: .copy, firstSent: now))
    }

    // MARK: - Retention (W1)

    mutating func advanceHead() {
        guard pair.wantsHead, pair.swap == nil, role == .primary, pair.place == .peer, crossing.isSettled, let hold,
            let seen = pair.peer.seen, pair.peer.request == nil, seen.lease.stamp == hold.body.stamp
        else { return }
        pair.wantsHead = false
        guard position.number > seen.lease.head.number else { return }
        var body = cellBody(.held, hold.epoch, over: seen.lease)
        body.head = position
        sendCell(CellSwap(site: .peer, body: body, condition: seen.version, purpose: .head, firstSent: now))
    }

    /// The head in the cell, so far as it is known to have landed.
    var licensedHead: UInt64 {
        guard let hold, role == .primary, crossing.isSettled, pair.place == .peer, let lease = pair.peer.seen?.lease,
            lease.stamp == hold.body.stamp
        else { return 0 }
        return lease.head.number
    }

    // MARK: - Letting go (W8)

    mutating func advancePairedDrain(_ drain: Drain) {
        let isAllShipped = spool.isEmpty && uploads.isEmpty || isLeftOut(.releaseUnshipped)
        guard drain.phase == .shipping, isAllShipped, crossing.isSettled, crossing.request == nil, pair.place == .peer,
            pair.swap == nil, let hold, let seen = pair.peer.seen, pair.peer.request == nil,
            seen.lease.stamp == hold.body.stamp
        else { return }
        self.drain?.phase = .swapping
        // Whatever becomes of the answer, a blind word must not be spoken here any more.
        if !isLeftOut(.releaseUnrecorded) {
            memory.isReleasing = true
            actions.append(.remember(memory))
        }
        var body = cellBody(.free, hold.epoch, over: seen.lease)
        if position.number > body.head.number { body.head = position }
        if case .handOver(let successor) = drain.purpose { (body.state, body.successor) = (.handoff, successor) }
        sendCell(CellSwap(site: .peer, body: body, condition: seen.version, purpose: .release, firstSent: now))
    }
}
