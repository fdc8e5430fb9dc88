import LTX

/// The one object that says who may write: changed by compare-and-swap only, never deleted (failover-review D).
///
/// No time in it is anybody's clock: ``ttl`` is a length, and its holder's validity is counted by the holder itself.
public struct Lease: Hashable, Sendable {
    /// What the lease's session is doing with it.
    public enum State: String, Hashable, Sendable {
        /// It writes, or is about to.
        case held
        /// It has let go: whoever is eligible may claim at once.
        case free
        /// It has let go in favour of ``Lease/successor``.
        case handoff
        /// It holds the right by the cell in its peer's store; this one, in its own, gives none to anybody (failover-review
        /// W1).
        case moved
    }

    /// The cluster that this lease is of.
    public var cluster: ClusterID
    /// Grows with each claim.
    public var epoch: Epoch
    /// The session that wrote this body.
    public var session: SessionID
    /// That session's node.
    public var node: NodeID
    /// The node's name, for people.
    public var name: String
    /// What the session does with it.
    public var state: State
    /// To whom it is handed, in state ``State/handoff``.
    public var successor: NodeID?
    /// Grows with each body of a session.
    public var counter: UInt64
    /// Random, so that no two bodies, and so no two versions, are ever the same.
    public var nonce: Nonce
    /// How long a body stands without a successor before others may claim.
    public var ttl: Duration
    /// The newest place that the store is known to hold; never goes back.
    public var head: ChainPoint
    /// The highest transaction that was there when the cluster began, or began anew by an operator's word; 0 if none was.
    /// Files behind it lead nowhere else: a database that stands before it cannot follow by them.
    public var begin: UInt64
    /// What the database holds of the history before with which the cluster began anew; `nil` where it never did.
    public var continues: Continuation?
    /// Where the history goes on, where each host has a store of its own; `nil` before a first node has opened, and where
    /// all nodes use one store.
    public var origin: Origin?
    /// Under which number a whole copy is to be created, or was, where each of two hosts has a store; a seal in front of it would
    /// not keep it out. Without a witness it is created in the cell's store; with one in that of the host which the writer is
    /// not on, and the number goes once it is there. 0: there is none.
    public var copyAt: UInt64 = 0
    /// Who may claim, ascending; with the holder, unless an operator has let it claim and it has not opened yet.
    public var eligible: [NodeID]
    /// Where the holder answers, for hints and promises.
    public var url: String
    /// What a later version of this program has added: it is carried along.
    public var other: [String: JSONValue] = [:]
    /// The writer's clock; only tests that leave a rule out set and look at it.
    package var writtenAt: Duration?

    /// Creates a body.
    public init(
        cluster: ClusterID,
        epoch: Epoch,
        session: SessionID,
        node: NodeID,
        name: String,
        state: State,
        successor: NodeID? = nil,
        counter: UInt64,
        nonce: Nonce,
        ttl: Duration,
        head: ChainPoint,
        begin: UInt64,
        continues: Continuation? = nil,
        origin: Origin? = nil,
        eligible: [NodeID],
        url: String
    ) {
        (self.cluster, self.epoch, self.session, self.node, self.name) = (cluster, epoch, session, node, name)
        (self.state, self.successor, self.counter, self.nonce) = (state, successor, counter, nonce)
        (self.ttl, self.head, self.begin, self.continues) = (ttl, head, begin, continues)
        (self.origin, self.eligible, self.url) = (origin, eligible, url)
    }
}

extension Lease {
    /// The places of a history of which a database is known to hold everything.
    public struct Continuation: Hashable, Sendable {
        /// Where that history had begun, or begun anew, before. Of what lay earlier still nothing is known.
        public var since: UInt64
        /// The newest transaction that the database is proven to hold; a lower one than ``since`` where there is none.
        public var through: UInt64

        /// Takes the places.
        public init(since: UInt64, through: UInt64) { (self.since, self.through) = (since, through) }

        /// No place: after a store went back in time one number may stand for two transactions, and a tail is kept of all
        /// that other nodes hold.
        static let nothing = Continuation(since: 1, through: 0)

        /// Whether all that a database at this place holds is in the other one.
        func holds(_ point: ChainPoint) -> Bool { since <= point.number && point.number <= through }
    }

    /// The transaction behind which the chain began anew; `nil` where it never did.
    var beganAnew: TransactionID? { continues == nil ? nil : TransactionID(exactly: begin) }
}

/// 128 random bits, written as 32 hexadecimal digits.
public struct Nonce: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    /// Takes the bits.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// Reads 32 hexadecimal digits; `nil` for anything else.
    public init?(_ text: String) {
        guard let high = SessionID(String(text.prefix(16))), let low = SessionID(String(text.dropFirst(16))) else {
            return nil
        }
        self.init(high: high.rawValue, low: low.rawValue)
    }

    public var description: String { "\(SessionID(rawValue: high))\(SessionID(rawValue: low))" }
}

/// A version of the lease at the store, for a compare-and-swap. Opaque.
public struct LeaseVersion: Hashable, Sendable {
    /// The store's own text.
    public let rawValue: String

    /// Takes the store's own text.
    public init(rawValue: String) { self.rawValue = rawValue }
}
