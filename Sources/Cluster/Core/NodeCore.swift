/// What a node of a cluster decides: `(state, event, now) → (state, [action])`, without a clock, a disk or a network.
///
/// The rules and their names (N1 to N17) are those of `design/failover-review.md`. A driver carries the actions out, one
/// after the other, and tells what came of them; the simulator of the tests drives the very same value. Nothing in here
/// relies on a request being answered, on an answer being prompt, or on the clocks of two nodes agreeing.
public struct NodeCore: Sendable {
    /// How this node takes part.
    public let settings: NodeSettings
    /// Rules that are left out; only tests set them.
    let leftOut: Set<ProtocolRule>

    /// What the node is doing.
    public internal(set) var role: Role = .joining
    /// This life of the node.
    public internal(set) var session: SessionID
    /// What must survive a restart.
    public internal(set) var memory: NodeMemory
    /// Until when the application may commit.
    public internal(set) var gate = WriteGate()
    /// The place that the store has accepted, or that was applied from it.
    public internal(set) var position: ChainPoint = .start
    /// The epoch of the file that leads there, where it is known.
    public internal(set) var positionEpoch: Epoch = .zero
    /// Why the node halted.
    public internal(set) var haltReason: String?
    /// Behind what the chain had begun by then; `nil` where the node saw no lease of its cluster.
    var haltedBehind: UInt64?
    /// Whether no lease mends what it halted for: of two stores one may not be the one it is taken for, and what a cell says
    /// does not tell.
    var isBroken = false

    var now: Moment
    var actions: [NodeAction] = []
    var random: NodeRandom
    var ticketCount: UInt64 = 0

    // The lease.
    var watch = LeaseWatch()
    var hold: LeaseHold?
    /// The request under way, a read or a swap; one at a time.
    var leaseRequest: Ticket?
    /// A swap whose outcome is not known yet.
    var swap: PendingSwap?
    /// When to look at the lease, or to find out about a swap.
    var nextLook: Moment
    /// The highest epoch that was ever read.
    var highestEpoch: Epoch = .zero
    var claims = ClaimHistory()

    // The chain.
    /// What is being done about the chain or the database; one thing at a time.
    var step: Step?
    /// When to do the next thing about them.
    var nextStep: Moment
    /// Own transactions behind `position` that no store is known to hold, and the database does.
    var ahead: [FileMark] = []
    /// How long the last wait was before the chain was tried again that could not be restored.
    var rewindPause: Duration = .zero

    /// The stores of two hosts.
    var crossing: Crossing
    /// Where a database stands that is on no record, while it is kept aside; only without a witness.
    var strayed: (recorded: ChainPoint, point: ChainPoint)?
    /// The cells of two hosts that have no witness.
    var pair: Pairing

    // Writing.
    var spool: [FileMark] = []
    var uploads: [Upload] = []
    var nextUpload: Moment
    var drain: Drain?
    /// Whether SQLite's write lock is held for this node: always, unless it may write.
    var isLocked = false

    var members: Members
    /// Since when this session writes.
    var opened: Moment?

    // Promises.
    /// The session that this node has promised not to take over from, and until when.
    var promise: (session: SessionID, end: Moment)?
    var asking: PromiseRound?
    /// Since when all others have promised: the moment of asking.
    var promised: Moment?

    /// Creates a node that starts.
    ///
    /// - Parameters:
    ///   - settings: How it takes part.
    ///   - memory: What it knows from before.
    ///   - newestEpoch: The newest epoch of which its database holds something: a lease of an older one shows that the
    ///     store went back in time.
    ///   - seed: Where its random numbers begin; never the same twice for one node.
    ///   - now: The present moment.
    public init(
        _ settings: NodeSettings,
        memory: NodeMemory,
        newestEpoch: Epoch = .zero,
        seed: UInt64,
        now: Moment
    ) {
        self.init(settings, memory: memory, seed: seed, now: now, leavingOut: [])
        highestEpoch = max(highestEpoch, newestEpoch)
    }

    package init(
        _ settings: NodeSettings,
        memory: NodeMemory,
        seed: UInt64,
        now: Moment,
        leavingOut leftOut: Set<ProtocolRule>
    ) {
        (self.settings, self.memory, self.leftOut, self.now) = (settings, memory, leftOut, now)
        random = NodeRandom(seed: seed)
        session = SessionID(rawValue: random.next())
        (nextLook, nextStep, nextUpload) = (now, now, now)
        members = Members(nextLook: now, nextRecord: now)
        crossing = Crossing(next: now)
        pair = Pairing(next: now)
        highestEpoch = memory.won
        if let promise = memory.promise {
            self.promise = (promise.session, promise.end(boot: settings.boot, now: now))
        }
    }

    /// Learns something, at `now`. Returns what is to be done.
    public mutating func handle(_ event: NodeEvent, at now: Moment) -> [NodeAction] {
        self.now = max(self.now, now)
        if role == .halted {
            waitForRepair(event)
        } else {
            take(event)
            advance()
        }
        defer { actions = [] }
        return actions
    }

    private mutating func take(_ event: NodeEvent) {
        switch event {
        case .tick: break
        case .leaseRead(let ticket, let reading): leaseRead(ticket, reading)
        case .leaseSwapped(let ticket, let answer): leaseSwapped(ticket, answer)
        case .cellRead(let ticket, let site, let reading): cellRead(ticket, site, reading)
        case .cellSwapped(let ticket, let site, let answer): cellSwapped(ticket, site, answer)
        case .surveyed(let ticket, let survey): surveyed(ticket, survey)
        case .copied(let ticket, let mark): copied(ticket, mark)
        case .published(let ticket, let isDone): published(ticket, isDone)
        case .capturedAll(let ticket): capturedAll(ticket)
        case .examined(let ticket, let finding): if ends(ticket) { examined(finding) }
        case .fetched(let ticket, let answer): fetched(ticket, answer)
        case .applied(let ticket, let answer): applied(ticket, answer)
        case .verified(let ticket, let checksum): if ends(ticket) { verified(checksum) }
        case .created(let ticket, let answer): created(ticket, answer)
        case .recorded(let ticket, let answer):
            if ends(ticket) { recorded(answer) } else { copyRecorded(ticket, answer) }
        case .quarantined(let ticket): if ends(ticket) { strayed == nil ? rewind() : standAstray() }
        case .rewound(let ticket, let end): if ends(ticket) { rewound(end) }
        case .captured(let mark): captured(mark)
        case .writesEnded(let ticket): writesEnded(ticket)
        case .broken(let why):
            halt(why)
            isBroken = isCrossed
        case .promiseAsked(let request): promiseAsked(request)
        case .promiseAnswered(let ticket, let node, let granted): promiseAnswered(ticket, node, granted)
        case .hint:
            // A holder looks who is there, the others whether the lease is free.
            if role.isHolding { members.nextLook = now } else { nextLook = now }
            (pair.own.next, pair.peer.next) = (now, now)
        case .nodeRecordsRead(let ticket, let records): membersRead(ticket, records)
        case .retentionDue: pair.wantsHead = isPaired
        case .peerHealth(let isGood): pair.isPeerUnhealthy = !isGood
        case .command(let command): obey(command)
        }
    }

    /// Does what is due.
    private mutating func advance() {
        guard role != .halted else { return }
        advanceDrain()
        advanceLease()
        advanceChain()
        advanceCrossing()
        advanceUploads()
        advancePromises()
        advanceMembers()
        advanceGate()
    }

    // MARK: - Small things

    mutating func newTicket() -> Ticket {
        ticketCount += 1
        return Ticket(rawValue: ticketCount)
    }

    func isLeftOut(_ rule: ProtocolRule) -> Bool { leftOut.contains(rule) }

    mutating func become(_ new: Role) {
        guard new != role else { return }
        role = new
        actions.append(.roleChanged(new))
    }

    /// Ends this session: what it has under way stays under way, and is nobody's any more.
    mutating func fence(_ why: String) {
        actions.append(.fence(why))
        isLocked = true
        session = SessionID(rawValue: random.next())
        (hold, swap, leaseRequest, drain, asking, promised) = (nil, nil, nil, nil, nil, nil)
        (spool, uploads, opened, members.request) = ([], [], nil, nil)
        crossing = Crossing(site: crossing.site, next: now)
        pair.endSession(at: now)
        gate = WriteGate()
        nextLook = now
        rejoin()
    }

    /// Looks at the database anew.
    mutating func rejoin() {
        (step, ahead, strayed) = (nil, [], nil)
        nextStep = now
        become(.joining)
    }
}

/// The node's random numbers: sessions and nonces. SplitMix64, so that a run can be repeated from its seed.
struct NodeRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
