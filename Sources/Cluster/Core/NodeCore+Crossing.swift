/// Where the history goes on, and who goes on with it (failover-review G1, G2).
extension NodeCore {
    /// Whether each of two hosts has a store.
    var isCrossed: Bool { settings.topology != .shared }

    /// Whether the history goes on with this node's database.
    var isAuthor: Bool { (hold?.body ?? watch.seen?.lease)?.origin?.node == settings.node }

    /// Whether the history goes on with this node's database, which went back behind its own seal in a power cut: up to
    /// there it lies in this host's store.
    var isBehindOwnSeal: Bool {
        guard isCrossed, let lease = hold?.body ?? watch.seen?.lease, let origin = lease.origin,
            origin.node == settings.node, lease.continues == nil
        else { return false }
        return position.number < origin.first
    }

    /// Whether all that it lacks there is the seal itself.
    var holdsUpToOwnSeal: Bool {
        guard isBehindOwnSeal, let hold, let origin = hold.body.origin else { return false }
        return position.number + 1 >= origin.first && holdsPromised(hold.claimedHead)
    }

    /// The chain is where this node ships to, if the history goes on with its database; else where others ship for it.
    mutating func turnToChain() {
        guard isCrossed else { return }
        // Without a witness a claimant goes by what it reads, and everybody else follows from this host's store.
        guard !isPaired else { return turn(to: pair.own.seen?.lease.state == .moved ? .peer : .own) }
        turn(to: isAuthor && !isBehindOwnSeal ? .peer : .own)
    }

    mutating func turn(to site: ChainSite) {
        guard crossing.site != site else { return }
        (crossing.site, crossing.isProven) = (site, false)
        actions.append(.useChain(site))
    }

    // MARK: - Claiming (G1, G2)

    mutating func beginCrossing(_ body: inout Lease, from lease: Lease?) {
        (crossing.isProven, crossing.needsCopy, crossing.hasLeftBehind) = (false, false, false)
        crossing.acceptsLoss = wanted(at: now) == true
        crossing.isNarrow = body.eligible == [settings.node]
        if isLeftOut(.authorByLease), let lease {
            var origin = lease.origin ?? Lease.Origin(epoch: lease.epoch, node: lease.node, first: 0)
            (origin.epoch, origin.node) = (lease.epoch, lease.node)
            body.origin = origin
        }
    }

    /// Whether the store may have gone back behind the place where this claimant stands.
    var needsProof: Bool {
        guard isCrossed, role == .claimed, let hold, !crossing.isProven, !isLeftOut(.noHead) else { return false }
        // One that stands before the head proves it by reading on.
        return position.number >= hold.claimedHead.number
    }

    mutating func proveStore() {
        let place = position
        begin(.survey) { .survey($0, place) }
    }

    /// Whether this claimant may open without having read the peer's store to its end.
    ///
    /// The history goes on with its own database, which holds all that was promised to anybody; what it has shipped since and
    /// does not know of can only be its own.
    var mayOpenAlone: Bool {
        guard isCrossed, !isPaired, crossing.site == .peer, let hold, [.claimed, .sealing, .sealed].contains(role)
        else {
            return false
        }
        // What a power cut took from it may lie in its last whole copy.
        let isWhole = holdsPromised(hold.claimedHead) && newestOwn >= memory.copyAt
        return now - hold.won >= timing.ttl && (isWhole || crossing.acceptsLoss)
    }

    /// The newest transaction that this database holds.
    var newestOwn: UInt64 { (ahead.last?.point ?? position).number }

    /// Whether this database holds all that was promised to anybody, when that is the head of the lease.
    func holdsPromised(_ head: ChainPoint) -> Bool {
        // Its own files lead to what it holds.
        let isReached = position.number >= head.number || ahead.contains { $0.point == head }
        return isReached && newestOwn >= memory.owes
    }

    /// Whether this host's store has taken nothing for so long that the lease is kept for nothing.
    var isStuck: Bool {
        guard isCrossed, let hold else { return false }
        return now - (hold.sealed ?? hold.won) >= settings.longestCatchUp
    }

    /// Whether the next file does not fit where it did not fit before.
    var isUnfitAgain: Bool {
        mutating get {
            guard isCrossed else { return false }
            defer { crossing.unfitAt = position.number }
            return crossing.unfitAt == position.number
        }
    }

    /// Goes on without the peer's store, which gets a whole copy once it answers.
    mutating func openWithoutPeer() {
        crossing.needsCopy = true
        if let hold, !holdsPromised(hold.claimedHead) { crossing.hasLeftBehind = true }
        guard role == .claimed else {
            step = nil
            return becomeRecorded()
        }
        begin(.verify) { .verify($0) }
    }

    /// Whether a file of the peer's store is what an own session has left there that this database has gone on without
    /// reading, or the seal of a peer that was never named: nobody has superseded what the database holds (N9 b).
    ///
    /// Where that has lost something since, what it has shipped counts.
    func isLeftover(_ mark: FileMark) -> Bool {
        guard isCrossed, crossing.site == .peer, let lease = hold?.body ?? watch.seen?.lease,
            let origin = lease.origin, origin.node == settings.node
        else { return false }
        let isOurs = mark.node == settings.node || mark.epoch < origin.epoch
        return isOurs && holdsPromised(hold?.claimedHead ?? lease.head)
    }

    /// Goes on from this database rather than from such a file.
    mutating func passOver() {
        guard role == .claimed, let hold else {
            nextStep = now + settings.followInterval
            return
        }
        guard holdsPromised(hold.claimedHead) else {
            return giveUpOnLoss("The peer's store and this database have both lost something")
        }
        openWithoutPeer()
    }

    /// All is proven but who goes on with the history.
    mutating func becomeRecorded() {
        passOverNumbers()
        become(.recorded)
        if isCrossed { hold?.nextRenewal = now }
    }

    /// Says that this node goes on with the history.
    ///
    /// Where that is a takeover, or the peer's store is to get a whole copy, nobody else stays on the list before that store
    /// holds everything: who reads on from its old end would not see the copy. Until then nothing has changed, so a claimant
    /// that dies, or gives up, leaves the list as it was.
    mutating func name(_ body: inout Lease, _ hold: LeaseHold) {
        let old = hold.body.origin.flatMap { $0.node == settings.node ? $0 : nil }
        body.origin = Lease.Origin(
            epoch: hold.epoch,
            node: settings.node,
            first: old?.first ?? position.number,
            since: old?.since ?? hold.epoch,
            hasEarlierSeals: old?.hasEarlierSeals ?? isBehindUnnamed(hold)
        )
        nameLoss(&body, isTakeover: old == nil)
        // What the lease has told of a copy concerns the store that was sealed.
        if old == nil { body.copyAt = 0 }
        guard old == nil || crossing.needsCopy || !body.eligible.contains(settings.node) else { return }
        crossing.isNarrow = true
        if !isLeftOut(.staysEligible) { body.eligible = [settings.node] }
    }

    /// Whether this session's seal lies behind what no session wrote that was ever named; or it is not known.
    ///
    /// After a store went back such seals stand where the other node's transactions had been.
    private func isBehindUnnamed(_ hold: LeaseHold) -> Bool {
        guard let named = hold.body.origin?.epoch else { return false }
        return hold.parentEpoch == .zero ? position.number > 1 : hold.parentEpoch > named
    }

    /// Whether the lease is known to say so.
    func isNamed(_ hold: LeaseHold) -> Bool { hold.body.origin?.epoch == hold.epoch }

    /// A body that lists the peer may have landed as soon as it is sent.
    mutating func noteSent(_ body: Lease) {
        guard body.eligible != [settings.node], role == .primary else { return }
        (crossing.isNarrow, crossing.widening) = (false, nil)
    }

    /// A renewal has landed.
    mutating func renewalLanded() {
        guard isCrossed, let hold else { return }
        if role == .recorded, !isNamed(hold) { self.hold?.nextRenewal = now }
        if hold.body.eligible == [settings.node] { crossing.isNarrow = true }
    }

    mutating func surveyed(_ ticket: Ticket, _ survey: StoreSurvey?) {
        if ends(ticket) {
            guard !isPaired else { return storeSurveyed(survey) }
            guard role == .claimed else { return }
            proven(survey)
        } else if let request = crossing.request, request.ticket == ticket {
            crossing.request = nil
            crossing.next = now
            guard let survey else {
                crossing.next = now + timing.poll
                return peerFailed()
            }
            // A store may answer, and take nothing.
            if crossing.isSettled, spool.isEmpty { crossing.failingSince = nil }
            request.kind == .check ? checked(survey) : place(survey)
        }
    }

    private mutating func proven(_ survey: StoreSurvey?) {
        nextStep = now
        if survey?.holds == true || survey != nil && mayMeetCopy {
            crossing.isProven = true
        } else if crossing.site == .own {
            guard survey != nil else {
                nextStep = now + timing.poll
                return
            }
            if holdsUpToOwnSeal { return openWithoutPeer() }
            giveUpOnLoss("This host's store has lost what was in it: it cannot be taken over from")
        } else if survey != nil {
            passOver()
        } else if mayOpenAlone {
            openWithoutPeer()
        } else {
            nextStep = now + timing.poll
        }
    }

    /// Notes that a power cut took the database back behind what was on record, and may have been promised.
    mutating func noteDebt(_ finding: DatabaseFinding, _ point: ChainPoint) {
        guard isCrossed, point.number < finding.recorded.number, memory.owes < finding.recorded.number,
            !isLeftOut(.forgetDebt)
        else { return }
        memory.owes = finding.recorded.number
        actions.append(.remember(memory))
    }

    /// Where the database was put onto the chain as it is, nothing of an earlier one is missing.
    mutating func forgetDebt() {
        pair.wentBackOver = []
        guard memory.owes > 0 else { return }
        memory.owes = 0
        actions.append(.remember(memory))
    }

    /// Whether a whole copy of an own session lies further on in the peer's store, or may still land there, where no seal keeps
    /// it out: only another one behind it does.
    var mayMeetCopy: Bool { isCrossed && crossing.site == .peer && memory.copyAt > position.number }
}
