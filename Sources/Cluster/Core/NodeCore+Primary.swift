/// A transaction file on its way to the store.
struct Upload: Sendable {
    let ticket: Ticket
    let mark: FileMark
}

/// A primary, or a candidate, on its way out.
struct Drain: Sendable {
    enum Purpose: Hashable, Sendable {
        case giveUp
        case release
        case handOver(NodeID)
        case end
    }

    enum Phase: Hashable, Sendable {
        case endingWrites(Ticket)
        case shipping
        case swapping
    }

    var purpose: Purpose
    var phase: Phase
    let since: Moment
}

extension NodeCore {
    /// The number of the next transaction file that is closed here.
    public var nextNumber: UInt64 { (spool.last?.point ?? position).number + 1 }

    /// Up to where files may be merged: what the store has accepted (N8).
    public var mergeableThrough: ChainPoint {
        if isCrossed, !crossing.isSettled { return .start }
        return isLeftOut(.compactUnshipped) || isLeftOut(.snapshotLive) ? spool.last?.point ?? position : position
    }

    /// Level-0 files below this number may be deleted, so far as the lease is concerned (N6); 0: none.
    public func deletableBelow(at now: Moment) -> UInt64 {
        guard !isPaired else { return licensedHead }
        guard role == .primary, let hold, now < hold.since + timing.acceptance, !isCrossed || crossing.isSettled else {
            return 0
        }
        return hold.body.head.number
    }

    mutating func openIfValid() {
        guard let hold else { return }
        let isValid = now < hold.since + timing.acceptance && (!isCrossed || isNamed(hold))
        guard isPaired ? mayOpenPaired : isValid else { return }
        preparePairedOpening()
        startCrossing()
        (spool, uploads, ahead) = ([], [], [])
        (isLocked, opened) = (false, now)
        claims.wish = nil
        become(.primary)
        // Capture stands before anybody can commit.
        actions.append(.open(hold.epoch, seal: position))
        actions.append(.unlockDatabase)
        moveGate()
        actions.append(.sendHints)
    }

    // MARK: - The gate

    mutating func advanceGate() {
        moveGate()
        guard role == .primary || role == .draining else { return }
        // Whoever is alone on the list needs no lease to write, and may have been locked before it was.
        let isDue = lockingMoment.map { now >= $0 } ?? false
        if isDue, !isLocked {
            isLocked = true
            actions.append(.lockDatabase)
        } else if !isDue, isLocked, role == .primary {
            isLocked = false
            actions.append(.unlockDatabase)
        }
    }

    /// When the write lock is taken, unless the lease, or promises, are renewed until then.
    var lockingMoment: Moment? {
        guard let hold, !isAlone else { return nil }
        return max(hold.since, promised ?? hold.since) + timing.locking
    }

    /// Whether nobody else may claim at all.
    private var isAlone: Bool {
        let own = [settings.node]
        if isLeftOut(.neverStop) { return true }
        if isLeftOut(.aloneUnproven), swap?.body.eligible == own { return true }
        return hold?.body.eligible == own && (swap?.body.eligible ?? own) == own
    }

    /// Whether a primary waits for the transactions that are open.
    private var endsWrites: Bool {
        guard role == .draining, case .endingWrites? = drain?.phase else { return false }
        return true
    }

    private mutating func moveGate() {
        var new = WriteGate()
        if let hold, role == .primary || endsWrites {
            var until = max(hold.since, promised ?? hold.since) + timing.acceptance
            if isAlone { until = Moment(reading: .seconds(Int64.max / 4)) }
            // Transactions that are open when writing is to end may go on for a while; those still open then are refused.
            if let drain, endsWrites { until = min(until, drain.since + settings.drain) }
            new.openUntil = until
        }
        guard new != gate else { return }
        gate = new
        actions.append(.gate(new))
    }

    // MARK: - Shipping (N3)

    mutating func captured(_ mark: FileMark) {
        guard role == .primary || role == .draining, mark.point.number == nextNumber else { return }
        spool.append(mark)
    }

    mutating func advanceUploads() {
        guard role == .primary || role == .draining, now >= nextUpload, mayUpload else { return }
        let width = isLeftOut(.queue) ? 2 : 1
        while uploads.count < width, uploads.count < spool.count {
            let mark = spool[uploads.count]
            guard !uploads.contains(where: { $0.mark.point.number == mark.point.number }) else { break }
            let ticket = newTicket()
            uploads.append(Upload(ticket: ticket, mark: mark))
            actions.append(.upload(ticket, mark))
        }
    }

    mutating func uploaded(_ upload: Upload, _ answer: CreateAnswer) {
        switch answer {
        case .created, .exists(isSame: true, _): accept(upload.mark)
        case .exists(_, nil): haltOnForeign(upload.mark.point.number)
        case .exists(_, let other?):
            if upload.mark == crossing.copy, !isNewerFile(other) { return placeCopyAnew() }
            let isOurs =
                isLeftOut(.byNode) && other.node == settings.node
                || isLeftOut(.reencode) && other.node == settings.node && other.epoch == hold?.epoch
            if isOurs { return accept(upload.mark) }
            fence("Transaction \(upload.mark.point) was written in epoch \(other.epoch).")
        case .conflict, .unknown:
            if isLeftOut(.unknownIsSuccess) { return accept(upload.mark) }
            if isLeftOut(.reencode), let newest = spool.last, let first = spool.first {
                var mark = newest
                mark.point.number = first.point.number
                spool = [mark]
            }
            nextUpload = now + pause
            if answer == .unknown { peerFailed() }
        }
    }

    /// Whether a file was written by whoever has superseded this session.
    private func isNewerFile(_ mark: FileMark) -> Bool {
        guard let hold else { return true }
        return isPaired ? isNewer(mark.stamp, than: hold.body.stamp) : mark.epoch > hold.epoch
    }

    private mutating func accept(_ mark: FileMark) {
        spool.removeAll { $0.point.number <= mark.point.number }
        guard mark.point.number > position.number else { return }
        (position, positionEpoch) = (mark.point, mark.epoch)
        crossing.failingSince = nil
        actions.append(.accepted(position))
    }

    // MARK: - The way out

    mutating func obey(_ command: NodeCommand) {
        switch command {
        case .promote(let acceptLoss):
            memory.isDemoted = false
            actions.append(.remember(memory))
            claims.wish = (acceptLoss, now + settings.wishLimit)
            claims.failure = nil
            nextLook = now
            hearLoss(acceptLoss)
            // What it waits for, to let go, may never come.
            if role == .draining, opened != nil, drain?.purpose == .release, drain?.phase == .shipping {
                resume("This node is primary again, by an operator's word.")
            }
        case .promotePeerIsDown(let confirmed): promotePeerIsDown(confirmed)
        case .switchover(let successor): if role == .primary { endWrites(.handOver(successor)) }
        case .demote:
            memory.isDemoted = true
            claims.wish = nil
            actions.append(.remember(memory))
            if role.isHolding { letGo(.release) }
        case .shutDown: if role.isHolding { letGo(.end) } else { actions.append(.end) }
        }
    }

    /// Gives the lease back, in whatever state; what is on its way out already goes out for this purpose.
    mutating func letGo(_ purpose: Drain.Purpose) {
        switch role {
        case .primary: endWrites(purpose)
        case .draining:
            guard drain?.purpose != .end else { return }
            drain?.purpose = purpose
        default:
            // Nothing was shipped, so nothing can be let go of (W8).
            guard !isPaired else {
                fence("It does not go on with its claim.")
                if purpose == .end { actions.append(.end) }
                return
            }
            (step, drain) = (nil, Drain(purpose: purpose, phase: .shipping, since: now))
            become(.draining)
        }
    }

    private mutating func endWrites(_ purpose: Drain.Purpose) {
        let ticket = newTicket()
        drain = Drain(purpose: purpose, phase: .endingWrites(ticket), since: now)
        become(.draining)
        moveGate()
        actions.append(.endWrites(ticket, within: settings.drain))
    }

    mutating func writesEnded(_ ticket: Ticket) {
        guard drain?.phase == .endingWrites(ticket) else { return }
        drain?.phase = .shipping
    }

    mutating func advanceDrain() {
        guard role == .draining, let drain, let hold else { return }
        if drain.purpose == .end, now - drain.since >= settings.farewell { return actions.append(.end) }
        if case .handOver = drain.purpose, drain.phase != .swapping {
            if now - drain.since >= settings.handoff { return callOff() }
            if !isPaired, now >= hold.since + timing.locking { return fence("The lease ran out while handing over.") }
        }
        guard !isPaired else { return advancePairedDrain(drain) }
        guard drain.phase == .shipping, spool.isEmpty, uploads.isEmpty, swap == nil, leaseRequest == nil,
            !isCrossed || opened == nil || crossing.isSettled
        else { return }
        self.drain?.phase = .swapping
        var body = hold.body
        body.counter += 1
        body.nonce = newNonce()
        body.head = newestHead(hold)
        body.state = .free
        if isCrossed { body.eligible = eligibleAfter(hold) }
        if case .handOver(let successor) = drain.purpose { (body.state, body.successor) = (.handoff, successor) }
        send(PendingSwap(body: body, condition: hold.version, firstSent: now, purpose: .release))
    }

    mutating func callOff() { resume("The hand-over took too long and was called off.") }

    /// Writes again: nothing was handed over.
    private mutating func resume(_ why: String) {
        drain = nil
        actions.append(.alarm(why))
        become(.primary)
    }

    /// The lease was let go.
    mutating func released(_ body: Lease) {
        let purpose = drain?.purpose
        if body.state == .handoff || isPaired { claims.handedOver = now }
        fence(body.state == .handoff ? "Handed over." : "The lease was let go.")
        actions.append(.sendHints)
        if purpose == .end { actions.append(.end) }
    }
}
