/// A chain that began anew behind this node's place (failover-review N5, N15).
extension NodeCore {
    /// The transaction behind which the chain began, as the lease tells.
    ///
    /// Where each host has a store, this node's own goes on behind the seal of the peer that took over.
    var beginning: UInt64 {
        guard let lease = hold?.body ?? watch.seen?.lease else { return 0 }
        guard isCrossed, let origin = lease.origin, origin.node != settings.node else { return lease.begin }
        return max(lease.begin, origin.first)
    }

    /// Whether no files lead from this node's place to where the chain is now.
    var isBeforeBeginning: Bool { position.number < beginning || crossing.isOffChain }

    /// Whether this node is not known to stand on the chain of the other one that took the history over from it.
    ///
    /// That one seals behind what this host has shipped to it, so a place from its seal on is one that it wrote itself, unless
    /// its store had gone back: then what this database holds there may be in no store any more.
    var isBesideTakeover: Bool {
        guard isCrossed, !isPaired, let lease = hold?.body ?? watch.seen?.lease, let origin = lease.origin,
            origin.node != settings.node
        else { return false }
        return position.number >= origin.first && positionEpoch < origin.since
    }

    /// Goes on from here all the same, where an operator has said so; else back to the chain.
    mutating func goOnOrBack() {
        if role == .claimed, crossing.acceptsLoss {
            return giveUpOnLoss("The history has gone on without this host, and is not in its store")
        }
        guard role == .standby, goesOnBehind else { return goBack() }
        nextStep = now + timing.poll
    }

    /// Puts the database back on the chain, which began anew without it.
    ///
    /// What it holds beyond what the chain has gone on from is kept: nobody else may have it.
    mutating func goBack() {
        guard role == .standby else {
            return giveUp(
                "The chain began anew behind \(Self.name(beginning)): this database must go back to it first."
            )
        }
        let isHeld = !crossing.isOffChain && watch.seen.map { holdsPlace($0.lease) } ?? true
        // Its place may not be on the chain any more: no fork can be told.
        guard ahead.isEmpty, isHeld else { return quarantine(fork: nil) }
        become(.quarantining)
        rewind()
    }

    /// Whether the chain that began anew holds all that a database at this node's place does, as far as a lease tells.
    private func holdsPlace(_ lease: Lease) -> Bool {
        if let continues = lease.continues { return continues.holds(position) }
        guard isCrossed, let origin = lease.origin, origin.node != settings.node else { return true }
        return !origin.hasEarlierSeals
    }

    /// The chain cannot be restored yet: perhaps who begins it anew has not written it.
    mutating func waitToRewind() {
        // Nobody may ever write it: an operator lets this database go on as it is.
        if goesOnBehind { return rejoin() }
        rewindPause = min(max(rewindPause * 2, settings.followInterval), .seconds(10))
        nextStep = now + rewindPause
    }

    /// Another program has written among the files.
    mutating func haltOnForeign(_ number: UInt64) {
        let way =
            isCrossed
            ? "both nodes, give both stores new paths in both files, remove `cluster.json` from both metadata folders, "
                + "and begin with `cluster init` on the host whose database is to count."
            : "all nodes, then run `cluster adopt` on the host whose database is to count."
        halt("Transaction \(Self.name(number)) was written by another program: stop that one and \(way)")
    }

    private static func name(_ number: UInt64) -> String { "\(ChainPoint(number: number, checksum: 0))" }
}
