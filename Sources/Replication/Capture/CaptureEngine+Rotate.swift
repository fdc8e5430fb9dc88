import Dispatch
import SQLiteFormat
import Synchronization

extension CaptureEngine {
    /// The next reader begins; everything that existed then is captured; the last reader ends (E3).
    func move() throws {
        let next = 1 - current
        let before = try index()
        if settings.variant == .endBeforeBegin { readers[current]?.endRead() }
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
        reached(.beforeOldReaderEnds)
        readers[current]?.endRead()
        current = next
        movedAt = .now
        counters.moves += 1
        reached(.afterMove)
    }

    /// On READ0 with frames in a new generation: fences checkpointers that may still know the old one, then leaves.
    func leaveReadZero() throws {
        reached(.onReadZero)
        if try !passive() {
            // Somebody holds the checkpoint lock. While we stay on READ0 he can copy nothing. Longer than 100 ms is a
            // blocking checkpoint that waits for us; it holds the write lock, hence knows the new generation.
            counters.fencesBusy += 1
            reached(.fenceBusy)
            let since = fenceSince ?? .now
            fenceSince = since
            if since.duration(to: .now) < .milliseconds(100) { return }
        }
        fenceSince = nil
        try move()
    }

    /// Tries to let the log begin anew (E5). Returns whether everything is backfilled and we are on READ0.
    @discardableResult
    func rotate(gated: Bool) throws -> Bool {
        for _ in 0..<4 {
            try move()
            if mayRestart {
                counters.rotationsWithoutGate += 1
                return true
            }
            guard try passive() else { return false }
            let look = try index()
            if look.lastFrame > 0, look.lastFrame &- look.backfilledFrames < 64 { break }
        }
        let look = try index()
        if look.isBackfilled {
            try move()
            if mayRestart {
                counters.rotationsWithoutGate += 1
                return true
            }
        }
        guard gated, ContinuousClock.now >= noGateBefore else { return false }
        if copy == nil { try closeCapture() }
        let (done, hold) = try needsRestart ? rotateByRestart() : rotateUnderGate()
        needsRestart = !done
        rotatedAt = done ? position : nil
        counters.longestHold = max(counters.longestHold, hold)
        if done {
            counters.rotations += 1
            rotationDelay = .milliseconds(5)
            onEvent(.rotated(hold: hold))
        } else {
            rotationDelay = min(rotationDelay * 2, settings.longestRotationDelay, .seconds(1))
            onEvent(.rotationPostponed(frames: look.lastFrame, hold: hold))
        }
        // At most 4 % of the time under the gate.
        noGateBefore = .now + max(rotationDelay, hold * 25)
        return done
    }

    /// Takes the write lock for a moment in which the rest is captured and backfilled.
    private func rotateUnderGate() throws -> (done: Bool, hold: Duration) {
        let gate = try gateConnection()
        let deadline = ContinuousClock.now + .milliseconds(5)
        while true {
            do {
                try gate.beginImmediate()
                break
            } catch {
                guard error.isBusy else { throw error }
                guard ContinuousClock.now < deadline else {
                    counters.gatesBusy += 1
                    return (false, .zero)
                }
                Blocking.sleep(.microseconds(300))
            }
        }
        let held = ContinuousClock.now
        var done = false
        do {
            defer { gate.rollback() }
            reached(.gateHeld)
            try move()
            while true {
                _ = try passive()
                let look = try index()
                done = look.isBackfilled
                if done || held.duration(to: .now) > .milliseconds(10) { break }
                Blocking.sleep(.milliseconds(1))
                try move()
            }
            reached(.backfilledUnderGate)
            if done { try move() }
            reached(.readZeroUnderGate)
        }
        reached(.gateReleased)
        return (done, held.duration(to: .now))
    }

    /// Lets SQLite wait for the readers that keep the log from beginning anew, within the budget, while this thread
    /// goes on capturing and moving, and so ends up on READ0 as soon as everything is backfilled.
    private func rotateByRestart() throws -> (done: Bool, hold: Duration) {
        guard try filesAreOurs() else { throw Discontinuity(.anotherFile) }
        reached(.beforeRestart)
        let attempt = RestartAttempt(connection: try gateConnection(), deadline: .now + settings.gateBudget)
        let began = ContinuousClock.now
        DispatchQueue.global().async { attempt.run() }
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
        return (attempt.succeeded, began.duration(to: .now))
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

    init(connection: EngineConnection, deadline: ContinuousClock.Instant) {
        (self.connection, self.deadline) = (connection, deadline)
    }

    var succeeded: Bool { result.withLock { $0 ?? false } }

    func run() {
        // A failure is an attempt without success: the rotation is tried again.
        let success = (try? connection.checkpointRestart(until: deadline)) ?? false
        result.withLock { $0 = success }
        finished.signal()
    }

    func interrupt() { connection.interrupt() }

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
