import Logging
package import SystemPackage

/// How the capture engine treats one database.
package struct CaptureSettings: Sendable {
    /// The database file.
    package var database: FilePath
    /// The metadata folder; `nil` for the usual place beside the database.
    package var metadata: FilePath?
    /// The soft limit of the write-ahead log in frames; past it the engine rotates. `nil`: 16 MiB.
    package var softLimitFrames: UInt32?
    /// The length of the write-ahead log in frames at which the engine says so; `nil`: it never does.
    package var longLogFrames: UInt32?
    /// The longest wait before a rotation is tried again while something stands in its way.
    package var longestRotationDelay: Duration = .seconds(60)
    /// How long the gate may hold the write lock before the engine backs off and says so.
    package var gateBudget: Duration = .milliseconds(50)
    /// The memory for images of an open capture, in bytes; past it they go to a spill file.
    package var captureLimit = 16 << 20
    /// The bound of transaction files that wait to be shipped, in bytes.
    package var spoolLimit: Int64 = 1 << 30
    /// How long to wait for the database's locks at attach.
    package var busyTimeout: Duration = .seconds(5)
    /// How often to look without being told of a change.
    package var slowPoll: Duration = .seconds(30)
    /// The average interval between uploads.
    package var syncInterval: Duration = .seconds(1)
    /// Whether to switch the database to WAL mode where it is not (H6).
    package var switchesToWAL = true
    /// Whether the application runs in this process: then descriptors outlive a replaced file (H5).
    package var isInProcess = false
    /// In the application's process: tries to begin a write transaction on a connection of the application's own, rolls
    /// it back, and tells whether it could. Called while the engine holds the write lock, so that it must not.
    package var applicationCanWrite: (@Sendable () -> Bool)?
    /// The node of a cluster that writes the files; 0 outside a cluster.
    package var node: UInt64 = 0
    /// The epoch in which it writes them; 0 outside a cluster.
    package var epoch: UInt64 = 0
    /// Called at the protocol's fault points, on the engine's thread; for tests.
    package var faultPoint: (@Sendable (FaultPoint) -> Void)?
    /// A rule of the protocol left out, to see whether the tests notice; for tests.
    package var variant: ProtocolVariant?

    /// Takes the database; all else has defaults.
    package init(database: FilePath) { self.database = database }
}

/// Moments of the protocol at which tests stop, stretch or kill (capture-review F).
package enum FaultPoint: String, Sendable, CaseIterable {
    case attached, continuityJudged
    /// Reached in the variant that ends a reader before the next begins.
    case noReader
    case newReaderBegun, twoReaders, beforeOldReaderEnds, afterMove
    case fileWritten, recordWritten, pageTableWritten
    case beforePassive, afterPassive
    case gateHeld, backfilledUnderGate, readZeroUnderGate, gateReleased
    case beforeRestart, movedDuringRestart, afterRestart
    case onReadZero, newGenerationSeen, fenceBusy
    case copying, copied, merging
    case detaching
}

/// Rules that can be left out (the model's MUTANT): each must be noticed by the tests.
package enum ProtocolVariant: String, Sendable, CaseIterable {
    case endBeforeBegin = "end-before-begin"
    case noCaptureBetween = "no-capture-between"
    case saltPlusOne = "salt-plus-one"
    case saltPlusOneAfterDeath = "salt-plus-one-after-death"
    case attachTrustsRestart = "attach-trusts-restart"
}

/// What the engine tells of itself, for the log, the counters and the tests.
package enum CaptureEvent: Sendable {
    /// Continuity was proven at attach: how.
    case continued(proof: String, position: String)
    /// A difference or whole copy begins; `unexpected` if it was while attached.
    case copyBegan(kind: CopyKind, cause: Discontinuity, unexpected: Bool)
    /// A difference or whole copy is complete: how many pages the file holds.
    case copyEnded(kind: CopyKind, transaction: UInt64?, pages: Int)
    /// A transaction file is durable in the local folder.
    case closed(transaction: UInt64, byteCount: Int64)
    /// The write-ahead log can begin anew; for how long writers were held off.
    case rotated(hold: Duration)
    /// A rotation was not possible; the log goes on growing.
    case rotationPostponed(frames: UInt32, hold: Duration)
    /// The log has grown past the length at which that is told, in frames.
    case logIsLong(frames: UInt32)
    /// The database, its log or its index was replaced by another file.
    case fileReplaced
    /// Something failed and is tried again.
    case failed(String)
    /// Capture has ended for good: somebody else replicates this database.
    case stopped(String)
    /// What failed works again.
    case recovered
    /// The spool reached its bound; capture stops until it is shipped.
    case spoolFull
    /// The database was switched to WAL mode.
    case switchedToWAL
    /// The version of SQLite has the WAL-reset bug (3.7.0 to 3.51.2).
    case sqliteVersionWarning(String)
}

/// What a copy ships.
package enum CopyKind: String, Sendable {
    /// All pages.
    case whole
    /// The pages that differ from the page table.
    case difference
    /// None: the page table is made anew.
    case table
}
