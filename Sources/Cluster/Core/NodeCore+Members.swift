/// Who takes part, as the primary has seen them move (N17).
struct Members: Sendable {
    /// What the node's record said last, and since when it says that.
    var seen: [NodeID: (stamp: UInt64, since: Moment)] = [:]
    var nextLook: Moment
    var request: Ticket?
    /// When this node writes its own record again.
    var nextRecord: Moment
    /// Counts this node's records.
    var recordCount: UInt64 = 0
}

extension NodeCore {
    mutating func advanceMembers() {
        if now >= members.nextRecord, role != .joining || isOriented {
            members.nextRecord = now + settings.registration
            members.recordCount += 1
            actions.append(.writeNodeRecord(stamp: random.next()))
        }
        guard role == .primary, members.request == nil, now >= members.nextLook else { return }
        let ticket = newTicket()
        members.request = ticket
        members.nextLook = now + settings.registration
        actions.append(.readNodeRecords(ticket))
    }

    mutating func membersRead(_ ticket: Ticket, _ records: [NodeStamp]?) {
        guard members.request == ticket else { return }
        members.request = nil
        guard let records else { return }
        for record in records where members.seen[record.node]?.stamp != record.stamp {
            members.seen[record.node] = (record.stamp, now)
        }
        // Who has come may claim from the next renewal on: it is due now.
        if let hold, eligible(hold) != hold.body.eligible { self.hold?.nextRenewal = now }
    }

    /// Who may claim, as far as this holder knows: whoever has moved lately, and itself.
    ///
    /// A holder that has watched for less than that time drops nobody.
    func eligible(_ hold: LeaseHold) -> [NodeID] {
        guard !isPaired else { return hold.body.eligible }
        guard !isCrossed else { return crossedEligible(hold) }
        guard role == .primary, let opened else { return hold.body.eligible }
        let lately = settings.absence
        var nodes = Set(members.seen.filter { now - $0.value.since < lately }.keys)
        if now - opened < lately { nodes.formUnion(hold.body.eligible) }
        nodes.insert(settings.node)
        return nodes.sorted()
    }
}
