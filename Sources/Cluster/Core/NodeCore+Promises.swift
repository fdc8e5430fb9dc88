/// A round of asking all other nodes that may claim (N13).
struct PromiseRound: Sendable {
    let ticket: Ticket
    let asked: Moment
    var missing: Set<NodeID>
}

extension NodeCore {
    /// Who else may claim: by the body that landed last, or by one that may have landed.
    private var otherClaimants: Set<NodeID> {
        Set((hold?.body.eligible ?? []) + (swap?.body.eligible ?? [])).subtracting([settings.node])
    }

    /// When to ask next, while a renewal goes unanswered.
    var promiseWake: Moment? {
        guard settings.isFailsafe, role == .primary, let swap, case .renewal = swap.purpose, !otherClaimants.isEmpty,
            let hold
        else { return nil }
        let doubtful = swap.firstSent + timing.doubt
        guard let asking else { return doubtful }
        // Others may hear what they cannot answer: their promises would keep everybody from writing as long as this node
        // asks. Once that has gone on for a time to live, each promise runs out before the next one is asked for.
        let closed = max(hold.since, promised ?? hold.since) + timing.acceptance
        let isFutile = asking.asked >= closed + timing.ttl
        return max(doubtful, asking.asked + (isFutile ? timing.ttl * 2 : timing.renewal))
    }

    /// Asks, while the store does not answer.
    mutating func advancePromises() {
        guard let moment = promiseWake, now >= moment, let hold else { return }
        let others = otherClaimants
        let ticket = newTicket()
        asking = PromiseRound(ticket: ticket, asked: now, missing: others)
        let request = PromiseRequest(
            cluster: settings.cluster,
            node: settings.node,
            session: session,
            epoch: hold.epoch,
            ttl: timing.ttl,
            reference: ticket.rawValue
        )
        actions.append(.askPromises(ticket, others.sorted(), request))
    }

    mutating func promiseAnswered(_ ticket: Ticket, _ node: NodeID, _ granted: Bool) {
        guard role == .primary, asking?.ticket == ticket, granted else { return }
        asking?.missing.remove(node)
        guard let asking, asking.missing.isEmpty || isLeftOut(.promisePartial) else { return }
        promised = max(promised ?? asking.asked, asking.asked)
    }

    mutating func promiseAsked(_ request: PromiseRequest) {
        let isFree: Bool =
            switch role {
            case .joining, .quarantining, .standby: swap == nil
            case .claiming: isLeftOut(.promiseWhileClaiming)
            default: false
            }
        let isUnbound = promise.map { now >= $0.end || $0.session == request.session } ?? true
        // Whoever was superseded cannot go on, and must not keep this node from following its successor.
        let isOlder = max(memory.won, highestEpoch) <= request.epoch || isLeftOut(.promiseAmnesia)
        guard request.cluster == settings.cluster, isFree, isUnbound, isOlder else {
            return actions.append(.answerPromise(request, granted: false))
        }
        let length = LeaseTiming(ttl: request.ttl).patience
        promise = (request.session, now + length)
        let given = Promise(session: request.session, length: length, given: now, boot: settings.boot)
        if !isLeftOut(.promiseForgotten) {
            memory.promise = given
            actions.append(.remember(memory))
        }
        actions.append(.answerPromise(request, granted: true))
    }
}
