/// Claiming the right without a witness: where it lies, and with which word (failover-review W2, W3, W9).
extension NodeCore {
    /// Where the right lies; `nil` as long as a cell is still to be read for it.
    ///
    /// The peer's counts as read only if it was asked after the own one showed what it shows now: the right goes from a
    /// holder's own cell to its peer's, and a look at the old place before and at the new one after would miss it.
    var right: PairRight? {
        guard let own = pair.own.seen, !pair.own.isAway else { return nil }
        let peer: Lease?
        if pair.peer.isAway {
            peer = nil
        } else if let seen = pair.peer.seen, pair.peer.asked == own.version {
            peer = seen.lease
        } else {
            return nil
        }
        return PairRight(
            own: own.lease,
            peer: peer,
            ownEnd: pair.ownSurvey?.end?.stamp,
            node: settings.node,
            leavingOut: leftOut
        )
    }

    /// Claims where that may be done.
    mutating func considerRight() {
        guard role == .standby, isIdle, pair.swap == nil, !pair.mustGoBack, !memory.isDemoted, let right,
            pair[right.site].request == nil, let seen = pair[right.site].seen
        else { return }
        guard let word = right.word else {
            guard let body = right.body, isDue(body) else { return }
            let cause: EpochRecord.Cause = body.state == .handoff && body.node != settings.node ? .handoff : .free
            return claim(right, seen, cause)
        }
        guard isSpoken(word) else { return }
        claim(right, seen, .operator)
    }

    /// Whether nothing speaks for waiting: who has let go leaves the other one some time to take it.
    private func isDue(_ body: Lease) -> Bool {
        if let failure = claims.failure, failure.position == position, now < failure.until { return false }
        guard body.node == settings.node, body.state != .held, let since = claims.handedOver else { return true }
        return now - since >= settings.handoff
    }

    private mutating func claim(
        _ right: PairRight,
        _ seen: (lease: Lease, version: LeaseVersion),
        _ cause: EpochRecord.Cause
    ) {
        let epoch = right.nextEpoch(tried: memory.tried, leavingOut: leftOut)
        memory.tried = epoch
        actions.append(.remember(memory))
        (step, claims.handedOver) = (nil, nil)
        become(.claiming)
        let body = cellBody(.held, epoch, over: seen.lease)
        sendCell(
            CellSwap(site: right.site, body: body, condition: seen.version, purpose: .claim(cause), firstSent: now)
        )
    }

    /// A body of this session in the place of another one.
    mutating func cellBody(_ state: Lease.State, _ epoch: Epoch, over old: Lease) -> Lease {
        var body = Lease(
            cluster: settings.cluster,
            epoch: epoch,
            session: session,
            node: settings.node,
            name: settings.name,
            state: state,
            counter: old.session == session ? old.counter + 1 : 1,
            nonce: newNonce(),
            ttl: timing.ttl,
            head: old.head,
            begin: old.begin,
            continues: old.continues,
            eligible: [settings.node],
            url: settings.url
        )
        (body.copyAt, body.other) = (old.copyAt, old.other)
        return body
    }

    mutating func rightWon(_ swap: CellSwap, _ version: LeaseVersion, _ cause: EpochRecord.Cause) {
        (memory.won, memory.isReleasing, pair.word) = (swap.body.epoch, false, nil)
        actions.append(.remember(memory))
        hold = LeaseHold(
            body: swap.body,
            version: version,
            since: swap.firstSent,
            nextRenewal: swap.firstSent,
            claimedHead: swap.body.head,
            cause: cause,
            won: now
        )
        (pair.place, pair.reading, pair.isSealedAtPeer) = (swap.site == .own ? .own : .peer, Pairing.Reading(), false)
        (crossing.needsCopy, step, nextStep) = (false, nil, now)
        become(.claimed)
        // It was told to stay out while the answer was under way.
        if memory.isDemoted { letGo(.release) }
    }
}
