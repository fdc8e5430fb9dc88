import LTX
import Logging
import ObjectStorage
import Replication
import Synchronization
import SystemPackage

/// What captures, merges and drops while a node writes: for one epoch.
final class PrimaryEngine: ReplicaBooks {
    /// The epoch.
    let epoch: Epoch
    let engine: CaptureEngine
    let chain: ChainStore
    let settings: DatabaseSettings
    let logger: Logger
    let shared: Shared
    let signal = MaintenanceSignal()
    let isEnding = Atomic(false)
    /// Who waits until the store has accepted a transaction.
    let waiters = TransactionWaiters()

    struct State {
        var collected: UInt64
        var accepted: TransactionID?
        var listing = ReplicaListing()
        var pending: [UInt64: LocalTransaction] = [:]
        /// Files that were there when it attached, and were not collected yet.
        var found: [UInt64: LocalTransaction] = [:]
        var licence: UInt64 = 0
        var contested: [ClosedRange<TransactionID>]?
        var failure: String?
        var unshippedSince: ContinuousClock.Instant?
        /// Whether capture is suspended, until the store has taken what waits.
        var isSuspended = false
        /// Why nothing is captured any more, nor ever will be.
        var lost: String?
        /// The transaction behind which merging begins; `nil`: at the first one.
        var beginning: TransactionID?
        /// Whether nothing may be merged or dropped yet: the store does not hold the whole history.
        var isUnsettled = false
        /// Whether the node says so, which knows of a loss before there is a copy.
        var isHeldBack = false
        /// Whether a whole copy is being made: what is closed meanwhile is collected behind it.
        var isCopying = false
        /// The whole copy with which the history goes on in this store, until it lies there as a snapshot too.
        var copy: LocalTransaction?
    }

    /// Prepares an engine that goes on behind the seal.
    ///
    /// - Parameters:
    ///   - seal: The place of the seal.
    ///   - beginning: The transaction behind which the chain began anew; `nil` where it never did.
    ///   - isUnsettled: Whether the store is to get a whole copy first (failover-review G3): nothing is merged before.
    ///   - onClosed: Called on a thread of the engine when a transaction file is durable, or capture needs care.
    init(
        _ settings: DatabaseSettings,
        node: NodeID,
        epoch: Epoch,
        seal: ChainPoint,
        beginning: TransactionID?,
        isUnsettled: Bool = false,
        chain: ChainStore,
        notifier: ChangeNotifier?,
        logger: Logger,
        onClosed: @escaping @Sendable () -> Void
    ) {
        (self.settings, self.epoch, self.chain, self.logger) = (settings, epoch, chain, logger)
        var first = State(collected: seal.number, accepted: seal.transaction)
        (first.beginning, first.isUnsettled) = (beginning, isUnsettled)
        let state = Shared(first)
        shared = state
        var capture = settings.capture
        (capture.node, capture.epoch) = (node.rawValue, epoch.rawValue)
        engine = CaptureEngine(
            settings: capture,
            notifier: notifier,
            onEvent: { event in
                switch event {
                case .failed(let text): state.values.withLock { $0.failure = text }
                case .recovered: state.values.withLock { $0.failure = nil }
                case .spoolFull:
                    state.values.withLock { $0.isSuspended = true }
                    logger.error("The spool is full: capture is suspended until the store takes files again")
                case .fileReplaced:
                    let words = """
                        \(settings.database), its log or its index was replaced while this node wrote: what is written \
                        there now is in no store. Decide which file is right, put it there while nobody uses it, and start \
                        the node again; what only that file holds is kept as a tail then.
                        """
                    state.values.withLock { $0.lost = words }
                case .stopped(let text):
                    state.values.withLock { $0.lost = "Nothing is captured any more: \(text)" }
                case .copyBegan(let kind, let cause, let isUnexpected):
                    let metadata: Logger.Metadata = ["kind": "\(kind.rawValue)", "reason": "\(cause)"]
                    logger.log(
                        level: isUnexpected ? .warning : .info,
                        "Reading the database",
                        metadata: metadata
                    )
                case .continued(let proof, _): logger.debug("Continuing", metadata: ["proof": "\(proof)"])
                default: break
                }
                onClosed()
            },
            onClosed: onClosed
        )
        // Where the store does not hold the history yet, the seal lies on this host alone.
        if !isUnsettled { waiters.accept(seal.transaction ?? .first) }
    }

    /// Lets a closure reach the state before all of `self` is there.
    final class Shared: Sendable {
        let values: Mutex<State>
        init(_ state: State) { values = Mutex(state) }
    }

    /// Attaches to the database; capture goes on behind the newest local file.
    ///
    /// Local files behind the seal are shipped first: what the database held beyond it when it opened.
    func attach() async throws {
        try await engine.attach()
        let (accepted, collected) = shared.values.withLock { ($0.accepted, $0.collected) }
        await engine.storeIsKnown(shippedThrough: accepted)
        let (folder, ids) = (MetadataFolder.of(settings), try await engine.unshippedTransactions())
        let files = try await onDisk {
            try ids.filter { $0.rawValue > collected }.compactMap { try LocalTransaction(folder.transactionFile($0)) }
        }
        shared.values.withLock { state in
            for file in files where state.pending[file.state.number] == nil { state.found[file.state.number] = file }
        }
    }

    /// Waits until everything that is committed is in transaction files; nobody can commit any more.
    ///
    /// While the spool is full or a copy is under way, that takes its time. It ends early where this engine has ended, or
    /// has let go of the database for good.
    ///
    /// - Returns: Whether it is so.
    /// - Throws: `CancellationError`.
    func captureEverything() async throws -> Bool {
        while !isHalted {
            if (try? await engine.flush()) != nil { return true }
            let before = resumptions.load(ordering: .sequentiallyConsistent)
            let (isWaiting, phase) = (needsResume.load(ordering: .sequentiallyConsistent), await engine.phase)
            let isResuming =
                isWaiting || !before.isMultiple(of: 2) || isToResume.load(ordering: .sequentiallyConsistent)
            let after = resumptions.load(ordering: .sequentiallyConsistent)
            if phase == .detached, !isResuming, before == after { return false }
            try await Pause.sleep(for: .milliseconds(10))
        }
        return false
    }

    // MARK: - Files

    /// The transaction files that were closed since the last call, ascending.
    func collect() -> [FileMark] {
        var marks: [FileMark] = []
        guard shared.values.withLock({ !$0.isCopying }) else { return [] }
        while true {
            let next = shared.values.withLock { $0.collected + 1 }
            guard let id = TransactionID(exactly: next), let local = local(id) else { return marks }
            shared.values.withLock { state in
                state.collected = next
                state.pending[next] = local
                state.unshippedSince = state.unshippedSince ?? .now
            }
            marks.append(FileMark(local))
        }
    }

    private func local(_ id: TransactionID) -> LocalTransaction? {
        if let file = engine.closedFiles.file(id) {
            return LocalTransaction(file, at: MetadataFolder.of(settings).transactionFile(id))
        }
        return shared.values.withLock { $0.found.removeValue(forKey: id.rawValue) }
    }

    /// The local file of a transaction that waits to be shipped.
    func pending(_ mark: FileMark) -> LocalTransaction? { shared.values.withLock { $0.pending[mark.point.number] } }

    /// How many files wait.
    var unshippedCount: Int { shared.values.withLock { $0.pending.count } }

    /// For how long there has been something to ship.
    var lag: Duration { shared.values.withLock { $0.unshippedSince.map { .now - $0 } ?? .zero } }

    /// Why this engine captures nothing any more, nor ever will; `nil` while it may.
    var lost: String? { shared.values.withLock { $0.lost } }

    /// What capture fails at; `nil` where it does not.
    var failure: String? { shared.values.withLock { $0.failure } }

    /// The store has accepted everything up to a place.
    func accept(_ point: ChainPoint, _ stored: ReplicaFile?) {
        guard let id = point.transaction else { return }
        shared.values.withLock { state in
            state.accepted = id
            state.pending = state.pending.filter { $0.key > point.number }
            state.unshippedSince = state.pending.isEmpty ? nil : .now
            if let stored { state.listing.insert(stored) }
        }
        engine.noteShipped(through: id)
        waiters.accept(id)
        signal.signalIfIdle()
    }

    private let needsResume = Atomic(false)
    /// Whether attaching anew for a whole copy has begun and not succeeded.
    let isToResume = Atomic(false)
    /// Counts beginnings and ends of attaching anew: odd while that is under way.
    private let resumptions = Atomic(0)

    /// Goes on capturing where the spool was full and is not any more. Call it behind ``collect()``.
    func resumeIfNeeded() async {
        // By what is so, not by what happens: the last file may be accepted just before the spool is found full.
        let isDue = shared.values.withLock { state in
            guard state.isSuspended, state.pending.isEmpty, !state.isCopying else { return false }
            state.isSuspended = false
            return true
        }
        if isDue { needsResume.store(true, ordering: .sequentiallyConsistent) }
        guard needsResume.load(ordering: .sequentiallyConsistent) else { return }
        resumptions.add(1, ordering: .sequentiallyConsistent)
        defer { resumptions.add(1, ordering: .sequentiallyConsistent) }
        needsResume.store(false, ordering: .sequentiallyConsistent)
        await engine.resumeFromSuspension()
        do { try await attach() } catch {
            logger.error("Capture could not go on", metadata: ["error": "\(error)"])
            needsResume.store(true, ordering: .sequentiallyConsistent)
        }
    }

    // MARK: - The end

    /// Lets maintenance end; nothing more is merged or deleted.
    func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        signal.signal()
    }

    /// Captures what is committed, and lets go of the database. A whole copy that is still on its way is given up.
    ///
    /// Nobody can commit any more: the write lock is held by the caller.
    func close() async {
        end()
        var (tries, limit) = (0, 200)
        if await engine.phase == .suspended {
            // What was committed since the spool was full would be on no record, and the next start could not prove it.
            await engine.resumeFromSuspension()
            do {
                try await engine.attach()
                limit = 3000
            } catch {
                logger.error("What came since the spool was full is not captured", metadata: ["error": "\(error)"])
            }
        }
        // A copy under way holds more than what is left to be captured; it is given up after a while.
        while tries < limit, (try? await engine.flush()) == nil, await engine.phase == .attached {
            tries += 1
            try? await Pause.sleep(for: .milliseconds(10))  // cancelled: the loop ends soon
        }
        await engine.abandon()
        let copy = shared.values.withLock { $0.copy.take() }
        if let copy { try? await onDisk { try Disk.remove(copy.path) } }  // else the next start removes it
    }
}

extension EpochRecord {
    /// The transactions whose level-0 files are never deleted.
    var contestedTransactions: ClosedRange<TransactionID>? {
        guard let first = TransactionID(exactly: contested.lowerBound),
            let last = TransactionID(exactly: contested.upperBound)
        else { return nil }
        return first...last
    }
}
