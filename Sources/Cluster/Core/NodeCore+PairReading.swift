/// A claimant that reads the ends of the stores (failover-review W4 b, c, W5).
extension NodeCore {
    mutating func readStores() {
        if let hold, now - hold.won >= settings.longestCatchUp {
            return giveUp("Reading the stores to their ends takes too long: this node stays a standby.")
        }
        let all = sitesToRead
        if let site = all.first(where: { pair.reading.surveys[$0] == nil }) { return survey(site) }
        guard let sites = pair.reading.sites else { return orderStores(all) }
        guard let site = sites.first else { return allRead() }
        turn(to: site)
        if pair.reading.isFollowing {
            let number = position.number + 1
            return begin(.fetch(number)) { .fetch($0, number) }
        }
        if site == .own, let seal = ownPages { return standAtOwnPages(seal) }
        if isRecordSought(on: site), let recorded = owedPlace {
            return begin(.survey) { .survey($0, recorded) }
        }
        switch verdict(site) {
        case .follow: followStore()
        case .restore: begin(.rewind) { .rewind($0) }
        case .keep:
            if let end = equalEnd { return standAtOwnPages(end) }
            storeRead(isFollowed: false)
        case .leave: leaveToGoBack()
        }
    }

    /// The store that takes the seal, and this host's, which may hold what this database never applied.
    private var sitesToRead: [ChainSite] {
        guard pair.place != .own else { return [.own] }
        // Once moved, it has nothing that this database was not part of, unless a power cut took that.
        let isWhole = memory.owes == 0 && memory.pagesAt == 0 && pair.strayedFrom == nil
        let isPassed = pair.own.seen?.lease.state == .moved && isWhole
        return isPassed || isLeftOut(.skipOwnStore) ? [.peer] : [.own, .peer]
    }

    private mutating func survey(_ site: ChainSite) {
        turn(to: site)
        let place = pair.strayedFrom ?? position
        begin(.survey) { .survey($0, place) }
    }

    /// The newer epoch first: what the other one holds beyond it does not count.
    private mutating func orderStores(_ sites: [ChainSite]) {
        guard let hold else { return }
        let ends = pair.reading.surveys.compactMapValues(\.end)
        if let newer = ends.values.first(where: { isNewer($0.stamp, than: hold.body.stamp) }) {
            return fence("Epoch \(newer.epoch) has begun.")
        }
        let isOwnNewer = ends[.own]?.stamp ?? .zero > ends[.peer]?.stamp ?? .zero
        pair.reading.sites = isOwnNewer ? sites : sites.reversed()
        pair.reading.ends = ends
        nextStep = now
    }

    /// Whether it must be known if a store leads to the place on record, behind which a power cut took the database.
    private func isRecordSought(on site: ChainSite) -> Bool {
        pair.reading.isRecordedOn[site] == nil && pair.reading.surveys[site]?.holds == false && !endsOnRecord(site)
    }

    /// The place behind which power cuts took the database: the newest one that was ever on record, also where it has followed
    /// a store for a while since the first of them.
    private var owedPlace: ChainPoint? {
        pair.wentBackOver.last { $0.number == memory.owes } ?? pair.wentBackOver.last
    }

    /// Whether a store's newest file leads to such a place.
    ///
    /// In this host's store it may be an own seal before the last of them, which only the peer's store has. The peer's store
    /// has more of what was on record than such an earlier place, or this database went on elsewhere since.
    private func endsOnRecord(_ site: ChainSite) -> Bool {
        guard let end = pair.reading.surveys[site]?.end else { return false }
        // The database may stand at none of them.
        if pair.strayedFrom?.checksum == end.point.checksum { return true }
        if site == .own { return pair.wentBackOver.contains { $0.checksum == end.point.checksum } }
        return owedPlace?.checksum == end.point.checksum
    }

    /// What this host's store ends with, where that alone counts and is just what the database holds, whose place on record
    /// lies in the peer's store.
    ///
    /// It stands there then: what a power cut takes from it before it opens lies in this very store, and the seal alone would
    /// not say so.
    private var equalEnd: FileMark? {
        guard pair.place == .own, ahead.isEmpty, let end = pair.reading.surveys[.own]?.end,
            end.point.checksum == position.checksum
        else { return nil }
        return end
    }

    /// The database stands at a place that the store has, and not before what follows there.
    mutating func passUnfit() {
        pair.reading.unfit.insert(crossing.site)
        (pair.reading.isFollowing, pair.reading.beforeSeals, nextStep) = (false, nil, now)
    }

    func verdict(_ site: ChainSite) -> StoreVerdict {
        let survey = site == .own && role == .standby ? pair.ownSurvey : pair.reading.surveys[site]
        if isLeftOut(.revert), site == .peer { return .keep }
        let isFit = role != .claimed || !pair.reading.unfit.contains(site)
        let verdict = StoreVerdict(
            StoreVerdict.Facts(
                site: site,
                // Where a whole copy is not beside its chain yet, Litestream's restore leads nowhere; this one's does.
                holds: isFit && (survey.map { $0.holds || $0.end?.point == pair.strayedFrom ?? position } ?? false),
                end: survey?.end,
                isBlank: isFit && position == .start && ahead.isEmpty && pair.strayedFrom == nil,
                partOf: memory.partOf,
                isBehind: isFit && (survey?.end.map { $0.point.number > position.number } ?? false),
                wentBack: memory.owes > 0,
                isAstray: pair.strayedFrom != nil,
                holdsRecorded: pair.reading.isRecordedOn[site] ?? false || endsOnRecord(site),
                node: settings.node
            )
        )
        // It went on in the peer's store.
        if role == .claimed, site == .own, pair.place == .peer, pair.own.seen?.lease.state == .moved, verdict == .leave
        {
            return .keep
        }
        return verdict
    }

    private mutating func followStore() {
        pair.reading.isFollowing = true
        nextStep = now
    }

    /// What only this database holds must first be kept aside; it claims again after that.
    mutating func leaveToGoBack() {
        fence("The peer has gone on without what this database holds: that is kept aside first.")
        pair.mustGoBack = true
    }

    /// A seal by the owner of the peer's store: it says nothing of what its database holds (failover-review W6).
    ///
    /// Behind the last of them this database would not stand on this host's chain any more, which may lead on from here.
    mutating func passesSeal(_ mark: FileMark) -> Bool {
        guard isPaired, role == .claimed, crossing.site == .peer, ahead.isEmpty, mark.node != settings.node,
            mark.point.checksum == position.checksum, mark.point.number == position.number + 1
        else { return false }
        pair.reading.beforeSeals = pair.reading.beforeSeals ?? position
        (position, positionEpoch, pair.reading.ends[.peer]) = (mark.point, mark.epoch, mark)
        return true
    }

    /// Something lies behind such seals: they are part of what is followed.
    mutating func keepSeals() {
        guard pair.reading.beforeSeals != nil else { return }
        pair.reading.beforeSeals = nil
        actions.append(.notePosition(position))
    }

    /// This store's end is reached, or its files are not this database's.
    mutating func storeRead(isFollowed: Bool) {
        guard var sites = pair.reading.sites, let site = sites.first else { return }
        sites.removeFirst()
        (pair.reading.sites, pair.reading.isFollowing, nextStep) = (sites, false, now)
        if let place = pair.reading.beforeSeals {
            (position, positionEpoch, pair.reading.beforeSeals) = (place, .zero, nil)
        } else if isFollowed {
            pair.reading.followed.insert(site)
            noteFollowed(site)
        }
        // The other one was asked for an earlier place.
        if isFollowed, let other = sites.first {
            (pair.reading.surveys[other], pair.reading.isRecordedOn[other]) = (nil, nil)
        }
    }

    /// The database is part of what this store ends with.
    ///
    /// A seal by the peer in its own store is passed over, and says nothing of what this database holds: what the peer shipped
    /// to this host's store before would count as older than the database, and be left out.
    private mutating func noteFollowed(_ site: ChainSite) {
        guard let end = pair.reading.ends[site], site == .own || end.node == settings.node else { return }
        notePartOf(end.stamp)
    }

    // MARK: - The seal

    private mutating func allRead() {
        let site: ChainSite = pair.place == .own ? .own : .peer
        turn(to: site)
        let end = pair.reading.ends[site]
        let isAtEnd = pair.reading.followed.contains(site)
        pair.sealBehind = isAtEnd ? position : end?.point ?? .start
        if site == .peer {
            let isLatest = end.map { $0.node == settings.node && $0.stamp >= memory.partOf } ?? false
            let isPlain = isAtEnd && isLatest && !mayMeetCopy
            crossing.needsCopy = !isPlain && !(isLeftOut(.sealStale) && end != nil)
        } else {
            crossing.needsCopy = false
            if isLeftOut(.noSeal) { return becomeRecorded() }
        }
        if pair.place == .peer || isAtEnd { forgetDebt() }
        pair.isSealWhole = false
        if site == .own, let cell = pair.own.seen?.lease, cell.copyAt > pair.sealBehind.number {
            // The peer's whole copy may still land there, behind any seal in front of it.
            let tip = ahead.last?.point.checksum ?? position.checksum
            (pair.isSealWhole, pair.sealBehind) = (true, ChainPoint(number: cell.copyAt - 1, checksum: tip))
            noteOwnPages(at: cell.copyAt)
        }
        if isLeftOut(.revert) { return crossing.needsCopy ? becomeRecorded() : become(.sealing) }
        begin(.verify) { .verify($0) }
    }

    /// The seal stands.
    mutating func sealedStore() {
        guard let hold else { return }
        let isStanding = pair.sealBehind == position || pair.isSealWhole
        if pair.isSealWhole { ahead = [] }
        self.hold?.sealed = now
        self.hold?.parentEpoch = pair.reading.ends[pair.place == .own ? .own : .peer]?.epoch ?? .zero
        if isStanding || pair.place == .peer {
            position = ChainPoint(number: pair.sealBehind.number + 1, checksum: pair.sealBehind.checksum)
            positionEpoch = hold.epoch
        }
        pair.isSealedAtPeer = pair.place == .peer
        notePartOf(hold.body.stamp)
        become(.sealed)
    }

    /// The database is where this store's newest file leads.
    mutating func restored(_ end: ChainEnd?) {
        guard let end else {
            nextStep = now + timing.poll
            return
        }
        (position, positionEpoch, ahead, pair.strayedFrom) = (end.point, end.epoch, [], nil)
        forgetDebt()
        forgetOwnPages()
        if let hold, let node = end.node, isNewer(EpochStamp(epoch: end.epoch, node: node), than: hold.body.stamp) {
            return fence("Epoch \(end.epoch) has begun.")
        }
        storeRead(isFollowed: true)
    }

    /// The store's end was not the end any more.
    mutating func readStoresAnew() {
        pair.reading = Pairing.Reading()
        become(.claimed)
    }

    /// Makes durable that the database is part of an epoch.
    mutating func notePartOf(_ stamp: EpochStamp) {
        guard isPaired, stamp > memory.partOf else { return }
        memory.partOf = stamp
        actions.append(.remember(memory))
    }
}
