/// Into a halt, and out of it: by an operator's word alone (failover-review E).
extension NodeCore {
    /// Does nothing more before an operator has looked.
    ///
    /// - Parameters:
    ///   - why: What is wrong and what helps.
    ///   - lease: The lease as it is; `nil` where there is none of this cluster.
    mutating func halt(_ why: String, lease: Lease?) {
        haltedBehind = lease?.begin
        if role.isHolding { fence(why) }
        haltReason = why
        actions.append(.alarm(why))
        become(.halted)
        // Whatever is under way is nobody's any more.
        leaseRequest = nil
        nextLook = now + timing.ttl
        (pair.swap, pair.own.request, pair.own.next) = (nil, nil, nextLook)
    }

    mutating func halt(_ why: String) { halt(why, lease: watch.seen?.lease) }

    /// What a node that has halted still takes in: that an operator has put the lease right, and that it is to end.
    mutating func waitForRepair(_ event: NodeEvent) {
        switch event {
        case .command(.shutDown): return actions.append(.end)
        case _ where isBroken: return
        case _ where isPaired: return waitForCell(event)
        case .hint: nextLook = now
        case .leaseRead(let ticket, let reading):
            guard leaseRequest == ticket else { break }
            leaseRequest = nil
            nextLook = now + timing.ttl
            if case .body(let lease, let version) = reading, isRepaired(lease) { return comeBack(lease, version) }
        default: break
        }
        guard leaseRequest == nil, now >= nextLook else { return }
        look()
    }

    /// The same without a witness, where this host's cell tells of the repair.
    private mutating func waitForCell(_ event: NodeEvent) {
        if case .cellRead(let ticket, .own, let reading) = event, pair.own.request == ticket {
            (pair.own.request, pair.own.next) = (nil, now + timing.ttl)
            if case .body(let lease, let version) = reading, isRepaired(lease) { return comeBack(lease, version) }
        }
        guard pair.own.request == nil, now >= pair.own.next else { return }
        readCell(.own)
    }

    /// Adopting and reseeding let the chain begin anew; where the lease was gone, a newer one is the repair. A takeover by
    /// another node is none.
    private func isRepaired(_ lease: Lease) -> Bool {
        lease.cluster == settings.cluster && lease.epoch > highestEpoch && haltedBehind.map { lease.begin > $0 } ?? true
    }

    private mutating func comeBack(_ lease: Lease, _ version: LeaseVersion) {
        (haltReason, claims.failure) = (nil, nil)
        highestEpoch = lease.epoch
        actions.append(.alarm("An operator has put the lease right: this node joins again, in epoch \(lease.epoch)."))
        fence("It had halted.")
        guard !isPaired else { return }
        watch.reset()
        watch.read(lease, version, at: now)
    }
}
