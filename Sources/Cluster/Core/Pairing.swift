/// What a node knows of the two cells, and how far it has come with a right, where two hosts have no witness
/// (failover-review W).
struct Pairing: Sendable {
    /// A cell as it was read last.
    struct Cell: Sendable {
        var seen: (lease: Lease, version: LeaseVersion)?
        /// Whether the last request went unanswered.
        var isAway = false
        /// The request under way, a read or a swap; one at a time.
        var request: Ticket?
        /// When to read it.
        var next: Moment
        /// The version of the own cell when this one was asked last, and when it is asked now.
        var asked: LeaseVersion?
        var asking: LeaseVersion?
    }

    /// Where the right of this session lies (W2).
    enum Place: Hashable, Sendable {
        /// In the cell of this host's store.
        case own
        /// There still; the peer's cell is held by it too.
        case both
        /// In the cell of the peer's store; the own one is moved.
        case peer
    }

    /// A claimant's reading of the stores (W4 b).
    struct Reading: Sendable {
        var surveys: [ChainSite: StoreSurvey] = [:]
        /// Those still to be read, in this order; `nil` before all were looked at.
        var sites: [ChainSite]?
        /// Whether the first of them is being followed.
        var isFollowing = false
        /// Those whose chain the database stands at the end of.
        var followed: Set<ChainSite> = []
        /// The newest file that was met on each.
        var ends: [ChainSite: FileMark] = [:]
        /// Where the database stood before the seals that were passed over in the peer's store.
        var beforeSeals: ChainPoint?
        /// Those with a file that does not fit the database: it stands before a whole copy of another history.
        var unfit: Set<ChainSite> = []
        /// Whether each leads to the place on record, where a power cut took the database back behind that.
        var isRecordedOn: [ChainSite: Bool] = [:]
    }

    var own: Cell
    var peer: Cell
    var swap: CellSwap?

    // A session with a right.
    var place = Place.own
    var reading = Reading()
    /// Behind what the seal goes, and where; a database may be ahead of it.
    var sealBehind = ChainPoint.start
    /// Whether the seal holds all pages, because a copy of the peer's may still land behind any other one.
    var isSealWhole = false
    /// Whether the seal stands in the peer's store, so that nothing else has to settle it.
    var isSealedAtPeer = false
    /// Retention waits for the head in the cell.
    var wantsHead = false

    // A node without one.
    /// The place on record of a database that stands at none, after a power cut; what it held was kept aside.
    var strayedFrom: ChainPoint?
    /// The places on record behind which a power cut took the database, that of the last one at the end.
    var wentBackOver: [ChainPoint] = []
    /// A claimant has seen that this database must first go back to this host's store.
    var mustGoBack = false
    /// When this host's store was looked at last, and what it then had.
    var surveyed: Moment?
    var ownSurvey: StoreSurvey?
    /// Whether the peer's process has failed its health checks.
    var isPeerUnhealthy = false
    /// An operator's answers, and until when they count.
    var word: (confirmed: Set<PairQuestion>, end: Moment)?

    init(next: Moment) { (own, peer) = (Cell(next: next), Cell(next: next)) }

    subscript(site: ChainSite) -> Cell {
        get { site == .own ? own : peer }
        set { if site == .own { own = newValue } else { peer = newValue } }
    }

    /// What the session had is nobody's any more.
    mutating func endSession(at now: Moment) {
        (swap, place, reading, isSealedAtPeer, wantsHead) = (nil, .own, Reading(), false, false)
        for site in [ChainSite.own, .peer] { (self[site].request, self[site].next) = (nil, now) }
        (surveyed, ownSurvey) = (nil, nil)
    }
}

/// A swap of a cell that was sent, and whose outcome is not known yet.
struct CellSwap: Sendable {
    enum Purpose: Sendable {
        case claim(EpochRecord.Cause)
        /// The peer's cell gets the right that the own one has (W4 d).
        case takePeer
        /// The own cell gives none any more (W4 e).
        case moveOwn
        /// The peer's cell gets the head, before anything is deleted there (W1).
        case head
        /// The peer's cell tells where the whole copy will lie, before that is sent.
        case copy
        case release
    }

    let site: ChainSite
    let body: Lease
    let condition: LeaseVersion
    let purpose: Purpose
    let firstSent: Moment
}
