/// Something that is being done about the chain or the database.
struct Step: Sendable {
    enum Kind: Hashable, Sendable {
        case examine
        case fetch(UInt64)
        case fetchMerged(UInt64)
        case apply(FileMark)
        case verify
        case seal
        case record
        case survey
        case quarantine
        case rewind
    }

    let ticket: Ticket
    let kind: Kind
}

extension NodeCore {
    mutating func advanceChain() {
        guard step == nil, now >= nextStep else { return }
        switch role {
        case .joining:
            // Where the right to write lies must be known before anything is judged by it.
            guard isOriented else { return }
            lock()
            begin(.examine) { .examine($0) }
        case .standby where isPaired: followOwnStore()
        case .claimed where isPaired: readStores()
        case .standby, .claimed:
            turnToChain()
            if isBeforeBeginning { return goOnOrBack() }
            if role == .claimed, let hold, now - hold.won >= settings.longestCatchUp {
                return giveUp("Reading the chain to its end takes too long: this node stays a standby.")
            }
            if needsProof { return proveStore() }
            let number = position.number + 1
            begin(.fetch(number)) { .fetch($0, number) }
        case .sealing:
            guard let epoch = hold?.epoch else { return }
            if isStuck { return giveUp("This host's store does not take the seal: this node stays a standby.") }
            let end = isPaired ? pair.sealBehind : position
            if isPaired, pair.isSealWhole { return begin(.seal) { .createWholeSeal($0, epoch: epoch, at: end) } }
            if let end = wholeSealEnd { return begin(.seal) { .createWholeSeal($0, epoch: epoch, at: end) } }
            begin(.seal) { .createSeal($0, epoch: epoch, at: end) }
        case .sealed:
            guard let hold else { return }
            if isStuck {
                return giveUp("This host's store does not take the epoch's record: this node stays a standby.")
            }
            let record = epochRecord(hold)
            begin(.record) { .createRecord($0, record) }
        case .recorded: openIfValid()
        case .quarantining: rewind()
        case .claiming, .primary, .draining, .halted: break
        }
    }

    /// Nothing but the chain changes the database from here on.
    private mutating func lock() {
        guard !isLocked else { return }
        isLocked = true
        actions.append(.lockDatabase)
    }

    mutating func begin(_ kind: Step.Kind, _ action: (Ticket) -> NodeAction) {
        let ticket = newTicket()
        step = Step(ticket: ticket, kind: kind)
        actions.append(action(ticket))
    }

    /// Whether this answers the step under way, which is over then.
    mutating func ends(_ ticket: Ticket) -> Bool {
        guard step?.ticket == ticket else { return false }
        step = nil
        return true
    }

    // MARK: - Joining

    mutating func examined(_ finding: DatabaseFinding) {
        guard role == .joining else { return }
        crossing.isOffChain = false
        switch JoinVerdict.decide(finding, leftOut: leftOut) {
        case .stands(let point, let ahead):
            (position, self.ahead, pair.strayedFrom) = (point, ahead, nil)
            noteDebt(finding, point)
            let places = memory.owes > point.number ? finding.older + [finding.recorded] : []
            pair.wentBackOver = places.filter { $0.number > point.number }
            positionEpoch = epoch(of: point, finding)
            nextStep = now
            become(.standby)
            if isLeftOut(.resumeUnread) { resumeUnread() }
        case .unknown where goesOnBehind: standOffChain(finding)
        case .unknown:
            noteDebt(finding, .start)
            pair.wentBackOver = []
            if isPaired {
                let point = ChainPoint(number: finding.recorded.number, checksum: finding.checksum)
                strayed = (finding.recorded, point)
            }
            quarantine(fork: nil)
        }
    }

    /// The epoch of the place at which the database stands, where each of two hosts has a store and that counts; else it shows
    /// with the next file.
    private func epoch(of point: ChainPoint, _ finding: DatabaseFinding) -> Epoch {
        guard isCrossed, !isPaired else { return .zero }
        // A file that was being applied is of the same epoch as what it was applied to, or of a later one.
        let isLater = point == finding.intended && point.number > finding.recorded.number
        return point == finding.recorded || isLater ? finding.epoch : .zero
    }

    /// What this database holds and the chain does not is kept, then the database follows the chain (N11).
    mutating func quarantine(fork: ChainPoint?) {
        become(.quarantining)
        if isLeftOut(.tailUnlocked) { actions.append(.unlockDatabase) }
        if isLeftOut(.dropTail) { return rewind() }
        begin(.quarantine) { .quarantine($0, fork: fork) }
    }

    mutating func rewind() {
        guard role == .quarantining else { return }
        turnToChain()
        begin(.rewind) { .rewind($0) }
    }

    mutating func rewound(_ end: ChainEnd?) {
        if isPaired, role == .claimed { return restored(end) }
        guard role == .quarantining else { return }
        // A store of this host that its peer has not written yet leads nowhere.
        guard let end, !isCrossed || end.point.number >= beginning else { return waitToRewind() }
        (position, positionEpoch, ahead, rewindPause) = (end.point, end.epoch, [], .zero)
        crossing.isOffChain = false
        pair.strayedFrom = nil
        if isPaired { forgetOwnPages() }
        if isPaired || end.point.number >= memory.owes { forgetDebt() }
        if let node = end.node { notePartOf(EpochStamp(epoch: end.epoch, node: node)) }
        nextStep = now
        if isLeftOut(.tailUnlocked) { actions.append(.lockDatabase) }
        become(.standby)
    }

    // MARK: - Following

    mutating func fetched(_ ticket: Ticket, _ answer: FetchAnswer) {
        guard let kind = step?.kind, ends(ticket), role == .standby || role == .claimed else { return }
        switch answer {
        case .file(let mark): found(mark)
        case .foreign(let number):
            // What lies there was adopted since this place was looked at.
            if number <= beginning { return goBack() }
            haltOnForeign(number)
        case .absent: missing(kind)
        case .failed:
            if mayOpenAlone { return openWithoutPeer() }
            nextStep = now + timing.poll
        case .damaged(let what):
            if role == .claimed { return giveUp(what) }
            actions.append(.alarm(what))
            nextStep = now + settings.followInterval
        }
    }

    /// A file that leads on from here.
    private mutating func found(_ mark: FileMark) {
        nextStep = now
        guard mark.point.number > position.number else {
            nextStep = now + timing.poll
            return
        }
        crossing.isProven = true
        let isMerged = mark.point.number > position.number + 1
        if role == .claimed, let hold, supersedes(mark, hold), !isLeftOut(.chase),
            !(isMerged && isLeftOut(.forgetEpoch))
        {
            return fence("Epoch \(mark.epoch) has begun.")
        }
        if role == .claimed, isLeftOut(.unverified) {
            (position, positionEpoch) = (mark.point, mark.epoch)
            return
        }
        // A whole copy fits any database: it would be written over what nobody else may have.
        if isBesideTakeover {
            if role == .claimed { return giveUp("Transactions of this database were superseded.") }
            return quarantine(fork: nil)
        }
        if passesSeal(mark) { return }
        guard !ahead.isEmpty else {
            keepSeals()
            if isPaired { forgetOwnPages() }
            let from = position
            return begin(.apply(mark)) { .apply($0, mark, from: from) }
        }
        // The database holds own transactions beyond this place: the chain's must be the same ones.
        let index = isMerged ? ahead.firstIndex { $0.point == mark.point } : ahead[0] == mark ? 0 : nil
        guard let index else {
            if isPaired { return meets(mark, isMerged: isMerged) }
            if isLeftover(mark) { return passOver() }
            if role == .claimed { return giveUp("Transactions of this database were superseded.") }
            return quarantine(fork: position)
        }
        ahead.removeFirst(index + 1)
        (position, positionEpoch) = (mark.point, mark.epoch)
        actions.append(.notePosition(position))
        notePassed(mark)
    }

    /// Whether a file shows that a claimant was superseded (N5).
    private func supersedes(_ mark: FileMark, _ hold: LeaseHold) -> Bool {
        isPaired ? isNewer(mark.stamp, than: hold.body.stamp) : mark.epoch >= hold.epoch
    }

    /// There is no such file: either it was merged, or this is the end (N4).
    private mutating func missing(_ kind: Step.Kind) {
        guard !isPaired else { return missingInStore(kind) }
        let number = position.number + 1
        let head = role == .claimed ? hold?.claimedHead.number ?? 0 : watch.seen?.lease.head.number ?? 0
        // Who goes on with what there is looks for more of it.
        let isPassed = number <= head || mayMeetCopy || role == .claimed && crossing.acceptsLoss
        if case .fetch = kind, isPassed && !isLeftOut(.firstAbsent) || isLeftOut(.listOnly) {
            if case .fetch = kind { return begin(.fetchMerged(number)) { .fetchMerged($0, number) } }
        }
        if role == .standby {
            nextStep = now + settings.followInterval
        } else if isBehindOwnSeal, !holdsUpToOwnSeal {
            giveUpOnLoss("This host's store has lost what its database lacks")
        } else if crossing.site == .peer, let hold, !mayMeetCopy, !holdsPromised(hold.claimedHead), !isLeftOut(.noHead)
        {
            giveUpOnLoss("The peer's store and this database have both lost something")
        } else if number <= head, !isLeftOut(.firstAbsent), !isLeftOut(.noHead) {
            giveUpOnLoss("The chain ends before the head of the lease")
        } else if isCrossed, crossing.site == .own, newestOwn < memory.owes {
            // Its records tell of more than the store has left, and of more than was promised when that was read last.
            giveUpOnLoss("This host's store and this database have both lost something")
        } else {
            endReached()
        }
    }

    private mutating func endReached() {
        if mayMeetCopy { return passOver() }
        if isLeftOut(.noSeal) { return becomeRecorded() }
        let skips: [ProtocolRule] = [.unverified, .revert, .blindApply]
        if skips.contains(where: isLeftOut) { return become(.sealing) }
        begin(.verify) { .verify($0) }
    }

    mutating func applied(_ ticket: Ticket, _ answer: ApplyAnswer) {
        guard case .apply(let mark)? = step?.kind, ends(ticket), role == .standby || role == .claimed else { return }
        switch answer {
        case .applied:
            (position, positionEpoch, crossing.unfitAt) = (mark.point, mark.epoch, nil)
            nextStep = now
            notePassed(mark)
        case .failed: nextStep = now + timing.poll
        case .unfit:
            if role == .claimed, isPaired { return passUnfit() }
            if role == .claimed { return giveUp("The database does not continue to \(mark.point).") }
            // What stands there a second time is not on the chain any more.
            if isUnfitAgain { return quarantine(fork: nil) }
            actions.append(.alarm("The database does not continue to \(mark.point): it is looked at anew."))
            rejoin()
            // A whole database is read for it: not again and again without a pause.
            nextStep = now + settings.followInterval
        }
    }

    mutating func created(_ ticket: Ticket, _ answer: CreateAnswer) {
        if let index = uploads.firstIndex(where: { $0.ticket == ticket }) {
            uploaded(uploads.remove(at: index), answer)
        } else if ends(ticket), role == .sealing {
            sealCreated(answer)
        }
    }
}
