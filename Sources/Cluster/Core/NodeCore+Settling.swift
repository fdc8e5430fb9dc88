/// A primary whose peer's store is to hold the whole history (failover-review G3).
extension NodeCore {
    /// Whether this node writes, and the store it ships to does not hold the whole history yet.
    public var isUnsettled: Bool { isCrossed && opened != nil && !crossing.isSettled }

    /// Whether anything may be created in the peer's store just now.
    var mayUpload: Bool {
        guard isCrossed else { return true }
        guard crossing.isSettled else { return crossing.copy != nil && spool.first == crossing.copy && isCopyAnnounced }
        if isLeftOut(.uncheckedStore) { return true }
        return !crossing.mustCheck && crossing.request?.kind != .check && now - crossing.checked < timing.ttl
    }

    mutating func advanceCrossing() {
        guard isCrossed, opened != nil, role == .primary || role == .draining else { return }
        if wantsNarrow, let hold, !crossing.isNarrow {
            self.hold?.nextRenewal = min(now, hold.nextRenewal)
        }
        guard crossing.request == nil, now >= crossing.next else { return }
        let place = position
        if crossing.isSettled {
            if isLeftOut(.uncheckedStore) { (crossing.checked, crossing.mustCheck) = (now, false) }
            if crossing.mustCheck || now - crossing.checked >= timing.ttl {
                ask(.check) { .survey($0, place) }
            } else {
                widen()
            }
        } else if let copy = crossing.copy {
            guard position.number >= copy.point.number, let hold else { return }
            if crossing.isRecorded { return ask(.publish) { .publishCopy($0, copy) } }
            let record = epochRecord(hold)
            ask(.record) { .createRecord($0, record) }
        } else {
            if isLeftOut(.widenEarly) { widen() }
            // Who reads on from the store's old end would not see the copy.
            guard isPaired ? maySettle : crossing.isNarrow else { return }
            ask(.place) { .survey($0, place) }
        }
    }

    /// When to do the next thing about the peer's store.
    var crossingWake: Moment? {
        guard isCrossed, opened != nil, role == .primary || role == .draining else { return nil }
        let isNarrowing = isPaired || wantsNarrow || crossing.isNarrow
        let narrowing = isNarrowing ? nil : crossing.failingSince.map { $0 + timing.ttl }
        guard crossing.request == nil else { return narrowing }
        var next: Moment? = crossing.next
        if crossing.isSettled, !crossing.mustCheck { next = max(crossing.next, crossing.checked + timing.ttl) }
        if !crossing.isSettled {
            // It goes on with the copy's acceptance, or with the renewal that narrows the list.
            let isUnderWay =
                crossing.copy.map { position.number < $0.point.number } ?? !(isPaired ? maySettle : crossing.isNarrow)
            if isUnderWay { next = nil }
        }
        return [next, narrowing].compactMap(\.self).min()
    }

    mutating func ask(_ kind: Crossing.Request.Kind, _ action: (Ticket) -> NodeAction) {
        let ticket = newTicket()
        crossing.request = Crossing.Request(ticket: ticket, kind: kind)
        actions.append(action(ticket))
    }

    /// Behind all that lies there, that this node has, and that was ever promised.
    mutating func place(_ survey: StoreSurvey) {
        guard let hold else { return }
        // A copy lies behind a successor's seal, which does not keep it out: nor does anything but this look.
        if let end = survey.end, isNewer(end.stamp, than: hold.body.stamp) {
            return fence("Epoch \(end.epoch) has begun.")
        }
        let isBeside = isLeftOut(.copyBeside) && survey.highest > 0
        let number =
            max(survey.highest, nextNumber - 1, hold.body.head.number, memory.copyAt) + (isBeside ? 0 : 1)
        let epoch = hold.epoch
        ask(.copy) { .createCopy($0, epoch, from: number) }
    }

    mutating func copied(_ ticket: Ticket, _ mark: FileMark?) {
        guard let request = crossing.request, request.ticket == ticket else { return }
        crossing.request = nil
        guard let mark, mark.point.number >= nextNumber else {
            crossing.next = now + timing.poll
            return
        }
        crossing.copy = mark
        // Whatever becomes of this session, the next one stays clear of it: no seal before it keeps it out.
        if !isLeftOut(.forgetCopy) {
            memory.copyAt = mark.point.number
            actions.append(.remember(memory))
        }
        // The lease tells of it before it is sent.
        if !isPaired { hold?.nextRenewal = now }
        // It holds all that was captured before.
        (spool, uploads, nextUpload, crossing.next) = ([mark], [], now, now)
        if isLeftOut(.copyBeside) { (spool, crossing.isRecorded, position) = ([], true, mark.point) }
        guard isLeftOut(.copyIsFence) else { return }
        (spool, crossing.isSettled, crossing.checked) = ([], true, now)
        (position, positionEpoch) = (mark.point, mark.epoch)
        actions += [.publishCopy(Ticket.none, mark), .accepted(position)]
    }

    /// Has the lease tell of the whole copy that is to be sent, until the store is known to hold it.
    mutating func announceCopy(_ body: inout Lease) {
        guard opened != nil else { return }
        if let copy = crossing.copy {
            body.copyAt = max(body.copyAt, copy.point.number)
        } else if crossing.isSettled {
            body.copyAt = 0
        }
    }

    /// The place behind which this claimant's seal goes, with all pages, where the old primary's whole copy may still land in
    /// this host's store: by an operator's word it takes over from a node that may be alive, and a seal in front of the copy
    /// does not keep that out.
    var wholeSealEnd: ChainPoint? {
        guard isCrossed, !isPaired, crossing.site == .own, let copyAt = hold?.body.copyAt, copyAt > position.number + 1
        else { return nil }
        return ChainPoint(number: copyAt - 1, checksum: ahead.last?.point.checksum ?? position.checksum)
    }

    /// Something lies where the copy was to be: an older epoch's file, or what this session has sent before.
    mutating func placeCopyAnew() {
        (crossing.copy, crossing.isRecorded, crossing.next) = (nil, false, now)
        (spool, uploads) = ([], [])
    }

    mutating func copyRecorded(_ ticket: Ticket, _ answer: CreateAnswer) {
        guard let request = crossing.request, request.ticket == ticket else { return }
        crossing.request = nil
        switch answer {
        case .created, .exists:
            // Whoever made one in this epoch is this session, for an earlier copy: its numbers stay protected as well.
            (crossing.isRecorded, crossing.next) = (true, now)
        case .conflict, .unknown:
            crossing.next = now + pause
            if answer == .unknown { peerFailed() }
        }
    }

    /// The copy is beside the chain as a snapshot, or not yet: whoever restores from that store needs it.
    mutating func published(_ ticket: Ticket, _ isDone: Bool) {
        guard let request = crossing.request, request.ticket == ticket else { return }
        crossing.request = nil
        guard isDone else {
            crossing.next = now + pause
            return peerFailed()
        }
        (crossing.isSettled, crossing.copy, crossing.isRecorded) = (true, nil, false)
        (crossing.mustCheck, crossing.hasLost) = (false, false)
        (crossing.checked, crossing.failingSince, crossing.next) = (now, nil, now)
    }

    /// Begins to settle, or goes on as settled, once it writes.
    mutating func startCrossing() {
        guard isCrossed else { return }
        crossing.isSettled = isPaired ? pair.isSealedAtPeer : crossing.site == .peer && !crossing.needsCopy
        (crossing.copy, crossing.request, crossing.capturing) = (nil, nil, nil)
        (crossing.isRecorded, crossing.mustCheck, crossing.hasLost) = (false, false, false)
        (crossing.next, crossing.checked, crossing.failingSince) = (now, now, nil)
        (crossing.widening, crossing.isOffChain) = (nil, false)
        turn(to: .peer)
    }
}
