/// What limits how often a node claims.
struct ClaimHistory: Sendable {
    /// When this process took over on silence, ascending.
    var onSilence: [Moment] = []
    /// A claim that could not reach the head: from where, and when the next one may be tried without having moved (N4).
    var failure: (position: ChainPoint, wait: Duration, until: Moment)?
    /// An operator wants this node to be primary: whether a loss is accepted, and until when the word counts.
    var wish: (acceptsLoss: Bool, end: Moment)?
    /// Since when an own hand-over to another node stands.
    var handedOver: Moment?
}

extension NodeCore {
    /// Whether a loss is accepted, where an operator's word to take over has not been carried out yet; else `nil`.
    ///
    /// It counts for one claim, and not for ever: nobody thinks of it any more when the next primary dies.
    func wanted(at now: Moment) -> Bool? {
        guard let wish = claims.wish, now < wish.end else { return nil }
        return wish.acceptsLoss
    }

    /// Whether nothing is under way that a claim would cut short.
    var isIdle: Bool {
        switch step?.kind {
        case nil, .fetch?, .fetchMerged?: true
        default: false
        }
    }

    /// Claims the lease if there is a reason to, and nothing against it.
    mutating func considerClaim(_ lease: Lease, _ version: LeaseVersion) {
        guard role == .standby, isIdle, !isBeforeBeginning || goesOnBehind, let cause = reason(to: lease) else {
            return
        }
        guard lease.eligible.contains(settings.node) || wanted(at: now) == true || isLeftOut(.notEligible) else {
            return
        }
        if memory.isDemoted, wanted(at: now) == nil { return }
        if let promise, now < promise.end {
            // But for what that very session has let go.
            let isReleased = lease.state != .held && lease.session == promise.session
            let isOwn = isLeftOut(.promiseOwnSession) && lease.node == settings.node
            guard isReleased || isOwn else { return }
        }
        if let failure = claims.failure, failure.position == position, now < failure.until { return }
        if cause == .timeout {
            guard !isInHoldDown else { return }
            claims.onSilence.append(now)
        }
        claim((lease, version), cause)
    }

    private func reason(to lease: Lease) -> EpochRecord.Cause? {
        let isExpired =
            if isLeftOut(.wallClock), let written = lease.writtenAt {
                now - Moment(reading: written) >= timing.patience
            } else {
                watch.isExpired(at: now)
            }
        let isOwn = lease.node == settings.node && lease.session != session
        switch lease.state {
        case .free: return wanted(at: now) == nil ? .free : .operator
        case .handoff where lease.successor == settings.node: return .handoff
        case .handoff where isOwn:
            let patience = settings.handoff
            guard let since = claims.handedOver else { return .free }
            return now - since >= patience ? .free : nil
        case .held where isOwn: return .free
        default:
            guard isExpired else { return nil }
            return wanted(at: now) == nil ? .timeout : .operator
        }
    }

    var isInHoldDown: Bool {
        guard let limit = settings.holdDownLimit else { return false }
        let recent = claims.onSilence.filter { now - $0 < settings.holdDownWindow }
        guard recent.count >= limit, let last = recent.last else { return false }
        return now - last < settings.holdDownWait
    }

    mutating func claim(_ found: (lease: Lease, version: LeaseVersion)?, _ cause: EpochRecord.Cause) {
        let lease = found?.lease
        var body = Lease(
            cluster: settings.cluster,
            epoch: lease?.epoch.next ?? Epoch(rawValue: 1),
            session: session,
            node: settings.node,
            name: settings.name,
            state: .held,
            counter: 1,
            nonce: newNonce(),
            ttl: timing.ttl,
            head: lease?.head ?? position,
            begin: lease?.begin ?? 0,
            continues: lease?.continues,
            origin: lease?.origin,
            eligible: lease?.eligible ?? [settings.node],
            url: settings.url
        )
        (body.copyAt, body.other) = (lease?.copyAt ?? 0, lease?.other ?? [:])
        // Of two hosts, one that dies before it opens must not have got itself onto the list.
        if !body.eligible.contains(settings.node), !isCrossed {
            body.eligible = (body.eligible + [settings.node]).sorted()
        }
        if isCrossed { beginCrossing(&body, from: lease) }
        if isLeftOut(.wallClock) { body.writtenAt = now.reading }
        (step, claims.handedOver) = (nil, nil)
        become(.claiming)
        send(PendingSwap(body: body, condition: found?.version, firstSent: now, purpose: .claim(cause)))
    }

    // MARK: - From the lease to the open gate (N12)

    mutating func verified(_ checksum: UInt64) {
        guard role == .claimed else { return }
        let tip = ahead.last?.point.checksum ?? position.checksum
        guard checksum == tip else {
            return giveUp("The database is not what the chain leads to: it is looked at anew.")
        }
        if crossing.needsCopy { becomeRecorded() } else { become(.sealing) }
    }

    mutating func sealCreated(_ answer: CreateAnswer) {
        guard let hold else { return }
        switch answer {
        case .created, .exists(isSame: true, _): sealed()
        case .exists(_, let mark?) where isLeftOut(.byNode) && mark.node == settings.node: sealed()
        case .exists(_, nil):
            haltOnForeign((wholeSealEnd ?? position).number + 1)
        case .exists(_, let mark?):
            // The old primary's file got there first: it is part of the chain, unless it is a successor's (N5).
            let isOlder = isPaired ? !isNewer(mark.stamp, than: hold.body.stamp) : mark.epoch < hold.epoch
            guard isOlder || isLeftOut(.chase) else { return fence("Epoch \(mark.epoch) has begun.") }
            isPaired ? readStoresAnew() : become(.claimed)
        case .conflict, .unknown:
            if isLeftOut(.unknownIsSuccess) { return sealed() }
            if mayOpenAlone { return openWithoutPeer() }
            nextStep = now + pause
        }
    }

    private mutating func sealed() {
        guard !isPaired else { return sealedStore() }
        guard let hold else { return }
        self.hold?.parentEpoch = positionEpoch
        self.hold?.sealed = now
        if let end = wholeSealEnd { (position, ahead) = (end, []) }
        position.number += 1
        positionEpoch = hold.epoch
        become(.sealed)
    }

    mutating func recorded(_ answer: CreateAnswer) {
        guard role == .sealed else { return }
        switch answer {
        case .created, .exists(isSame: true, _): becomeRecorded()
        case .exists: halt("The record of this epoch was written by somebody else.")
        case .conflict, .unknown:
            if mayOpenAlone { return openWithoutPeer() }
            nextStep = now + pause
        }
    }

    /// The lease is given back; this node joins anew.
    mutating func giveUp(_ why: String) {
        actions.append(.alarm(why))
        let before = claims.failure.map { $0.position == position ? $0.wait : .zero } ?? .zero
        let wait = before == .zero ? Duration.seconds(60) : min(before * 2, .seconds(600))
        claims.failure = (position, wait, now + wait)
        // Nothing was shipped, so nothing can be let go of (W8): its next session claims.
        guard !isPaired else { return fence(why) }
        (step, drain) = (nil, Drain(purpose: .giveUp, phase: .shipping, since: now))
        become(.draining)
    }

    /// The pause before something is sent again.
    var pause: Duration { timing.ttl / 30 }

    /// What the record of this epoch says.
    func epochRecord(_ hold: LeaseHold) -> EpochRecord {
        let isApart = isPaired && role == .sealed
        let parent =
            isApart ? pair.sealBehind : ChainPoint(number: position.number - 1, checksum: position.checksum)
        return EpochRecord(
            epoch: hold.epoch,
            session: session,
            node: settings.node,
            parent: parent,
            parentEpoch: hold.parentEpoch,
            keepFrom: hold.claimedHead.number + 1,
            first: parent.number + 1,
            cause: hold.cause
        )
    }
}
