import LTX
import Logging
import NIOCore
import ObjectStorage
import Replication
import Synchronization
import SystemPackage

/// Feeds a ``NodeCore`` with what happens, and carries out what it decides.
///
/// One event at a time goes in; its actions are begun in their order. What has a ticket runs beside, and comes back as an
/// event; everything else is done before the next action begins.
actor NodeDriver {
    let configuration: NodeConfiguration
    let places: NodePlaces
    /// The lease, once it is known of which cluster.
    var leases: LeaseStore
    let peers: any PeerMessaging
    let logger: Logger
    let gate: WriteGateControl
    let database: NodeDatabase
    let notifier = ChangeNotifier()
    nonisolated let inbox = NodeInbox()
    nonisolated let roles = RoleBroadcast()
    nonisolated let isShuttingDown = Atomic(false)
    nonisolated let programs = GuardedPrograms()
    /// Who waits until a standby has applied a transaction.
    nonisolated let applied = TransactionWaiters()

    var core: NodeCore?
    var identity: NodeIdentity?
    /// The node's own file, once its metadata folder is known: what is promised must not wait for the database's turn.
    var memoryFile: NodeMemoryFile?
    /// Keeps other processes from being this node.
    var processLock: EngineLock?
    /// The chains in the places of this node, once its metadata folder is known.
    var chains: NodeChains?
    /// Which of them is followed, sealed and shipped to.
    var site = ChainSite.own
    var primary: PrimaryEngine?
    /// Engines of epochs that are over, which let go of the database before it is looked at anew.
    var closing: [PrimaryEngine] = []
    /// What was fetched last: the file that may be applied.
    var fetched: DecodedTransaction?
    /// What is fetched before the core asks for it.
    var ahead = ReadAhead()
    /// The last place in common with the chain, while the database goes back to it; `nil` where it is not known.
    var fork: ChainPoint?
    var stored: [UInt64: ReplicaFile] = [:]
    var records: [NodeID: NodeRecord] = [:]
    var recordBook = RecordBook()
    var promises: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    var promiseCount: UInt64 = 0
    var wantsFlush = false
    var isFlushing = false
    /// Why the cell in a store cannot be had, where two hosts have no witness.
    var cellErrors: [ChainSite: String] = [:]
    /// When the head is to be in the cell again, for retention.
    var nextHead = NodeClock.now
    /// Stores that did not answer when the node started.
    var unseenStores: Set<ChainSite> = []
    /// Why the database cannot begin a cluster.
    var beginningError: (any Error)?
    /// Up to where the peer's store is known to have held everything, in this epoch; 0: nothing is known.
    var checkedThrough: UInt64 = 0
    /// How many whole copies in a row could not be made.
    var failedCopies = 0
    /// Whether the core was told to end.
    var isToEnd = false
    var hasEnded = false
    /// What the node waits for before it takes part; `nil` once it does.
    var waitingFor: String? = "It has not started yet."
    /// Whether the store can hold a lease, once that was found out.
    var verdict: StoreProbe.Verdict?
    /// Set where the node follows a replica whose store cannot hold a lease.
    var following: FollowedPlace?
    var storeError: String?
    var chainTrouble: ChainTrouble?
    var lastAlarm: String?
    var behindSince: Moment?
    var openTails = 0
    /// Whether this node has had a tail, so that the store is asked about it.
    var hasTails = false
    /// Whether the write lock was taken for a hand-over.
    var drainIsLocked = false

    /// Why transactions do not come from the chain, or do not get there.
    struct ChainTrouble: Hashable {
        var words: String
        /// Whether the node cannot do what its role demands, even once the store answers.
        var isBlocking = false
    }

    /// What becomes of this node's own record.
    struct RecordBook {
        /// That of the last turn; `nil` before the first one.
        var stamp: UInt64?
        /// The role that was written last.
        var role: Role?
        var isDue = false
        var isWriting = false
    }

    init(
        _ configuration: NodeConfiguration,
        _ places: NodePlaces,
        peers: any PeerMessaging,
        gate: WriteGateControl,
        logger: Logger
    ) {
        (self.configuration, self.places, self.peers, self.gate) = (configuration, places, peers, gate)
        leases = LeaseStore(places.own.leases, layout: places.own.layout)
        var logger = logger
        logger[metadataKey: "node"] = "\(configuration.name)"
        self.logger = logger
        database = NodeDatabase(configuration.database, logger: logger)
    }

    /// The place that all nodes share, or the one on this host.
    var own: ClusterPlace { places.own }
    /// The chain that is followed, sealed and shipped to; `nil` before the metadata folder is known.
    var chain: ChainStore? { chains?[site] }

    /// Asks the node to hand over and end.
    nonisolated func shutDown() {
        isShuttingDown.store(true, ordering: .sequentiallyConsistent)
        inbox.post(.command(.shutDown))
    }

    /// Takes part until it is shut down, or the task is cancelled.
    func run() async throws {
        defer { roles.finish() }
        try await prepare()
        guard core != nil else { return await finish() }
        waitingFor = nil
        await withDiscardingTaskGroup { group in
            inbox.post(.tick)
            while !hasEnded, !Task.isCancelled {
                await turn(&group)
                if !hasEnded { await inbox.wait(until: core?.nextWake) }
            }
            // Nothing commits any more, whatever is still under way.
            gate.set(WriteGate())
            primary?.end()
            group.cancelAll()
        }
        await finish()
    }

    private func finish() async {
        gate.set(WriteGate())
        hasEnded = true
        if !Task.isCancelled { await writeLastRecord() }
        if let primary { closing.append(primary) }
        primary = nil
        await closeEngines()
        await discard(ahead.drop() + [fetched].compactMap(\.self))
        fetched = nil
        await database.close()
        for continuation in promises.values { continuation.resume(returning: false) }
        promises = [:]
        processLock = nil
    }

    /// Takes in what has come, and does what is due.
    private func turn(_ group: inout DiscardingTaskGroup) async {
        // First the events, then the files: a file that was closed before an event was told goes in before it.
        let events = inbox.take()
        for mark in primary?.collect() ?? [] { await handle(.captured(mark), &group) }
        if let why = primary?.lost {
            // What nobody captures nobody may commit: another node takes over.
            await handle(.broken(why), &group)
        }
        if events.isEmpty { await handle(.tick, &group) }
        for event in events {
            await handle(event, &group)
            switch event {
            case .command(.shutDown): isToEnd = true
            // A node that has halted answers nothing: who asks must not wait for it.
            case .promiseAsked(let request): promises.removeValue(forKey: request.reference)?.resume(returning: false)
            // The core knows of the copy now: what was closed behind it may follow.
            case .copied:
                primary?.collectBehindCopy()
                inbox.wake()
            default: break
            }
        }
        if isToEnd, let role = core?.role, role != .draining, !hasEnded {
            // What was on its way out was fenced, or has halted: it ends all the same.
            await handle(.command(.shutDown), &group)
        }
        let now = NodeClock.now
        primary?.setHeldBack(core?.isUnsettled ?? true)
        primary?.setLicence(below: core?.deletableBelow(at: now) ?? 0)
        if let id = core?.position.transaction { applied.stand(at: id) }
        noteLag(now)
        askForHead(at: now)
        if let primary { await primary.resumeIfNeeded() }
        flushIfWanted(&group)
    }

    private func handle(_ event: NodeEvent, _ group: inout DiscardingTaskGroup) async {
        guard let actions = core?.handle(event, at: NodeClock.now) else { return }
        narrowGate(actions)
        for action in actions {
            guard await perform(action, &group) else { return }
        }
    }

    /// Closes the gate earlier before anything else is begun: a lease that lets somebody else in must not be on its way
    /// while programs, or this process where it is stopped in between, may still write for longer.
    private func narrowGate(_ actions: [NodeAction]) {
        let last = actions.last { if case .gate = $0 { true } else { false } }
        guard case .gate(let new)? = last else { return }
        gate.narrow(to: new)
        programs.gateMoved()
    }

    /// Ships what is committed at once, where somebody asked for it and nothing is under way.
    private func flushIfWanted(_ group: inout DiscardingTaskGroup) {
        guard wantsFlush, !isFlushing, let primary, let core, core.role == .primary, core.isShipped else { return }
        (wantsFlush, isFlushing) = (false, true)
        let engine = primary.engine
        group.addTask {
            // What cannot be captured now is captured by the engine's own turn; who waits goes on waiting.
            _ = try? await engine.flush()
            await self.flushEnded()
        }
    }

    private func flushEnded() {
        isFlushing = false
        inbox.wake()
    }

    /// A commit is to be replicated at once.
    func requestFlush() {
        wantsFlush = true
        inbox.wake()
    }

    private func noteLag(_ now: Moment) {
        guard let core, core.role == .standby, let head = core.leaseView(at: now)?.head,
            head.number > core.position.number
        else {
            behindSince = nil
            return
        }
        behindSince = behindSince ?? now
    }

    /// Lets the engines of earlier epochs capture what is committed, and close.
    func closeEngines() async {
        let engines = closing
        closing = []
        for engine in engines { await engine.close() }
    }
}
