import Cluster

/// A request on its way to a store, or to the witness.
struct Request {
    enum Operation {
        case readLease
        case swap(Lease, LeaseVersion?)
        case overwrite(Lease)
        case deleteLease
        case survey(ChainPoint)
        case fetch(UInt64)
        case fetchMerged(UInt64)
        case create(SimulatedFile)
        case publish(SimulatedFile)
        case record(EpochRecord)
        case nodeRecord(NodeID, UInt64)
        case readNodeRecords
        // Without a witness.
        case readCell(ChainSite)
        case swapCell(ChainSite, Lease, LeaseVersion)
        case createWhole(SimulatedFile)
    }

    var node: Int
    var life: Int
    var ticket: Ticket
    var operation: Operation
    /// The store that it goes to; `nil`: the witness.
    var store: Int?
    /// Whether its sender hears of it.
    var isAnswered = true

    /// What the sender hears when no answer comes.
    var silence: NodeEvent {
        switch operation {
        case .readLease: .leaseRead(ticket, .failed)
        case .swap, .overwrite, .deleteLease: .leaseSwapped(ticket, .unknown)
        case .survey: .surveyed(ticket, nil)
        case .fetch, .fetchMerged: .fetched(ticket, .failed)
        case .create, .createWhole: .created(ticket, .unknown)
        case .readCell(let site): .cellRead(ticket, site, .failed)
        case .swapCell(let site, _, _): .cellSwapped(ticket, site, .unknown)
        case .record: .recorded(ticket, .unknown)
        case .publish: .published(ticket, false)
        case .nodeRecord, .readNodeRecords: .nodeRecordsRead(ticket, nil)
        }
    }

    /// A 409, where the request may get one.
    var conflict: NodeEvent? {
        switch operation {
        case .swap: .leaseSwapped(ticket, .conflict)
        case .create, .createWhole: .created(ticket, .conflict)
        case .swapCell(let site, _, _): .cellSwapped(ticket, site, .conflict)
        case .record: .recorded(ticket, .conflict)
        case .readLease, .overwrite, .deleteLease, .survey, .fetch, .fetchMerged, .publish, .nodeRecord,
            .readNodeRecords, .readCell:
            nil
        }
    }
}

extension Request.Operation {
    /// Whether this is about the lease.
    var concernsLease: Bool {
        switch self {
        case .readLease, .swap, .overwrite, .deleteLease: true
        case .survey, .fetch, .fetchMerged, .create, .publish, .record, .nodeRecord, .readNodeRecords,
            .readCell, .swapCell, .createWhole:
            false
        }
    }

    /// Whether this is the first body of a session.
    var isClaim: Bool {
        guard case .swap(let body, _) = self else { return false }
        return body.counter == 1
    }

    /// Whether it puts something into a store's chain, or beside it.
    var writes: Bool {
        switch self {
        case .create, .createWhole, .swapCell, .publish, .record, .nodeRecord: true
        case .readLease, .swap, .overwrite, .deleteLease, .survey, .fetch, .fetchMerged, .readNodeRecords, .readCell:
            false
        }
    }
}

/// What becomes of a request on its way.
enum Fate {
    case arrives
    case isLost
    /// It meets another one (409).
    case conflicts(NodeEvent)
    /// It arrives, and its answer is lost.
    case goesUnanswered
    /// It arrives so long after its sender gave up, in nanoseconds.
    case isLate(Int64)
}
