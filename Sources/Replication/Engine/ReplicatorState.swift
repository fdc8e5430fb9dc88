import LTX
import Logging
import Synchronization

/// What a replicator's parts tell each other, and what it logs.
final class ReplicatorState: Sendable {
    private struct Values {
        var shutdownBegan: ContinuousClock.Instant?
        var wasAttached = false
        var hasCaptureEnded = false
        var isWhole = true
        var isWaiting = false
        var captureError: String?
        var shipError: String?
        var progress = BacklogProgress(at: .now)
    }

    private let values = Mutex(Values())
    private let logger: Logger
    /// Wakes those who wait for a copy to end or a database to be attached.
    let changes = ChangeBroadcast()

    init(logger: Logger) { self.logger = logger }

    var isShuttingDown: Bool { shutdownBegan != nil }
    var shutdownBegan: ContinuousClock.Instant? { values.withLock(\.shutdownBegan) }
    var wasAttached: Bool { values.withLock(\.wasAttached) }
    var hasCaptureEnded: Bool { values.withLock(\.hasCaptureEnded) }

    func beginShutdown() { values.withLock { $0.shutdownBegan = $0.shutdownBegan ?? .now } }

    /// Whether everything that was committed was captured when capture ended.
    var isWhole: Bool { values.withLock(\.isWhole) }

    func captureEnded(isWhole: Bool) {
        values.withLock { ($0.hasCaptureEnded, $0.isWhole) = (true, isWhole) }
        changes.signal()
    }

    func attached() {
        values.withLock { ($0.isWaiting, $0.captureError, $0.wasAttached) = (false, nil, true) }
        logger.debug("Attached")
        changes.signal()
    }

    func waiting(for error: CaptureError) {
        let isNew = values.withLock { values in
            defer { (values.isWaiting, values.captureError) = (true, error.message) }
            return values.captureError != error.message
        }
        if isNew { logger.info("Waiting for the database", metadata: ["reason": "\(error.message)"]) }
    }

    func note(_ event: CaptureEvent) {
        switch event {
        case .continued(let proof, _): logger.info("Continuing", metadata: ["proof": "\(proof)"])
        case .copyBegan(let kind, let cause, let isUnexpected):
            let metadata: Logger.Metadata = ["kind": "\(kind.rawValue)", "reason": "\(cause)"]
            if isUnexpected {
                logger.warning("Continuity was lost while attached", metadata: metadata)
            } else {
                logger.info("Reading the database", metadata: metadata)
            }
        case .copyEnded(let kind, let transaction, let pages):
            let id = transaction.map { "\(TransactionID(rawValue: $0))" } ?? "none"
            logger.info(
                "The database was read",
                metadata: ["kind": "\(kind.rawValue)", "txid": "\(id)", "pages": "\(pages)"]
            )
            changes.signal()
        case .closed(let transaction, let byteCount):
            values.withLock { $0.progress.closed(transaction, at: .now) }
            logger.debug(
                "Transaction file closed",
                metadata: ["txid": "\(TransactionID(rawValue: transaction))", "bytes": "\(byteCount)"]
            )
            changes.signal()
        case .rotated(let hold): logger.trace("WAL rotated", metadata: ["hold": "\(hold)"])
        case .rotationPostponed(let frames, let hold):
            logger.debug("WAL rotation postponed", metadata: ["frames": "\(frames)", "hold": "\(hold)"])
        case .logIsLong(let frames):
            logger.warning(
                "The write-ahead log is long: a transaction that stays open keeps it from being checkpointed",
                metadata: ["frames": "\(frames)"]
            )
        case .fileReplaced: logger.error("The database file was replaced while attached")
        case .failed(let text):
            values.withLock { $0.captureError = text }
            logger.error("Capture failed, trying again", metadata: ["error": "\(text)"])
        case .stopped(let text):
            values.withLock { $0.captureError = text }
            logger.critical("Capture has ended", metadata: ["error": "\(text)"])
        case .recovered:
            values.withLock { $0.captureError = nil }
            logger.info("Capture recovered")
        case .spoolFull: logger.error("The spool is full: capture is suspended until the store takes files again")
        case .switchedToWAL: logger.info("The database was switched to WAL mode")
        case .sqliteVersionWarning(let version): SQLiteVersionWarning.log(version, logger)
        }
    }

    func note(_ event: Shipper.Event) {
        switch event {
        case .historyChanged(let cause, let detail):
            logger.warning(
                "The replica does not continue into this database: a whole copy begins a new history",
                metadata: ["reason": "\(cause)", "detail": "\(detail)"]
            )
        case .shipped(let id, let byteCount):
            values.withLock { values in
                values.shipError = nil
                values.progress.shipped(id.rawValue, at: .now)
            }
            logger.debug("Shipped", metadata: ["txid": "\(id)", "bytes": "\(byteCount)"])
        case .failed(let error):
            values.withLock { $0.shipError = "\(error)" }
            logger.error("Shipping failed, trying again", metadata: ["error": "\(error)"])
        case .recovered:
            values.withLock { $0.shipError = nil }
            logger.info("Shipping recovered")
        case .storeIgnoresConditions:
            logger.warning("The store overwrites objects that it should refuse: a second writer is found by listing")
        case .secondWriter(let words):
            values.withLock { $0.shipError = words }
            logger.critical("Second writer", metadata: ["error": "\(words)"])
        }
    }

    func status(engine: CaptureEngine.Status, accepted: TransactionID?, isHalted: Bool) -> ReplicationStatus {
        values.withLock { values in
            let phase: ReplicationStatus.Phase =
                if isHalted { .halted } else {
                    switch engine.phase {
                    case .attached: engine.isCopying ? .copying : .attached
                    case .suspended: .suspended
                    case .detached: .waiting
                    }
                }
            let error = values.shipError ?? values.captureError
            let isDone = engine.transaction == accepted
            let moves = values.progress.moves(at: .now)
            return ReplicationStatus(
                phase: phase,
                transaction: engine.transaction,
                replicated: accepted,
                hasOpenCapture: engine.hasOpenCapture,
                spooledByteCount: engine.spooledByteCount,
                lastError: error,
                isHealthy: (phase == .attached || phase == .copying) && (error == nil || moves) && (isDone || moves)
            )
        }
    }
}

/// One warning a process about a version of SQLite with the WAL-reset bug.
private enum SQLiteVersionWarning {
    private static let isLogged = Atomic(false)

    static func log(_ version: String, _ logger: Logger) {
        guard !isLogged.exchange(true, ordering: .relaxed) else { return }
        logger.notice(
            "This SQLite has the WAL-reset bug (repaired in 3.51.3, 3.50.7 and 3.44.6): avoid checkpoints of your own",
            metadata: ["sqlite.version": "\(version)"]
        )
    }
}

/// Wakes all tasks that wait at the moment of a signal.
final class ChangeBroadcast: Sendable {
    private let waiting = Mutex<[Int: Wakeup]>([:])
    private let next = Atomic(0)

    func signal() {
        for wakeup in waiting.withLock({ Array($0.values) }) { wakeup.signal() }
    }

    /// Waits for the next signal, at most a second: what was looked at before may have changed before the wait began.
    func wait() async throws {
        let key = next.add(1, ordering: .relaxed).newValue
        let wakeup = Wakeup()
        waiting.withLock { $0[key] = wakeup }
        defer { waiting.withLock { $0[key] = nil } }
        await wakeup.wait(atMost: .milliseconds(100))
        try Task.checkCancellation()
    }
}
