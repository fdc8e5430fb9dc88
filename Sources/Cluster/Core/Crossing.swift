/// What a node knows of the two stores, where each host has its own (failover-review G).
struct Crossing: Sendable {
    /// What is asked of the peer's store, or of the database for it; one thing at a time.
    struct Request: Sendable {
        enum Kind: Hashable, Sendable {
            /// Whether it still holds what it has accepted (G6).
            case check
            /// Where its whole copy can lie.
            case place
            case copy
            case record
            case capture
        }

        let ticket: Ticket
        let kind: Kind
    }

    /// How far the peer is on its way back to the list.
    enum Widening: Hashable, Sendable {
        /// What is committed is being captured: that much nobody may take over without.
        case capturing
        /// The peer's store must accept everything through this transaction.
        case shipping(through: UInt64)
        /// The next renewal puts it on the list.
        case ready
    }

    /// The store that is read, sealed and shipped to.
    var site = ChainSite.own

    // A claimant.
    /// Whether the store is known to hold the place where this node stands.
    var isProven = false
    /// Whether the peer's store needs a whole copy before anything else.
    var needsCopy = false

    // A primary.
    /// Whether the peer's store holds the whole history, and keeps older writers out of it.
    var isSettled = false
    /// The whole copy that is to settle it.
    var copy: FileMark?
    var request: Request?
    /// When to do the next thing.
    var next: Moment
    /// When the store was last known to hold what it has accepted.
    var checked: Moment
    /// A request has failed: it must be known again before anything is created.
    var mustCheck = false
    /// Since when the store does not answer.
    var failingSince: Moment?
    /// Whether whoever takes over by itself must hold all that is committed: nobody else may.
    var isNarrow = false
    var widening: Widening?

    init(site: ChainSite = .own, next: Moment) { (self.site, self.next, checked) = (site, next, next) }
}

extension NodeCore {
    /// Whether each of two hosts has a store.
    var isCrossed: Bool { settings.topology == .crossed }

    /// Whether the history goes on with this node's database.
    var isAuthor: Bool { (hold?.body ?? watch.seen?.lease)?.origin?.node == settings.node }

    /// Whether the history goes on with this node's database, which went back behind its own seal in a power cut: up to
    /// there it lies in this host's store.
    var isBehindOwnSeal: Bool {
        guard isCrossed, let origin = (hold?.body ?? watch.seen?.lease)?.origin, origin.node == settings.node else {
            return false
        }
        return position.number < origin.first
    }

    /// The chain is where this node ships to, if the history goes on with its database; else where others ship for it.
    mutating func turnToChain() {
        guard isCrossed else { return }
        turn(to: isAuthor && !isBehindOwnSeal ? .peer : .own)
    }

    private mutating func turn(to site: ChainSite) {
        guard crossing.site != site else { return }
        (crossing.site, crossing.isProven) = (site, false)
        actions.append(.useChain(site))
    }

    // MARK: - Claiming (G1, G2)

    mutating func beginCrossing(_ body: inout Lease, from lease: Lease?) {
        (crossing.isProven, crossing.needsCopy) = (false, false)
        crossing.isNarrow = body.eligible == [settings.node]
        if isLeftOut(.authorByLease), let lease {
            body.origin = Lease.Origin(epoch: lease.epoch, node: lease.node, first: lease.origin?.first ?? 0)
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
        guard isCrossed, crossing.site == .peer, let hold, [.claimed, .sealing, .sealed].contains(role) else {
            return false
        }
        return now - hold.won >= timing.ttl && holdsPromised(hold)
    }

    func holdsPromised(_ hold: LeaseHold) -> Bool {
        position.number >= max(hold.claimedHead.number, memory.owes)
    }

    /// Goes on without the peer's store, which gets a whole copy once it answers.
    mutating func openWithoutPeer() {
        crossing.needsCopy = true
        guard role == .claimed else {
            step = nil
            return becomeRecorded()
        }
        begin(.verify) { .verify($0) }
    }

    /// Whether a file of the peer's store is what an own session has left there that this database has gone on without
    /// reading: nobody has superseded what the database holds (N9 b).
    func isOwnLeftover(_ mark: FileMark) -> Bool {
        isCrossed && crossing.site == .peer && isAuthor && mark.node == settings.node
    }

    /// Goes on from this database rather than from such a file.
    mutating func passOver() {
        guard role == .claimed, let hold else {
            nextStep = now + settings.followInterval
            return
        }
        guard holdsPromised(hold) else {
            return giveUp("The peer's store and this database have both lost something: this node stays a standby.")
        }
        openWithoutPeer()
    }

    /// All is proven but who goes on with the history.
    mutating func becomeRecorded() {
        become(.recorded)
        if isCrossed { hold?.nextRenewal = now }
    }

    /// Says that this node goes on with the history.
    ///
    /// Where that is a takeover, or the peer's store is to get a whole copy, nobody else stays on the list before that store
    /// holds everything: who reads on from its old end would not see the copy. Until then nothing has changed, so a claimant
    /// that dies, or gives up, leaves the list as it was.
    mutating func name(_ body: inout Lease, _ hold: LeaseHold) {
        let old = hold.body.origin.flatMap { $0.node == settings.node ? $0.first : nil }
        body.origin = Lease.Origin(epoch: hold.epoch, node: settings.node, first: old ?? position.number)
        guard old == nil || crossing.needsCopy else { return }
        crossing.isNarrow = true
        if !isLeftOut(.staysEligible) { body.eligible = [settings.node] }
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
            guard role == .claimed else { return }
            proven(survey)
        } else if let request = crossing.request, request.ticket == ticket {
            crossing.request = nil
            crossing.next = now
            guard let survey else {
                crossing.next = now + timing.poll
                return peerFailed()
            }
            crossing.failingSince = nil
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
            giveUp("This host's store has lost what was in it: it cannot be taken over from.")
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
        guard isCrossed, point.number < finding.recorded.number, memory.owes < finding.recorded.number else { return }
        memory.owes = finding.recorded.number
        actions.append(.remember(memory))
    }

    /// Where the database was put onto the chain as it is, nothing of an earlier one is missing.
    mutating func forgetDebt() {
        guard memory.owes > 0 else { return }
        memory.owes = 0
        actions.append(.remember(memory))
    }

    /// Whether a whole copy of an own session lies further on in the peer's store, or may still land there, where no seal keeps
    /// it out: only another one behind it does.
    var mayMeetCopy: Bool { isCrossed && crossing.site == .peer && memory.copyAt > position.number }

    // MARK: - Settling (G3)

    /// Whether anything may be created in the peer's store just now.
    var mayUpload: Bool {
        guard isCrossed else { return true }
        guard crossing.isSettled else { return crossing.copy != nil && spool.first == crossing.copy }
        return !crossing.mustCheck && crossing.request?.kind != .check && now - crossing.checked < timing.ttl
    }

    mutating func advanceCrossing() {
        guard isCrossed, opened != nil, role == .primary || role == .draining else { return }
        if wantsNarrow, let hold, !crossing.isNarrow { self.hold?.nextRenewal = min(now, hold.nextRenewal) }
        guard crossing.request == nil, now >= crossing.next else { return }
        let place = position
        if crossing.isSettled {
            if crossing.mustCheck || now - crossing.checked >= timing.ttl {
                ask(.check) { .survey($0, place) }
            } else {
                widen()
            }
        } else if let copy = crossing.copy {
            guard position.number >= copy.point.number, let hold else { return }
            let record = epochRecord(hold)
            ask(.record) { .createRecord($0, record) }
        } else {
            if isLeftOut(.widenEarly) { widen() }
            guard crossing.request == nil else { return }
            ask(.place) { .survey($0, place) }
        }
    }

    /// When to do the next thing about the peer's store.
    var crossingWake: Moment? {
        guard isCrossed, opened != nil, role == .primary || role == .draining else { return nil }
        let isNarrowing = wantsNarrow || crossing.isNarrow
        let narrowing = isNarrowing ? nil : crossing.failingSince.map { $0 + timing.ttl }
        guard crossing.request == nil else { return narrowing }
        var next: Moment? = crossing.next
        if crossing.isSettled, !crossing.mustCheck { next = max(crossing.next, crossing.checked + timing.ttl) }
        if !crossing.isSettled, let copy = crossing.copy, position.number < copy.point.number { next = nil }
        return [next, narrowing].compactMap(\.self).min()
    }

    private mutating func ask(_ kind: Crossing.Request.Kind, _ action: (Ticket) -> NodeAction) {
        let ticket = newTicket()
        crossing.request = Crossing.Request(ticket: ticket, kind: kind)
        actions.append(action(ticket))
    }

    /// Behind all that lies there, that this node has, and that was ever promised.
    private mutating func place(_ survey: StoreSurvey) {
        guard let hold else { return }
        let number = max(survey.highest, nextNumber - 1, hold.body.head.number, memory.copyAt) + 1
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
        memory.copyAt = mark.point.number
        actions.append(.remember(memory))
        // It holds all that was captured before.
        (spool, uploads, nextUpload, crossing.next) = ([mark], [], now, now)
        guard isLeftOut(.copyIsFence) else { return }
        (spool, crossing.isSettled, crossing.checked) = ([], true, now)
        (position, positionEpoch) = (mark.point, mark.epoch)
        actions += [.publishCopy(mark), .accepted(position)]
    }

    /// Something lies where the copy was to be: an older epoch's file, or what this session has sent before.
    mutating func placeCopyAnew() {
        (crossing.copy, crossing.next) = (nil, now)
        (spool, uploads) = ([], [])
    }

    mutating func copyRecorded(_ ticket: Ticket, _ answer: CreateAnswer) {
        guard let request = crossing.request, request.ticket == ticket else { return }
        crossing.request = nil
        switch answer {
        case .created, .exists:
            // Whoever made one in this epoch is this session, for an earlier copy: its numbers stay protected as well.
            guard let copy = crossing.copy else { return }
            (crossing.isSettled, crossing.copy, crossing.mustCheck) = (true, nil, false)
            (crossing.checked, crossing.failingSince, crossing.next) = (now, nil, now)
            actions.append(.publishCopy(copy))
        case .conflict, .unknown:
            crossing.next = now + pause
            if answer == .unknown { peerFailed() }
        }
    }

    /// Begins to settle, or goes on as settled, once it writes.
    mutating func startCrossing() {
        guard isCrossed else { return }
        crossing.isSettled = crossing.site == .peer && !crossing.needsCopy
        (crossing.copy, crossing.request, crossing.mustCheck) = (nil, nil, false)
        (crossing.next, crossing.checked, crossing.failingSince) = (now, now, nil)
        crossing.widening = nil
        turn(to: .peer)
    }

    // MARK: - A store that fails, or goes back (G4, G6)

    mutating func peerFailed() {
        guard isCrossed, opened != nil else { return }
        crossing.failingSince = crossing.failingSince ?? now
        (crossing.mustCheck, crossing.widening) = (true, nil)
    }

    private mutating func checked(_ survey: StoreSurvey) {
        (crossing.checked, crossing.mustCheck) = (now, false)
        guard !survey.holds else { return }
        actions.append(.alarm("The peer's store has lost what was in it: it gets a whole copy."))
        (crossing.isSettled, crossing.copy, crossing.widening) = (false, nil, nil)
        uploads = []
    }

    /// Whether the store has failed for so long that the peer must not take over any more.
    private var wantsNarrow: Bool { crossing.failingSince.map { now - $0 >= timing.ttl } ?? false }

    /// Whether what is committed now may not be missing from whoever takes over by itself.
    public var isProtecting: Bool { isCrossed && crossing.isNarrow && crossing.widening == nil }

    // MARK: - The list

    private var peers: Set<NodeID> {
        let lately = settings.absence
        return Set(members.seen.filter { now - $0.value.since < lately }.keys).subtracting([settings.node])
    }

    /// Brings the peer back to the list, once its store has all that was committed without it.
    private mutating func widen() {
        guard role == .primary, crossing.isNarrow, !peers.isEmpty else { return }
        switch crossing.widening {
        case nil where isLeftOut(.widenEarly):
            readyToWiden()
        case nil:
            crossing.widening = .capturing
            ask(.capture) { .captureAll($0) }
        case .shipping(let number)? where position.number >= number:
            readyToWiden()
        case .capturing?, .shipping?, .ready?: break
        }
    }

    private mutating func readyToWiden() {
        crossing.widening = .ready
        hold?.nextRenewal = now
    }

    mutating func capturedAll(_ ticket: Ticket) {
        guard let request = crossing.request, request.ticket == ticket else { return }
        crossing.request = nil
        guard crossing.widening == .capturing else { return }
        crossing.widening = .shipping(through: nextNumber - 1)
        crossing.next = now
    }

    func crossedEligible(_ hold: LeaseHold) -> [NodeID] {
        let own = [settings.node]
        guard opened != nil, role == .primary else { return hold.body.eligible }
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
