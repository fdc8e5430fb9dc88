/// A peer's store that fails, or goes back, and who may take over meanwhile (failover-review G4, G6).
extension NodeCore {
    mutating func peerFailed() {
        guard isCrossed, opened != nil else { return }
        crossing.failingSince = crossing.failingSince ?? now
        (crossing.mustCheck, crossing.widening) = (true, nil)
    }

    mutating func checked(_ survey: StoreSurvey) {
        (crossing.checked, crossing.mustCheck) = (now, false)
        guard !survey.holds else { return }
        actions.append(.alarm("The peer's store has lost what was in it: it gets a whole copy."))
        (crossing.isSettled, crossing.copy, crossing.widening) = (false, nil, nil)
        (crossing.isRecorded, crossing.hasLost, uploads) = (false, true, [])
    }

    /// Whether the store has failed for so long, or has lost so much, that the peer must not take over any more.
    var wantsNarrow: Bool { !isPaired && isNarrowingDue }

    private var isNarrowingDue: Bool {
        crossing.hasLost || crossing.failingSince.map { now - $0 >= timing.ttl } ?? false
    }

    /// Whether what is committed now may not be missing from whoever takes over by itself.
    public var isProtecting: Bool { isCrossed && crossing.isNarrow && crossing.widening == nil }

    // MARK: - The list

    var peers: Set<NodeID> {
        let lately = settings.absence
        return Set(members.seen.filter { now - $0.value.since < lately }.keys).subtracting([settings.node])
    }

    /// Brings the peer back to the list, once its store has all that was committed without it.
    mutating func widen() {
        guard role == .primary, crossing.isNarrow, !peers.isEmpty else { return }
        switch crossing.widening {
        case nil where isLeftOut(.widenEarly):
            readyToWiden()
        case nil:
            crossing.widening = .capturing
            captureAll(newTicket())
        case .capturing?:
            // Nothing is told of one that failed. An answer to any of them will do.
            guard let capturing = crossing.capturing, now - capturing.asked >= timing.ttl else { return }
            captureAll(capturing.ticket)
        case .shipping(let number)? where position.number >= number:
            readyToWiden()
        case .shipping?, .ready?: break
        }
    }

    private mutating func captureAll(_ ticket: Ticket) {
        crossing.capturing = (ticket, now)
        actions.append(.captureAll(ticket))
    }

    private mutating func readyToWiden() {
        crossing.widening = .ready
        hold?.nextRenewal = now
    }

    mutating func capturedAll(_ ticket: Ticket) {
        guard crossing.capturing?.ticket == ticket else { return }
        crossing.capturing = nil
        guard crossing.widening == .capturing else { return }
        crossing.widening = .shipping(through: nextNumber - 1)
        crossing.next = now
    }

    func crossedEligible(_ hold: LeaseHold) -> [NodeID] {
        let own = [settings.node]
        guard opened != nil else { return hold.body.eligible }
        if !crossing.isNarrow { return wantsNarrow ? own : hold.body.eligible }
        if crossing.widening == .ready { return (own + peers).sorted() }
        return isLeftOut(.staysEligible) ? hold.body.eligible : own
    }

    /// Who may claim once this node has let go.
    func eligibleAfter(_ hold: LeaseHold) -> [NodeID] {
        // All is shipped, if it has written.
        opened == nil ? hold.body.eligible : Set(hold.body.eligible).union(peers).sorted()
    }
}
