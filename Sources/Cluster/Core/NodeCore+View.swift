/// What others want to know of a node.
extension NodeCore {
    /// The lease as this node knows it: its own body while it holds one, else what it read last.
    public func leaseView(at now: Moment) -> NodeStatus.LeaseView? {
        if let hold { return NodeStatus.LeaseView(hold.body, unchangedFor: now - hold.since) }
        if isPaired {
            return (right?.body ?? pair.own.seen?.lease).map { NodeStatus.LeaseView($0, unchangedFor: .zero) }
        }
        return watch.seen.map { NodeStatus.LeaseView($0.lease, unchangedFor: watch.age(at: now)) }
    }

    /// Whether the lease that was read last has a living holder, so far as this node can tell.
    public func hasLiveHolder(at now: Moment) -> Bool {
        if hold != nil { return true }
        guard let lease = watch.seen?.lease, lease.state == .held else { return false }
        return !watch.isExpired(at: now)
    }

    /// Whether a node's record has moved lately, so far as this primary can tell: one that has not watched for long
    /// takes it for granted.
    public func hasMovedLately(_ node: NodeID, at now: Moment) -> Bool {
        guard let opened, now - opened >= settings.absence else { return true }
        return members.seen[node].map { now - $0.since < settings.absence } ?? false
    }

    /// The epoch in which this node writes, or in which its place was written.
    public var epoch: Epoch { hold?.epoch ?? positionEpoch }

    /// How many own transactions the store has not accepted.
    public var unshippedCount: Int { spool.count }

    /// Whether nothing is on its way to the store.
    public var isShipped: Bool { spool.isEmpty && uploads.isEmpty }

    /// Since when renewals have gone unanswered; `nil` while the store answers.
    public var unansweredSince: Moment? { hold == nil ? nil : swap?.firstSent }

    /// Whether the gate is held open by the promises of others.
    public func isOpenByPromise(at now: Moment) -> Bool {
        guard let hold, gate.isOpen(at: now) else { return false }
        return now >= hold.since + timing.acceptance
    }

    /// Why a node that sees a lease which nobody holds does not claim it; `nil` where nothing hinders it.
    public func hindrance(at now: Moment) -> String? {
        guard role == .standby, let lease = watch.seen?.lease, lease.state != .handoff, !hasLiveHolder(at: now) else {
            return nil
        }
        if isBeforeBeginning {
            return "The chain began anew: this database must go back to it before it may take over."
        }
        if memory.isDemoted, wanted(at: now) == nil { return "This node was demoted: `promote` makes it eligible." }
        if !lease.eligible.contains(settings.node), wanted(at: now) != true {
            return "Nobody holds the lease, and this node is not on its list: `promote --accept-loss` claims it."
        }
        if let failure = claims.failure, failure.position == position, now < failure.until {
            return "The chain could not be read up to the head of the lease: it is tried again later."
        }
        return isInHoldDown ? "Too many takeovers lately: this node waits before the next one." : nil
    }
}
