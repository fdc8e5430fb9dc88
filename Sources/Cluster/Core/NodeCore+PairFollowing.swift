/// Reading files without a witness: a standby that follows this host's store, and what files mean for a database that is
/// ahead (failover-review W6).
extension NodeCore {
    /// A standby follows what its peer ships to this host.
    mutating func followOwnStore() {
        guard let cell = pair.own.seen?.lease else { return }
        turn(to: .own)
        // An own cell that was moved, or is an own session's: this database went on elsewhere, or is about to.
        guard pair.mustGoBack || cell.state != .moved && cell.node != settings.node else {
            nextStep = now + settings.followInterval
            return surveyForWord()
        }
        guard crossing.isProven, !pair.mustGoBack, pair.surveyed.map({ now - $0 < timing.ttl }) ?? false else {
            return surveyOwnStore()
        }
        let number = position.number + 1
        begin(.fetch(number)) { .fetch($0, number) }
    }

    /// The newest file there tells a clear word from a blind one.
    private mutating func surveyForWord() {
        guard pair.surveyed.map({ now - $0 >= timing.ttl }) ?? true else { return }
        surveyOwnStore()
    }

    private mutating func surveyOwnStore() {
        let place = pair.strayedFrom ?? position
        begin(.survey) { .survey($0, place) }
    }

    mutating func storeSurveyed(_ survey: StoreSurvey?) {
        nextStep = now
        guard let survey else {
            nextStep = now + timing.poll
            return
        }
        if role == .claimed {
            guard pair.reading.surveys[crossing.site] == nil else {
                return pair.reading.isRecordedOn[crossing.site] = survey.holds
            }
            pair.reading.surveys[crossing.site] = survey
            if pair.reading.sites != nil { pair.reading.ends[crossing.site] = survey.end }
        } else if role == .standby {
            ownStoreSurveyed(survey)
        }
    }

    private mutating func ownStoreSurveyed(_ survey: StoreSurvey) {
        (pair.ownSurvey, pair.surveyed) = (survey, now)
        guard let cell = pair.own.seen?.lease, pair.mustGoBack || cell.state != .moved && cell.node != settings.node
        else {
            nextStep = now + settings.followInterval
            return
        }
        let mustGoBack = pair.mustGoBack
        pair.mustGoBack = false
        switch verdict(.own) {
        case .follow:
            crossing.isProven = true
            // It has met that file as a claimant.
            if mustGoBack, let end = survey.end, end.node != settings.node, end.stamp >= memory.partOf {
                goBackToOwnStore(survey)
            }
        case .leave: goBackToOwnStore(survey)
        case .restore: goBackToOwnStore(survey)
        case .keep:
            if isLeftOut(.rewindUnsettled), survey.end != nil { return goBackToOwnStore(survey) }
            nextStep = now + settings.followInterval
        }
    }

    /// What this database holds beyond its place is kept aside, and it goes on from what the peer has settled here.
    private mutating func goBackToOwnStore(_ survey: StoreSurvey) {
        // All behind its place counted for the peer, who numbers its copy above that.
        let isContained = pair.strayedFrom != nil || survey.end.map { $0.point.number > position.number } ?? false
        guard ahead.isEmpty, isContained else { return quarantine(fork: isContained ? position : nil) }
        become(.quarantining)
        rewind()
    }

    /// A file that does not lead to the next of the own transactions of a database that is ahead.
    mutating func meets(_ mark: FileMark, isMerged: Bool) {
        let isSeal = !isMerged && mark.point.checksum == position.checksum
        if crossing.site == .own, isPeersNewer(mark) || !isSeal && isPeersNewer(ownStoreEnd) {
            return role == .claimed ? leaveToGoBack() : quarantine(fork: position)
        }
        if isSeal {
            // It changes nothing; the place on disk stays, to which the own files belong.
            (position, positionEpoch) = (mark.point, mark.epoch)
            return
        }
        if role == .claimed { return storeRead(isFollowed: false) }
        nextStep = now + settings.followInterval
    }

    /// Whether a file shows that the peer went on without what this database holds beyond its place.
    private func isPeersNewer(_ mark: FileMark?) -> Bool {
        mark.map { $0.node != settings.node && $0.stamp >= memory.partOf } ?? false
    }

    /// The newest file in this host's store as it was looked at last.
    ///
    /// It may lie behind a seal with all pages that this node made and never opened by, so that it has no record of it: that
    /// one leads on from nowhere the database stands, and says nothing of what the peer did since.
    private var ownStoreEnd: FileMark? {
        role == .claimed ? pair.reading.surveys[.own]?.end : pair.ownSurvey?.end
    }

    /// After a power cut the database stands at no place on record, and what it holds is kept aside.
    ///
    /// It goes back to this host's store only where the peer has settled that: a seal of its own there says nothing of what
    /// it holds, and what the peer's store has is read by a claimant.
    mutating func standAstray() {
        guard let (recorded, point) = strayed else { return }
        (pair.strayedFrom, strayed) = (recorded, nil)
        (position, positionEpoch, ahead, nextStep) = (point, .zero, [], now)
        become(.standby)
    }

    /// A file was applied, or is what this database holds.
    mutating func notePassed(_ mark: FileMark) {
        guard isPaired else { return }
        if role == .claimed { pair.reading.ends[crossing.site] = mark }
        notePartOf(mark.stamp)
        if memory.owes > 0, position.number >= memory.owes { forgetDebt() }
    }

    /// There is no such file: a gap before a whole copy, or the end.
    mutating func missingInStore(_ kind: Step.Kind) {
        let number = position.number + 1
        let survey = role == .claimed ? pair.reading.surveys[crossing.site] : pair.ownSurvey
        let head = pair[crossing.site].seen?.lease.head.number ?? 0
        if case .fetch = kind, number <= max(head, survey?.highest ?? 0) || mayMeetCopy {
            return begin(.fetchMerged(number)) { .fetchMerged($0, number) }
        }
        if role == .standby {
            nextStep = now + settings.followInterval
        } else if number <= head, crossing.site == .own {
            giveUp("This host's store ends before the head in its cell: this node stays a standby.")
        } else {
            storeRead(isFollowed: number > head)
        }
    }
}
