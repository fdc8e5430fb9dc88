/// The right to write, as its holder knows it.
struct LeaseHold: Sendable {
    /// The last own body that is known to have landed, and its version.
    var body: Lease
    var version: LeaseVersion
    /// When that body was first sent: nobody can have seen it earlier (N14).
    var since: Moment
    /// When to renew.
    var nextRenewal: Moment
    /// The head of the lease when it was won: what the chain must reach.
    let claimedHead: ChainPoint
    let cause: EpochRecord.Cause
    /// When it was won.
    let won: Moment
    /// When its seal was accepted, which takes long where it is a whole copy; `nil`: it was not yet.
    var sealed: Moment?
    /// The epoch of the chain's end that this session sealed.
    var parentEpoch: Epoch = .zero

    var epoch: Epoch { body.epoch }
}

/// A swap of the lease that was sent, and whose outcome is not known yet.
struct PendingSwap: Sendable {
    enum Purpose: Sendable {
        case claim(EpochRecord.Cause)
        case renewal
        case release
    }

    let body: Lease
    let condition: LeaseVersion?
    let firstSent: Moment
    let purpose: Purpose
}

extension NodeCore {
    var timing: LeaseTiming { settings.timing }

    mutating func advanceLease() {
        guard !isPaired else { return advanceCells() }
        guard leaseRequest == nil else { return }
        if swap != nil {
            // In doubt: read (N14).
            if now >= nextLook { look() }
        } else if let hold {
            guard now >= hold.nextRenewal, drain?.phase != .swapping else { return }
            renew(hold)
        } else if now >= nextLook {
            look()
        }
    }

    mutating func look() {
        let ticket = newTicket()
        leaseRequest = ticket
        actions.append(.readLease(ticket))
    }

    private mutating func renew(_ hold: LeaseHold) {
        var body = hold.body
        if !isLeftOut(.nonce) {
            body.counter += 1
            body.nonce = newNonce()
        }
        body.head = newestHead(hold)
        body.eligible = eligible(hold)
        if isCrossed {
            if role == .recorded { name(&body, hold) }
            announceCopy(&body)
            noteSent(body)
        }
        send(PendingSwap(body: body, condition: hold.version, firstSent: now, purpose: .renewal))
    }

    /// What this session knows the store to hold: its own uploads once it writes, before that what it found (N6).
    func newestHead(_ hold: LeaseHold) -> ChainPoint {
        // A session whose epoch is not on record must leave the head where it found it: the next one's record says from
        // there on which numbers are contested (N7), its own seal among them.
        guard opened != nil, role == .primary || role == .draining, position.number > hold.body.head.number,
            !isCrossed || crossing.isSettled
        else { return hold.body.head }
        return position
    }

    mutating func newNonce() -> Nonce { Nonce(high: random.next(), low: random.next()) }

    /// Sends a body for the first time, or again.
    mutating func send(_ new: PendingSwap) {
        swap = new
        let ticket = newTicket()
        leaseRequest = ticket
        if case .renewal = new.purpose, isLeftOut(.blindRenew) {
            actions.append(.overwriteLease(ticket, new.body))
        } else if case .release = new.purpose, isLeftOut(.deleteLease), new.body.state == .free {
            actions.append(.deleteLease(ticket))
        } else {
            actions.append(.swapLease(ticket, new.body, condition: new.condition))
        }
    }

    mutating func leaseSwapped(_ ticket: Ticket, _ answer: SwapAnswer) {
        guard leaseRequest == ticket, let swap else { return }
        leaseRequest = nil
        switch answer {
        case .swapped(let version): landed(swap, version)
        case .conflict: send(swap)
        case .refused: nextLook = now
        case .unknown:
            nextLook = now
            if isLeftOut(.unknownIsSuccess) || isLeftOut(.openUnwitnessed) {
                landed(swap, swap.condition ?? LeaseVersion(rawValue: ""))
            } else if isLeftOut(.unknownIsFailure) {
                self.swap = nil
                if role == .claiming { become(.standby) }
                if role == .draining { callOff() }
            }
        }
    }

    mutating func leaseRead(_ ticket: Ticket, _ reading: LeaseReading) {
        guard leaseRequest == ticket else { return }
        leaseRequest = nil
        switch reading {
        case .failed: nextLook = now + timing.poll
        case .unfit(let why): halt(why, lease: nil)
        case .absent: leaseAbsent()
        case .body(let lease, let version): leaseSeen(lease, version)
        }
    }

    private mutating func leaseAbsent() {
        nextLook = now + timing.poll
        if isLeftOut(.deleteLease) {
            if role == .standby, swap == nil, isIdle { claim(nil, .free) }
            return
        }
        // A node that never saw a lease waits for a cluster; the lease of a cluster is never deleted.
        guard highestEpoch > .zero || swap != nil else { return }
        halt(
            "The lease is gone. When no node writes any more: `cluster repair --recreate-lease`.",
            lease: nil
        )
    }

    private mutating func leaseSeen(_ lease: Lease, _ version: LeaseVersion) {
        // Looks further apart than the holder's time to live allows would never see it expire.
        nextLook = now + min(timing.poll, LeaseTiming(ttl: lease.ttl).poll)
        guard lease.cluster == settings.cluster else {
            return halt(
                "The lease is of another cluster, \(lease.cluster): this store belongs to others.",
                lease: nil
            )
        }
        guard lease.state != .moved else {
            return halt(
                "The lease is a cell of two hosts without a witness: see `peer-store` and `witness`.",
                lease: nil
            )
        }
        let wentBack =
            lease.epoch < highestEpoch
            || (hold.map { lease.session == session && lease.counter < $0.body.counter } ?? false)
        guard !wentBack || isLeftOut(.deleteLease) || isLeftOut(.blindRenew) else {
            // That somebody takes over in the store as it is now puts nothing right.
            return halt(
                "The store went back in time. When no node writes any more: `cluster repair --reseed`.",
                lease: lease
            )
        }
        highestEpoch = max(highestEpoch, lease.epoch)
        if let swap { return decide(swap, lease, version) }
        watch.read(lease, version, at: now)
        considerClaim(lease, version)
    }

    /// What became of a swap in doubt.
    private mutating func decide(_ swap: PendingSwap, _ lease: Lease, _ version: LeaseVersion) {
        if lease.nonce == swap.body.nonce, lease.session == swap.body.session, lease.state == swap.body.state {
            landed(swap, version)
        } else if version == swap.condition {
            send(swap)
        } else {
            self.swap = nil
            if role == .claiming {
                watch.reset()
                watch.read(lease, version, at: now)
                become(.standby)
            } else {
                fence("Node \(lease.name) has taken over, in epoch \(lease.epoch).")
            }
        }
    }

    /// A body of ours is known to have landed.
    private mutating func landed(_ swap: PendingSwap, _ version: LeaseVersion) {
        self.swap = nil
        highestEpoch = max(highestEpoch, swap.body.epoch)
        let since = isLeftOut(.fromReceipt) ? now : swap.firstSent
        switch swap.purpose {
        case .claim(let cause):
            memory.won = swap.body.epoch
            actions.append(.remember(memory))
            hold = LeaseHold(
                body: swap.body,
                version: version,
                since: since,
                nextRenewal: swap.firstSent + timing.renewal,
                claimedHead: swap.body.head,
                cause: cause,
                won: now
            )
            (step, nextStep, claims.wish) = (nil, now, nil)
            become(.claimed)
            // It was told to stay out while the answer was under way.
            if memory.isDemoted { letGo(.release) }
        case .renewal:
            guard var hold else { return }
            (hold.body, hold.version, hold.since) = (swap.body, version, since)
            hold.nextRenewal = swap.firstSent + timing.renewal
            self.hold = hold
            asking = nil
            // Whoever loses the lease goes by what it says until it can be read again.
            if isCrossed { watch.read(swap.body, version, at: now) }
            renewalLanded()
        case .release: released(swap.body)
        }
    }
}
