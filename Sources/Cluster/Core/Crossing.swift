/// What a node knows of the two stores, where each host has its own (failover-review G).
struct Crossing: Sendable {
    /// What is asked of the peer's store, or of the database for it; one thing at a time.
    struct Request: Sendable {
        enum Kind: Hashable, Sendable {
            /// Whether it still holds what it has accepted (G6).
            case check
            /// Where its whole copy can lie.
            case place
            case copy
            case record
            case publish
        }

        let ticket: Ticket
        let kind: Kind
    }

    /// How far the peer is on its way back to the list.
    enum Widening: Hashable, Sendable {
        /// What is committed is being captured: that much nobody may take over without.
        case capturing
        /// The peer's store must accept everything through this transaction.
        case shipping(through: UInt64)
        /// The next renewal puts it on the list.
        case ready
    }

    /// The store that is read, sealed and shipped to.
    var site = ChainSite.own
    /// Where the chain's next file did not fit the database, which was looked at since.
    var unfitAt: UInt64?

    // A claimant.
    /// Whether the store is known to hold the place where this node stands.
    var isProven = false
    /// Whether the peer's store needs a whole copy before anything else.
    var needsCopy = false
    /// Whether the database is on no record, and goes on as it is, or not at all.
    var isOffChain = false
    /// Whether it goes on with this database by an operator's word, whatever that lacks; and whether it had to.
    var acceptsLoss = false
    var hasLeftBehind = false

    // A primary.
    /// Whether the peer's store holds the whole history, and keeps older writers out of it.
    var isSettled = false
    /// The whole copy that is to settle it.
    var copy: FileMark?
    /// Whether the epoch's record tells of it.
    var isRecorded = false
    var request: Request?
    /// When to do the next thing.
    var next: Moment
    /// When the store was last known to hold what it has accepted.
    var checked: Moment
    /// A request has failed: it must be known again before anything is created.
    var mustCheck = false
    /// Since when the store does not answer.
    var failingSince: Moment?
    /// Whether whoever takes over by itself must hold all that is committed: nobody else may.
    var isNarrow = false
    var widening: Widening?
    /// What captures all that is committed, for that, and when it was asked for last.
    var capturing: (ticket: Ticket, asked: Moment)?
    /// The peer's store has lost what it had: nobody else may stay on the list.
    var hasLost = false

    init(site: ChainSite = .own, next: Moment) { (self.site, self.next, checked) = (site, next, next) }
}
