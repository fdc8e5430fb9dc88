extension NodeCore {
    /// When the node must be told of the time, if it learns nothing before; `nil`: never.
    public var nextWake: Moment? {
        if role == .halted { return haltedWake }
        return [leaseWake, cellWake, stepWake, uploadWake, crossingWake, promiseWake, gateWake, drainWake, memberWake]
            .compactMap(\.self).min()
    }

    private var haltedWake: Moment? {
        guard !isPaired else { return pair.own.request == nil ? pair.own.next : nil }
        return leaseRequest == nil ? nextLook : nil
    }

    private var leaseWake: Moment? {
        guard !isPaired, leaseRequest == nil else { return nil }
        if swap == nil, let hold { return drain?.phase == .swapping ? nil : hold.nextRenewal }
        return nextLook
    }

    private var stepWake: Moment? {
        guard step == nil else { return nil }
        switch role {
        case .joining: return isOriented ? nextStep : nil
        case .standby, .claimed, .sealing, .sealed, .quarantining: return nextStep
        // It opens with the renewal that makes the lease valid again.
        case .recorded, .claiming, .primary, .draining, .halted: return nil
        }
    }

    private var uploadWake: Moment? {
        guard role == .primary || role == .draining, uploads.isEmpty, !spool.isEmpty, mayUpload else {
            return nil
        }
        return nextUpload
    }

    private var memberWake: Moment? {
        let record = role == .joining && !isOriented ? nil : Optional(members.nextRecord)
        guard role == .primary, members.request == nil else { return record }
        return min(members.nextLook, record ?? members.nextLook)
    }

    private var gateWake: Moment? {
        guard role == .primary || role == .draining, !isLocked else { return nil }
        return lockingMoment
    }

    private var drainWake: Moment? {
        guard role == .draining, let drain, let hold else { return nil }
        switch drain.purpose {
        case .end: return drain.since + settings.farewell
        case .handOver where drain.phase != .swapping && isPaired: return drain.since + settings.handoff
        case .handOver where drain.phase != .swapping:
            return min(drain.since + settings.handoff, hold.since + timing.locking)
        case .handOver, .giveUp, .release: return nil
        }
    }
}
