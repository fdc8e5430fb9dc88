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
            if failures > 0 {
                failures = 0
                onEvent(.recovered)
            }
        } catch let error as Discontinuity {
            discontinued(error)
        } catch {
            failed(error)
        }
        scheduleWake()
    }

    /// Called from any thread when the log may have changed.
    nonisolated func wake(byEvent: Bool) {
        executor.async {
            self.assumeIsolated { engine in
                if byEvent {
                    engine.isWatchingWAL = false
                    engine.eventAt = .now
                    engine.eventDelay = .microseconds(200)
                }
                engine.turn()
            }
        }
    }

    private func step() throws {
        if let pending = pendingCopy, copy == nil {
            pendingCopy = nil
            return try beginCopy(pending.kind, cause: pending.cause, unexpected: pending.unexpected)
        }
        let worked = try capture()
        let now = ContinuousClock.now
        if worked {
            (workedAt, eventAt, quietDelay) = (now, nil, .milliseconds(50))
            quietRotationAt = nil
        }
        let look = try index()
        if mayRestart {
            if look.lastFrame > 0, !look.isBackfilled { try leaveReadZero() }
        } else if look.lastFrame > softLimit, now >= noGateBefore {
            try rotate(gated: true)
        } else if look.isBackfilled {
            try rotate(gated: false)
        } else if workedAt.duration(to: now) >= .milliseconds(50) {
            if now >= quietRotationAt ?? now {
                if try !rotate(gated: false) {
                    quietDelay = min(quietDelay * 2, settings.longestRotationDelay, .seconds(10))
                    quietRotationAt = .now + quietDelay
                }
            }
        } else if movedAt.duration(to: now) >= .milliseconds(20) {
            try move()
        }
        try closeIfDue()
        if !worked, !isWatchingWAL, workedAt.duration(to: now) >= .milliseconds(10) {
            watchLog()
            // A commit may have come before the watch stood.
            if try capture() { workedAt = .now }
        }
    }

    /// Closes the open capture when an upload may begin, or when it has reached its limit.
    private func closeIfDue() throws {
        guard copy == nil, let open, !open.isEmpty else { return }
        let now = ContinuousClock.now
        let isFull = open.pages.byteCount >= settings.captureLimit || !open.spills.isEmpty
        guard isFull || isShipped && pacer.nextUpload(at: now) <= now else { return }
        guard spooledByteCount < settings.spoolLimit else { return try suspend() }
        if isShipped { pacer.spend(at: now) }
        try closeCapture()
    }

    /// Whether all closed files have reached the store, and the next one may follow at once.
    private var isShipped: Bool {
        guard isStoreKnown else { return false }
        guard let lastTransaction else { return true }
        return shipped.map { lastTransaction <= $0 } ?? false
    }

    /// The spool is full: a reader kept without capturing would let the log grow for nothing (C5).
    private func suspend() throws {
        onEvent(.spoolFull)
        dropOpenCapture()
        for reader in readers { reader?.endRead() }
        closeFiles()
        phase = .suspended
    }

    private func discontinued(_ error: Discontinuity) {
        if error.cause == .anotherFile {
            onEvent(.fileReplaced)
            if settings.isInProcess { return abandonReplacedFile() }
            closeFiles()
            return
        }
        do {
            try beginCopy(.difference, cause: error, unexpected: true)
        } catch {
            failed(error)
            pendingCopy = (.difference, Discontinuity(.reader), true)
        }
    }

    /// In the application's process no descriptor may be closed while the application uses the file: its locks would
    /// go. What is open stays open until the process ends.
    private func abandonReplacedFile() {
        let kept = readers.compactMap(\.self) + [gate, checkpointer].compactMap(\.self)
        for connection in kept { _ = Unmanaged.passRetained(connection) }
        closeFiles()
    }

    /// Tells of a failure, once until it ends.
    func failed(_ error: any Error) {
        failures += 1
        if failures == 1 || failures.isMultiple(of: 100) { onEvent(.failed("\(describe(error))")) }
    }

    // MARK: - The next turn

    /// Arranges for the next turn; a quiet database has only the slow poll.
    private func scheduleWake() {
        guard phase == .attached else { return }
        let now = ContinuousClock.now
        var next = now + settings.slowPoll
        func consider(_ time: ContinuousClock.Instant) { next = min(next, time) }
        if failures > 0 { consider(now + min(.milliseconds(50) * failures, .seconds(1))) }
        if let event = eventAt {
            // The event came before the commit was published: look again soon, for a while.
            if event.duration(to: now) < .milliseconds(100) {
                consider(now + eventDelay)
                eventDelay = min(eventDelay * 2, .milliseconds(5))
            } else {
                eventAt = nil
            }
        }
        let sinceWork = workedAt.duration(to: now)
        if !isWatchingWAL { consider(now + .milliseconds(10)) }
        if !mayRestart || sinceWork < .milliseconds(60) {
            if sinceWork < .milliseconds(50) {
                consider(max(movedAt + .milliseconds(20), now + .milliseconds(1)))
            } else {
                consider(max(quietRotationAt ?? now, now + .milliseconds(5)))
            }
        }
        if let open, !open.isEmpty, copy == nil, isShipped {
            consider(max(pacer.nextUpload(at: now), now + .milliseconds(1)))
        }
        if isQuietDue(now) { consider(now + .milliseconds(25)) }
        wakeToken += 1
        let token = wakeToken
        executor.async(after: now.duration(to: next)) { [weak self] in
            self?.assumeIsolated { engine in
                if engine.wakeToken == token { engine.turn() }
            }
        }
    }

    /// Writes the quiet mark if it can be written now. Returns whether it has to be tried again.
    private func isQuietDue(_ now: ContinuousClock.Instant) -> Bool {
        guard mayRestart, !quietRecorded, workedAt.duration(to: now) >= .milliseconds(50), copy == nil else {
            return false
        }
        guard let done = try? recordQuiet() else { return false }  // a proof less, nothing else
        if done { closeSpareConnections() }
        return !done
    }

    // MARK: - Watches

    func watchFiles() {
        guard let notifier else { return }
        for path in [settings.database, .init(settings.database.string + "-shm")] {
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
        isWatchingWAL = notifier.watchWrites(to: path) { [weak self] in self?.wake(byEvent: true) } != nil
    }
}
