/// Going on with what one of two hosts has, by an operator's word, where the other is gone (`promote --accept-loss`).
extension NodeCore {
    /// Whether an operator wants this node to go on from where its database stands, though the history has gone on elsewhere.
    var goesOnBehind: Bool { isCrossed && !isPaired && wanted(at: now) == true }

    /// The word counts for a claim that is under way, too.
    mutating func hearLoss(_ isAccepted: Bool) {
        guard isCrossed, [.claiming, .claimed, .sealing, .sealed].contains(role) else { return }
        crossing.acceptsLoss = isAccepted
    }

    /// Takes a database that is on no record for what goes on.
    mutating func standOffChain(_ finding: DatabaseFinding) {
        position = ChainPoint(number: finding.recorded.number, checksum: finding.checksum)
        (positionEpoch, ahead, crossing.isOffChain, nextStep) = (.zero, [], true, now)
        become(.standby)
    }

    /// Gives up on a claim because something is missing, unless an operator has said that it may be.
    mutating func giveUpOnLoss(_ why: String) {
        guard isCrossed, crossing.acceptsLoss else { return giveUp("\(why): this node stays a standby.") }
        actions.append(.alarm("\(why): by an operator's word this host's database goes on as it is."))
        crossing.hasLeftBehind = true
        openWithoutPeer()
    }

    /// Passes over all numbers under which the other node may hold what this database lacks.
    ///
    /// If it comes back with them, it stands before the new beginning, and keeps them aside.
    mutating func passOverNumbers() {
        // Who was off the list cannot know how far the other has gone.
        if isCrossed, let hold, !hold.body.eligible.contains(settings.node) { crossing.hasLeftBehind = true }
        guard crossing.hasLeftBehind else { return }
        let known: [UInt64] = [
            position.number, ahead.last?.point.number ?? 0, hold?.claimedHead.number ?? 0, memory.owes, memory.copyAt,
            beginning,
        ]
        position.number = (known.max() ?? 0) + Self.leap
        // Nor is the whole copy put before that, whatever becomes of this session; and nothing is owed any more.
        (memory.copyAt, memory.owes) = (position.number, 0)
        actions.append(.remember(memory))
    }

    /// Far more than the store of a host takes between two renewals of the lease.
    private static let leap: UInt64 = 65_536

    /// Says whether others may hold more than what goes on: from a new beginning until somebody has taken over from there.
    mutating func nameLoss(_ body: inout Lease, isTakeover: Bool) {
        if crossing.hasLeftBehind {
            body.origin?.first = position.number
            body.origin?.since = body.epoch
            body.continues = .nothing
        } else if isTakeover {
            body.continues = nil
        }
    }
}
