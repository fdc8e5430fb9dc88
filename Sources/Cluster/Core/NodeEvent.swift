/// Names a request, so that an answer that comes after its asker gave up is known for what it is.
public struct Ticket: Hashable, Sendable {
    let rawValue: UInt64

    /// Of a request whose answer nobody waits for.
    package static let none = Ticket(rawValue: 0)
}

/// What a node learns.
public enum NodeEvent: Hashable, Sendable {
    /// Time has passed.
    case tick

    // MARK: The lease

    /// The lease was read.
    case leaseRead(Ticket, LeaseReading)
    /// A swap of the lease was answered, or not.
    case leaseSwapped(Ticket, SwapAnswer)
    /// Without a witness: the cell in a store was read.
    case cellRead(Ticket, ChainSite, LeaseReading)
    /// Without a witness: a swap of the cell in a store was answered, or not.
    case cellSwapped(Ticket, ChainSite, SwapAnswer)

    // MARK: The chain and the database

    /// A store was looked at; `nil`: it did not answer.
    case surveyed(Ticket, StoreSurvey?)
    /// A file with all pages was closed; `nil`: that failed.
    case copied(Ticket, FileMark?)
    /// The whole copy was to be put beside the chain: whether that is done.
    case published(Ticket, Bool)
    /// All that was committed when it was asked for is closed; nothing is told where that fails.
    case capturedAll(Ticket)
    /// The database and its records were looked at.
    case examined(Ticket, DatabaseFinding)
    /// The file of a transaction was asked for.
    case fetched(Ticket, FetchAnswer)
    /// A fetched file was applied.
    case applied(Ticket, ApplyAnswer)
    /// The database's checksum was proven to be this.
    case verified(Ticket, checksum: UInt64)
    /// The seal, or a transaction file, was to be created.
    case created(Ticket, CreateAnswer)
    /// The record of the epoch was to be created.
    case recorded(Ticket, CreateAnswer)
    /// What only this database held is kept aside, durably.
    case quarantined(Ticket)
    /// The database was put back on the chain; `nil`: that failed.
    case rewound(Ticket, ChainEnd?)

    // MARK: The application

    /// A local transaction file was closed: the next one to be shipped.
    case captured(FileMark)
    /// No transaction is open any more and all that was committed is captured.
    case writesEnded(Ticket)

    /// A batch of retention is due. Without a witness the head must be in the cell before it: wait until
    /// ``NodeCore/deletableBelow(at:)`` allows what is wanted. Elsewhere renewals carry the head.
    case retentionDue

    /// Something is wrong that no retry mends: why, and what helps.
    case broken(String)

    // MARK: Other nodes and people

    /// The records of all nodes were read; `nil`: the store did not answer.
    case nodeRecordsRead(Ticket, [NodeStamp]?)

    /// Another node asks for a promise; the answer is ``NodeAction/answerPromise(_:granted:)``.
    case promiseAsked(PromiseRequest)
    /// Another node has answered.
    case promiseAnswered(Ticket, from: NodeID, granted: Bool)
    /// Somebody says that the lease is worth a look.
    case hint
    /// The peer's process answers its health checks again, or has failed as many in a row as the threshold says.
    case peerHealth(isGood: Bool)
    /// An operator's word.
    case command(NodeCommand)
}

/// What a read of the lease gave.
public enum LeaseReading: Hashable, Sendable {
    case body(Lease, LeaseVersion)
    /// There is none.
    case absent
    /// It is there and is none of ours: why.
    case unfit(String)
    /// The store did not answer.
    case failed
}

/// The answer to a swap.
public enum SwapAnswer: Hashable, Sendable {
    case swapped(LeaseVersion)
    /// Another version lies there, or none (412, 404).
    case refused
    /// Two swaps met; neither happened by this one's word (409).
    case conflict
    /// No answer, or one that says nothing (time-out, reset, 5xx, 429): it may have happened, or happen yet.
    case unknown
}

/// What the chain has for a transaction.
public enum FetchAnswer: Hashable, Sendable {
    /// A file that leads to `mark`'s place: the transaction's own, or a merged one that holds it.
    case file(FileMark)
    /// A file without a mark of ours.
    case foreign(UInt64)
    /// No such file.
    case absent
    /// A file that is damaged: what is wrong.
    case damaged(String)
    /// The store did not answer.
    case failed
}

/// What became of a file that was to be applied.
public enum ApplyAnswer: Hashable, Sendable {
    case applied
    /// The database is not where the file begins, or would not be where it leads.
    case unfit
    /// The disk or SQLite refused for now.
    case failed
}

/// The answer to a create-if-absent.
public enum CreateAnswer: Hashable, Sendable {
    case created
    /// Something is there: whether it is, byte for byte, what was to be created; its mark, if it has one of ours.
    case exists(isSame: Bool, FileMark?)
    /// Two creates met (409).
    case conflict
    /// It may have happened, or happen yet.
    case unknown
}

/// The end of the chain: the place, and the epoch of the file that leads there.
public struct ChainEnd: Hashable, Sendable {
    public var point: ChainPoint
    public var epoch: Epoch
    /// Who wrote it; only without a witness it is asked for.
    public var node: NodeID?

    /// Creates an end.
    public init(point: ChainPoint, epoch: Epoch, node: NodeID? = nil) {
        (self.point, self.epoch, self.node) = (point, epoch, node)
    }
}

/// What a node's record says of its moving: a stamp that it never had before.
public struct NodeStamp: Hashable, Sendable {
    /// Whose record it is.
    public var node: NodeID
    /// What it says.
    public var stamp: UInt64

    /// Creates a stamp.
    public init(node: NodeID, stamp: UInt64) { (self.node, self.stamp) = (node, stamp) }
}

/// A holder's request not to be taken over from (`POST /cluster/promise`).
public struct PromiseRequest: Hashable, Sendable {
    public var cluster: ClusterID
    public var node: NodeID
    public var session: SessionID
    public var epoch: Epoch
    public var ttl: Duration
    /// Names the request for its answer; chosen by whoever passes it on.
    public var reference: UInt64

    /// Creates a request.
    public init(
        cluster: ClusterID,
        node: NodeID,
        session: SessionID,
        epoch: Epoch,
        ttl: Duration,
        reference: UInt64
    ) {
        (self.cluster, self.node, self.session) = (cluster, node, session)
        (self.epoch, self.ttl, self.reference) = (epoch, ttl, reference)
    }
}

/// An operator's word.
public enum NodeCommand: Hashable, Sendable {
    /// Take over where nobody holds the lease, hold-down or not; `acceptLoss`: even where this node is not on the list.
    case promote(acceptLoss: Bool)
    /// Without a witness: take over from a peer that is down. What ``NodeCore/promotion`` asks, and was answered with yes.
    case promotePeerIsDown(Set<PairQuestion>)
    /// Hand over to a node.
    case switchover(to: NodeID)
    /// Let go and stay out.
    case demote
    /// End: ship, let go, and stop.
    case shutDown
}
