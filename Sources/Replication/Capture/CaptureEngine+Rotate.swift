import Dispatch
import SQLiteFormat
import Synchronization

extension CaptureEngine {
    /// The next reader begins; everything that existed then is captured; the last reader ends (E3).
    func move() throws {
        let next = 1 - current
        let before = try index()
        if settings.variant == .endBeforeBegin {
            readers[current]?.endRead()
            reached(.noReader)
        }
        let connection = try reader(next)
        do throws(SQLiteFailure) {
            try connection.beginRead()
        } catch {
            // The old reader stands: nothing is lost, the next turn tries again.
            guard error.isBusy else { throw error }
            return
        }
        reached(.newReaderBegun)
        let after = try index()
        reached(.twoReaders)
        if settings.variant != .noCaptureBetween { try capture() }
        // READ0 was possible only if everything could be backfilled at the moment it began.
        mayRestart = !(before.salts == after.salts && after.backfilledFrames < before.lastFrame)
        if mayRestart { noteFollowed() }
        reached(.beforeOldReaderEnds)
        readers[current]?.endRead()
        current = next
        movedAt = .now
        movedPosition = position
        counters.moves += 1
        reached(.afterMove)
    }

    /// On READ0 with frames in a new generation: fences checkpointers that may still know the old one, then leaves.
    func leaveReadZero() throws {
        reached(.onReadZero)
        if try !passive() {
            // Somebody holds the checkpoint lock. While we stay on READ0 he can copy nothing.
            counters.fencesBusy += 1
            reached(.fenceBusy)
            let since = fenceSince ?? .now
            fenceSince = since
            if since.duration(to: .now) < .milliseconds(100) { return }
            // Longer is a blocking checkpoint that waits for us; it holds the write lock, hence knows the new
            // generation. Or, where the write lock is free, a passive one that hangs and may know the old one only.
            guard try isWriteLockTaken() else {
                fenceSince = .now
                return
            }
        }
        fenceSince = nil
        try move()
    }

    private func isWriteLockTaken() throws -> Bool {
        let gate = try gateConnection()
        guard try gate.lockWriters() else { return true }
        releaseWriters(gate)
        return false
    }

    /// Tries to let the log begin anew (E5). Returns whether everything is backfilled and we are on READ0.
    @discardableResult
    func rotate(gated: Bool) throws -> Bool {
        let now = ContinuousClock.now
        guard locksHeldLately(now) else { return false }
        if gated, mayCloseBeforeGate { try closeOrPostpone() }
        guard phase == .attached else { return false }
        var mark: UInt32 = 0
        var rest = UInt32.max
        for pass in 0..<6 {
            mark = try index().lastFrame
            if try moveToReadZero(isSynced: false) { return true }
            let before = try index()
            guard try passive() else { return false }
            let look = try index()
            // What others have backfilled may not be durable: their connection may run with synchronous=OFF (B11).
            if look.isBackfilled, try moveToReadZero(isSynced: !before.isBackfilled) { return true }
            let left = look.lastFrame &- look.backfilledFrames
            // A writer as fast as we are: more passes bring nothing but a longer log.
            if look.lastFrame > 0, left < (gated ? Self.shortRest : 64) || gated && left > rest / 16 * 15 { break }
            rest = left
            if gated {
                if pass == 0 { syncDatabaseAside() }
                try closeIfDue()
            }
            guard phase == .attached else { return false }
        }
        let look = try index()
        guard gated, ContinuousClock.now >= noGateBefore, locksHold() else { return false }
        guard !isHeldBack(look, below: mark) else {
            rotationDelay = min(rotationDelay * 2, settings.longestRotationDelay, .seconds(1))
            noGateBefore = .now + rotationDelay
            onEvent(.rotationPostponed(frames: look.lastFrame, hold: .zero))
            return false
        }
        try move()
        return try rotateGated(look)
    }

    /// Whether the open capture is worth a file of its own before the log begins anew: what is in memory only costs a
    /// difference if this process dies. A writer who fills the log many times a second would make many files of the
    /// same pages.
    private var mayCloseBeforeGate: Bool {
        guard let open, open.pages.byteCount > 1 << 20, !isSpoolFull else { return false }
        return closedAt.duration(to: .now) > .seconds(1)
    }

    /// So many frames are backfilled under a gate in about the time that another pass before it would take.
    private static let shortRest: UInt32 = 1024

    /// Whether a pass without a gate is worth its cost: for a writer who fills the log faster than the gate may be
    /// taken, since the less is left to do then, the shorter he is held off. Not where a reader stands in the way.
    func mayBackfillAhead(_ look: WALIndexHeader) -> Bool {
        look.lastFrame > softLimit && look.lastFrame &- look.backfilledFrames > softLimit / 4 * 3
            && look.backfilledFrames != stuckBackfill
    }

    /// Copies what there is, without a gate.
    func backfillAhead(_ look: WALIndexHeader) throws {
        guard try passive() else { return }
        let isStuck = try index().backfilledFrames == look.backfilledFrames
        stuckBackfill = isStuck ? look.backfilledFrames : nil
        if !isStuck { try move() }
    }

    /// Lets the bulk of what was backfilled go to the disk while writers go on, so that the checkpoint under the gate
    /// has only the rest to sync. Whether that succeeds does not matter here: that checkpoint syncs anyway.
    private func syncDatabaseAside() {
        guard let file = try? reader(current).databaseFile() else { return }
        CopyLanes.closing.submit { try? file.sync() }
    }

    /// Moves; if that may have landed on READ0, the next writer may begin the log anew.
    private func moveToReadZero(isSynced: Bool) throws -> Bool {
        let look = try index()
        if look.isBackfilled, look.lastFrame > 0, !isSynced { try reader(current).databaseFile().sync() }
        try move()
        guard mayRestart else { return false }
        counters.rotationsWithoutGate += 1
        return true
    }

    /// Whether an application's reader has kept the log from being backfilled for longer than a gate could wait.
    private func isHeldBack(_ look: WALIndexHeader, below mark: UInt32) -> Bool {
        let now = ContinuousClock.now
        if let backfill, backfill.salts == look.salts, backfill.frame == look.backfilledFrames {
            return look.backfilledFrames < mark && backfill.since.duration(to: now) > settings.gateBudget * 4
        }
        backfill = (look.salts, look.backfilledFrames, now)
        return false
    }

    private func rotateGated(_ look: WALIndexHeader) throws -> Bool {
        let attempt = try needsRestart ? rotateByRestart() : rotateUnderGate()
        counters.longestHold = max(counters.longestHold, attempt.hold)
        let isDone = attempt.outcome == .done
        rotatedAt = isDone ? position : nil
        if attempt.outcome != .busy { needsRestart = !isDone }
        if isDone {
            counters.rotations += 1
            rotationDelay = .milliseconds(5)
            onEvent(.rotated(hold: attempt.hold))
        } else {
            let limit: Duration = attempt.outcome == .busy ? .milliseconds(50) : .seconds(1)
            rotationDelay = min(rotationDelay * 2, settings.longestRotationDelay, limit)
            onEvent(.rotationPostponed(frames: look.lastFrame, hold: attempt.hold))
        }
        // At most 4 % of the time under the gate. While writers outrun that and the log grows, more: the sooner the next
        // one, the less is left for it, and the shorter it is.
        let isOutrun = look.lastFrame > softLimit * 2
        let rest = isOutrun ? min(attempt.hold * 5, .milliseconds(40)) : attempt.hold * 25
        noGateBefore = .now + max(rotationDelay, rest)
        return isDone
    }

    /// How an attempt to rotate ended, and for how long writers were held off.
    private struct Attempt {
        enum Outcome { case done, busy, timedOut }
        var outcome: Outcome
        var hold: Duration
    }

    /// Takes the write lock for a moment in which the rest is captured and backfilled.
    private func rotateUnderGate() throws -> Attempt {
        let gate = try gateConnection()
        // Without a pause: a writer at full speed leaves gaps of microseconds only.
        guard try lockWriters(on: gate, patience: .milliseconds(5), pause: .zero) else {
            counters.gatesBusy += 1
            return Attempt(outcome: .busy, hold: .zero)
        }
        let held = ContinuousClock.now
        var isBackfilled = false
        do {
            defer { releaseWriters(gate) }
            reached(.gateHeld)
            try move()
            while true {
                _ = try passive()
                isBackfilled = try index().isBackfilled
                if isBackfilled || held.duration(to: .now) > .milliseconds(10) { break }
                Blocking.sleep(.milliseconds(1))
                try move()
            }
            reached(.backfilledUnderGate)
            if isBackfilled {
                try reader(current).databaseFile().sync()
                try move()
            }
            reached(.readZeroUnderGate)
        }
        reached(.gateReleased)
        return Attempt(outcome: isBackfilled ? .done : .timedOut, hold: held.duration(to: .now))
    }

    /// Lets SQLite wait for the readers that keep the log from beginning anew, within the budget, while this thread
    /// goes on capturing and moving, and so ends up on READ0 as soon as everything is backfilled.
    private func rotateByRestart() throws -> Attempt {
        guard try filesAreOurs() else { throw Discontinuity(.anotherFile) }
        reached(.beforeRestart)
        let attempt = RestartAttempt(connection: try gateConnection(), deadline: .now + settings.gateBudget)
        let began = ContinuousClock.now
        DispatchQueue(label: "restart").async { attempt.run() }
        defer { attempt.wait() }
        do {
            while !attempt.isFinished(within: .microseconds(500)) {
                try capture()
                let look = try index()
                if !mayRestart {
                    try move()
                    reached(.movedDuringRestart)
                } else if !look.isBackfilled {
                    // We are on READ0 and frames came: it would wait for us in vain.
                    attempt.interrupt()
                }
            }
        } catch {
            attempt.interrupt()
            throw error
        }
        reached(.afterRestart)
        return Attempt(outcome: attempt.succeeded ? .done : .timedOut, hold: began.duration(to: .now))
    }
}

/// One RESTART checkpoint on a thread of its own.
///
/// `@unchecked Sendable`: the connection is used by the attempt's thread alone until `wait()` returns, but for
/// `interrupt()`, which SQLite allows from any thread; `result` is guarded by its lock.
private final class RestartAttempt: @unchecked Sendable {
    private let connection: EngineConnection
    private let deadline: ContinuousClock.Instant
    private let finished = DispatchSemaphore(value: 0)
    private let result = Mutex<Bool?>(nil)
    private let isOver = Atomic(false)

    init(connection: EngineConnection, deadline: ContinuousClock.Instant) {
        (self.connection, self.deadline) = (connection, deadline)
    }

    var succeeded: Bool { result.withLock { $0 ?? false } }

    func run() {
        // A failure is an attempt without success: the rotation is tried again.
        let success = try? connection.checkpointRestart(until: deadline) { [self] in isOver.load(ordering: .relaxed) }
        result.withLock { $0 = success ?? false }
        finished.signal()
    }

    func interrupt() {
        isOver.store(true, ordering: .relaxed)
        connection.interrupt()
    }

    func isFinished(within patience: Duration) -> Bool {
        let nanoseconds = Int(patience.components.attoseconds / 1_000_000_000)
        guard finished.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success else { return false }
        finished.signal()
        return true
    }

    func wait() {
        finished.wait()
        finished.signal()
    }
}
