import LTX
import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// One turn of the loop: captures what is there, keeps the log short, closes what may be shipped, and arranges
    /// for the next turn. Never throws: what fails is told and tried again.
    func turn() {
        guard phase == .attached else { return }
        do {
            try step()
            recover()
        } catch let error as Discontinuity {
            discontinued(error)
        } catch let error as SQLiteFailure where error.isBusy && isBusyForShort() {
            // Ordinary: somebody holds a lock for a moment. The next turn is due soon.
        } catch {
            failed(error)
        }
        scheduleWake()
    }

    /// Called from any thread when the log may have changed.
    nonisolated func wake() {
        executor.async {
            self.assumeIsolated { engine in
                engine.isWatchingWAL = false
                engine.eventAt = .now
                engine.eventDelay = .microseconds(200)
                engine.turn()
            }
        }
    }

    private func step() throws {
        let now = ContinuousClock.now
        if copy == nil, let due = copyDue, now >= copyAfter ?? now {
            return try beginCopy(due.kind, cause: due.cause, unexpected: due.isUnexpected)
        }
        if !books.areDone, now >= booksAfter ?? now { keepBooks() }
        isResting = try mayRest(now)
        if isResting { return }
        let worked = try captureOrGiveUp()
        var isSparse = false
        if worked {
            isSparse = rhythm.note(total: counters.commitsCaptured, at: now) > Self.quietTime
            (workedAt, eventAt, quietRotationAt) = (now, nil, nil)
            quietDelay = Self.quietTime
        }
        try keepLogShort(now)
        guard phase == .attached else { return }
        try closeIfDue()
        if phase == .attached { noteFollowed() }
        isResting = try mayRest(now)
        if isResting { return }
        // After a pause the next commit is waited for at once; a writer at full speed is looked at now and then.
        guard phase == .attached, !isWatchingWAL,
            worked ? isSparse : workedAt.duration(to: now) >= .milliseconds(10)
        else { return }
        watchLog()
        // A commit may have come before the watch stood.
        if try captureOrGiveUp() { workedAt = .now }
        guard try worked || filesAreOurs() else { throw Discontinuity(.anotherFile) }
    }

    /// Says once that the log has grown long, and again only after it was begun anew.
    private func tellOfLongLog(_ frames: UInt32) {
        guard let limit = settings.longLogFrames else { return }
        let isLong = frames >= limit
        if isLong, !isLongLogTold { onEvent(.logIsLong(frames: frames)) }
        isLongLogTold = isLong
    }

    /// Whether there is nothing to be done before the next upload may begin: commits come in a steady stream, faster
    /// than uploads may follow each other, and the log is as it was but for a few frames. What came meanwhile is then
    /// captured in one go, and many busy databases cost little more than quiet ones.
    private func mayRest(_ now: ContinuousClock.Instant) throws -> Bool {
        guard phase == .attached, rhythm.isSteady, !rhythm.isDense, workedAt.duration(to: now) < Self.restTime,
            pacer.nextUpload(at: now) > now,
            closing == nil, !mayRestart, failures == 0, busySince == nil, books.areDone, copy == nil, copyDue == nil
        else { return false }
        let look = try index()
        return look.salts == position.salts && !look.isBackfilled && look.lastFrame >= position.frame
            && look.lastFrame - position.frame < Self.fewFrames
    }

    /// Captures. Where captured pages can be kept neither in memory nor on the disk, and the log is long, they are
    /// given up for a difference: a reader that pins the log would let it fill the disk, and writers would fail.
    private func captureOrGiveUp() throws -> Bool {
        do {
            return try capture()
        } catch  where error is FileFailure || (error as? LTXError)?.cause is FileFailure {
            guard copyDue == nil, try index().lastFrame > softLimit else { throw error }
            abandonCopy()
            dropCaptures()
            copyDue = CopyRequest(.difference, Discontinuity(.diskFull, "\(describe(error))"))
            copyAfter = .now + backoff
            throw error
        }
    }

    private func keepLogShort(_ now: ContinuousClock.Instant) throws {
        let look = try index()
        tellOfLongLog(look.lastFrame)
        if mayRestart {
            if look.lastFrame > 0, !look.isBackfilled {
                try leaveReadZero()
            } else if let shrinkAt, now >= shrinkAt {
                try shrinkLog(now)
            }
        } else if look.lastFrame > softLimit, now >= noGateBefore {
            try rotate(gated: true)
        } else if look.isBackfilled {
            try rotate(gated: false)
        } else if mayBackfillAhead(look) {
            try backfillAhead(look)
        } else if isQuiet(now) {
            if try !rotate(gated: false) {
                // Somebody reads at an older mark: he may do so for long.
                quietDelay = min(quietDelay * 2, settings.longestRotationDelay, .seconds(10))
                quietRotationAt = .now + quietDelay
            }
        } else if movedPosition != position, movedAt.duration(to: now) >= Self.moveInterval {
            try move()
        }
    }

    /// Whether the log is to be made ready to begin anew: not while a capture is open that a crash would lose the proof
    /// for, unless it stays open for long.
    private func isQuiet(_ now: ContinuousClock.Instant) -> Bool {
        let since = workedAt.duration(to: now)
        return since >= (!hasNothingOpen || rhythm.isSteady ? Self.settlingTime : Self.quietTime)
            && now >= quietRotationAt ?? now
    }

    // MARK: - Closing

    /// Closes the open capture when an upload may begin, or when it comes near its limit.
    func closeIfDue() throws {
        guard copy == nil, copyDue == nil else { return }
        let now = ContinuousClock.now
        if let closing {
            // Written aside. If that failed it is tried again here; if the next capture would spill, it waits here.
            let isFull = open.map { $0.pages.byteCount >= settings.captureLimit || !$0.spills.isEmpty } ?? false
            guard closing.failure != nil || isFull, now >= closeAfter ?? now else { return }
            guard try postponing({ try finishClosing() }) else { return }
        }
        guard let open, !open.isEmpty else { return }
        let isFull = isNearlyFull
        guard isFull || isShipped && pacer.nextUpload(at: now) <= now else {
            // A pause after a failure that is over must not keep the engine awake where nothing is due.
            if closing == nil, let closeAfter, now >= closeAfter { self.closeAfter = nil }
            return
        }
        guard now >= closeAfter ?? now else { return }
        guard !isSpoolFull || isToJump else { return suspend() }
        let isPaced = isShipped
        if try closeOrPostpone(), isPaced { pacer.spend(at: now) }
    }

    /// Whether the open capture should be closed before it must spill.
    private var isNearlyFull: Bool {
        guard let open else { return false }
        return open.pages.byteCount >= settings.captureLimit / 4 * 3 || !open.spills.isEmpty
    }

    /// Closes the open capture, a large one aside; where the disk does not take it, nothing is lost, and this is tried
    /// again later while capturing goes on.
    ///
    /// - Returns: Whether that went well.
    @discardableResult
    func closeOrPostpone() throws -> Bool {
        guard let open else { return true }
        let isLarge = open.pages.byteCount >= Self.largeCapture || !open.spills.isEmpty
        return try postponing { if isLarge { try closeAside() } else { try closeCapture() } }
    }

    /// From this many bytes on a capture takes longer to write than the engine's thread should be away.
    private static let largeCapture = 512 << 10

    /// Runs a part of closing; if it fails it is due again after a while.
    ///
    /// - Returns: Whether it went well.
    @discardableResult
    func postponing(_ body: () throws -> Void) throws(Discontinuity) -> Bool {
        do {
            try body()
            closeAfter = nil
            return true
        } catch let error as Discontinuity {
            throw error
        } catch let error as CaptureError where error.code == .secondWriter {
            stop(error)
            return false
        } catch {
            failed(error)
            closeAfter = .now + backoff
            return false
        }
    }

    /// Whether all closed files have reached the store, and the next one may follow at once.
    var isShipped: Bool {
        guard isStoreKnown else { return false }
        guard let lastTransaction else { return true }
        return shipped.map { lastTransaction <= $0 } ?? false
    }

    /// Whether the files that wait for the store have reached their bound.
    var isSpoolFull: Bool {
        let copyByteCount = unshippedCopy.flatMap { copy in
            shipped.map { $0 < copy.transaction } ?? true ? copy.byteCount : nil
        }
        return spooledByteCount - (copyByteCount ?? 0) >= settings.spoolLimit
    }

    /// The spool is full: a reader kept without capturing would let the log grow for nothing (C5).
    func suspend() {
        closeFiles()
        phase = .suspended
        onEvent(.spoolFull)
    }

    // MARK: - Trouble

    func discontinued(_ error: Discontinuity) {
        if error.cause == .anotherFile {
            onEvent(.fileReplaced)
            if settings.isInProcess { keepConnectionsOpen() }
            return closeFiles()
        }
        do {
            try beginCopy(.difference, cause: error, unexpected: true)
        } catch {
            failed(error)
        }
    }

    /// In the application's process nothing of a replaced file is closed while the application may still use it: what
    /// is open stays open until the process ends (H5).
    private func keepConnectionsOpen() {
        for connection in readers + [gate, checkpointer] {
            // SAFETY: the reference is meant to be kept for ever.
            if let connection { _ = unsafe Unmanaged.passRetained(connection) }
        }
    }

    /// Lets go of a database that somebody else replicates too; this engine does not attach again.
    func stop(_ error: CaptureError) {
        closeFiles()
        stopped = error
        onEvent(.stopped("\(error)"))
    }

    /// Tells of a failure, once until it ends.
    func failed(_ error: any Error) {
        failures += 1
        if copyDue != nil, copy == nil { copyAfter = .now + backoff }
        if failures == 1 || failures.isMultiple(of: 100) { onEvent(.failed("\(describe(error))")) }
    }

    /// Whether locks of others have stood in the way for a short time only.
    private func isBusyForShort() -> Bool {
        let since = busySince ?? .now
        busySince = since
        return since.duration(to: .now) < .seconds(1)
    }

    /// A turn went well: unless something waits to be tried again, all is well.
    private func recover() {
        busySince = nil
        guard failures > 0, closeAfter == nil, copyAfter == nil, booksAfter == nil else { return }
        failures = 0
        onEvent(.recovered)
    }

    // MARK: - Watches

    func watchFiles() {
        guard let notifier else { return }
        for ending in ["", "-wal", "-shm"] {
            let path = FilePath(settings.database.string + ending)
            let watch = notifier.watchIdentity(of: path) { [weak self] in self?.identityChanged() }
            if let watch { watches.append(watch) }
        }
    }

    private nonisolated func identityChanged() {
        executor.async {
            self.assumeIsolated { engine in
                guard engine.phase == .attached, let ours = try? engine.filesAreOurs(), !ours else { return }
                engine.discontinued(Discontinuity(.anotherFile))
            }
        }
    }

    private func watchLog() {
        guard let notifier else { return }
        let path = FilePath(settings.database.string + "-wal")
        if let watch = notifier.watchWrites(to: path, { [weak self] in self?.wake() }) {
            isWatchingWAL = true
            logWatch = watch
        }
    }
}
