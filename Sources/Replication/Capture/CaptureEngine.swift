import Dispatch
import LTX
import ObjectStorage
import SQLiteFormat
import Synchronization
import SystemPackage

/// Captures the committed pages of one database, without a gap, into transaction files in its metadata folder.
///
/// The protocol is capture-review E1 to E9 and H. All its steps run on the engine's own queue, where they may block;
/// none of them waits for long. It needs no store: what is captured waits in the local folder until it is shipped.
package actor CaptureEngine {
    /// What the engine is doing.
    package enum Phase: Sendable, Equatable {
        case detached
        case attached
        /// The spool is full: the reader has ended, a difference is due.
        case suspended
    }

    let executor: SerialQueueExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    let settings: CaptureSettings
    let onEvent: @Sendable (CaptureEvent) -> Void
    let onClosed: @Sendable () -> Void
    let notifier: ChangeNotifier?
    /// What waits to be shipped.
    package nonisolated let closedFiles = ClosedFiles()

    // What is attached.
    package internal(set) var phase = Phase.detached
    var folder: MetadataFolder
    var lock: EngineLock?
    var readers: [EngineConnection?] = [nil, nil]
    var current = 0
    var gate: EngineConnection?
    var checkpointer: EngineConnection?
    var walIndex: WALIndex?
    var wal: WALFile?
    var databaseIdentity: FileIdentity?
    var indexIdentity: FileIdentity?
    /// Locks of this process were lost: no checkpoint any more, since others may not be protected either.
    var locksAreLost = false
    /// Whether what a dead process left unfinished was removed.
    var hasSwept = false
    /// Whether capture goes on though the spool is full: the history is about to jump, and what waits is not shipped then.
    var isToJump = false
    /// Why this engine will not attach again.
    var stopped: CaptureError?
    var pageSize = PageSize.minimum
    var softLimit: UInt32 = 4000
    let buffer = ReadBuffer(byteCount: 256 << 10)
    var watches: [ChangeNotifier.Watch] = []
    var logWatch: ChangeNotifier.Watch?
    var isWatchingWAL = false

    // What is captured.
    var position = WALPosition.start(of: WALSalts(first: 0, second: 0))
    var databaseSize: UInt32 = 0
    var open: OpenCapture?
    /// The capture before it, while it is being made a file aside.
    var closing: ClosingCapture?
    var table: PageTable?
    var tableStamp: TransactionID?
    var lastTransaction: TransactionID?
    var lastFileChecksum: UInt64 = 0
    var copy: RunningCopy?
    var lastTimestamp = Timestamp(rawValue: 0)
    /// A copy that has to be made and has not begun, or did not succeed. Until it begins nothing is kept of what is
    /// captured, since the copy will hold it.
    var copyDue: CopyRequest?
    /// When a copy or the closing of a capture is tried again.
    var copyAfter: ContinuousClock.Instant?
    var closeAfter: ContinuousClock.Instant?
    /// When a capture was last closed.
    var closedAt: ContinuousClock.Instant
    var books = Books()
    var booksAfter: ContinuousClock.Instant?
    /// A copy that waits to be shipped; it does not count against the spool's bound.
    var unshippedCopy: (transaction: TransactionID, byteCount: Int64)?
    var isLogFolderSynced = false
    /// The place of the log in the newest file's record, and in what was written down beyond it.
    var recorded: (transaction: TransactionID, position: WALPosition)?
    var followed: (transaction: TransactionID, position: WALPosition)?
    /// The replica's newest file, while it is being found out whether the database is in its state.
    var adoptable: ReplicaHead?

    // What the protocol remembers between turns.
    var mayRestart = true
    var rotatedAt: WALPosition?
    var needsRestart = false
    var fenceSince: ContinuousClock.Instant?
    /// How far the log was backfilled, and since when it is that far.
    var backfill: (salts: WALSalts, frame: UInt32, since: ContinuousClock.Instant)?
    var noGateBefore: ContinuousClock.Instant
    /// Whether what is open waits for what is closed to be shipped.
    nonisolated let awaitsShipping = Atomic(false)
    /// The modification time of the transactions' folder after this engine's last file, in nanoseconds since 1970.
    var folderModified: Int64?
    /// Whether it was told that the log is long.
    var isLongLogTold = false
    /// How far the log was backfilled when a pass without a gate brought nothing: a reader stands there.
    var stuckBackfill: UInt32?
    var rotationDelay: Duration = .milliseconds(5)
    var quietRotationAt: ContinuousClock.Instant?
    var quietDelay: Duration = .milliseconds(50)
    var movedAt: ContinuousClock.Instant
    var workedAt: ContinuousClock.Instant
    var rhythm: CommitRhythm
    /// Nothing is due before the next upload but a look now and then.
    var isResting = false
    /// When the kernel was last asked for our locks.
    var locksLookedAt: ContinuousClock.Instant
    /// What was captured when the reader last moved.
    var movedPosition: WALPosition?
    var eventAt: ContinuousClock.Instant?
    var eventDelay: Duration = .zero
    var quietRecorded = false
    /// When to see whether the log's file is longer than it should be; `nil`: it was seen to since the last commit.
    var shrinkAt: ContinuousClock.Instant?
    var timer: WakeTimer?
    var wakeAt: ContinuousClock.Instant?
    var failures = 0
    var busySince: ContinuousClock.Instant?

    // What the ships tell.
    var pacer: UploadPacer
    var shipped: TransactionID?
    var spooledByteCount: Int64 = 0
    var isStoreKnown = false
    var counters = CaptureCounters()

    /// Creates an engine; nothing is opened before ``attach()``.
    ///
    /// - Parameters:
    ///   - settings: How to treat the database.
    ///   - notifier: Tells of changes to the log; `nil`: only the slow poll does.
    ///   - onEvent: Called on the engine's thread.
    ///   - onClosed: Called on the engine's thread when a transaction file is durable.
    package init(
        settings: CaptureSettings,
        notifier: ChangeNotifier?,
        onEvent: @escaping @Sendable (CaptureEvent) -> Void = { _ in },
        onClosed: @escaping @Sendable () -> Void = {}
    ) {
        (self.settings, self.notifier, self.onEvent, self.onClosed) = (settings, notifier, onEvent, onClosed)
        executor = SerialQueueExecutor()
        folder = MetadataFolder(root: settings.metadata ?? MetadataFolder.defaultPath(for: settings.database))
        let now = ContinuousClock.now
        (movedAt, workedAt, noGateBefore, closedAt) = (now, now, now, now)
        rhythm = CommitRhythm(now: now)
        locksLookedAt = now
        pacer = UploadPacer(interval: settings.syncInterval, now: now)
    }

    /// Calls the fault hook, if a test has set one.
    func reached(_ point: FaultPoint) { settings.faultPoint?(point) }
}

/// What the engine counts.
package struct CaptureCounters: Sendable, Equatable {
    package var captures = 0
    package var framesCaptured = 0
    package var commitsCaptured = 0
    package var moves = 0
    package var rotations = 0
    package var rotationsWithoutGate = 0
    package var gatesBusy = 0
    package var restarts = 0
    package var shrinks = 0
    package var fencesBusy = 0
    package var wholeCopies = 0
    package var differences = 0
    package var unexpectedCopies = 0
    package var longestHold = Duration.zero
}
