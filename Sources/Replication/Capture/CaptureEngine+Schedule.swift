import ObjectStorage
import Synchronization
import SystemPackage

extension CaptureEngine {
    /// Arranges for the next turn; a quiet database has only the slow poll.
    func scheduleWake() {
        awaitsShipping.store(!hasNothingOpen && !isShipped, ordering: .sequentiallyConsistent)
        guard phase == .attached else { return }
        let next = nextTurn(after: .now)
        if timer == nil {
            timer = WakeTimer { [weak self] in
                self?.executor.async { self?.assumeIsolated { $0.turn() } }
            }
        }
        timer?.set(next)
    }

    private func nextTurn(after now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        var next = now + settings.slowPoll
        func consider(_ time: ContinuousClock.Instant) { next = min(next, max(time, now)) }
        if isResting {
            // Many databases in the same state are woken together.
            return AlarmClock.shared(min(max(pacer.nextUpload(at: now), now), now + Self.longestRest), every: Self.tick)
        }
        let sinceWork = workedAt.duration(to: now)
        if let event = eventAt {
            // The event came before the commit was published: look again soon, for a while.
            if event.duration(to: now) < .milliseconds(100) {
                consider(now + eventDelay)
                eventDelay = min(eventDelay * 2, .milliseconds(5))
            } else {
                eventAt = nil
            }
        }
        if failures > 0, copyAfter == nil, closeAfter == nil, booksAfter == nil {
            // Nothing but time helps: whatever else is due waits with it.
            return now + backoff
        }
        if copy == nil, copyDue != nil { consider(copyAfter ?? now) }
        if busySince != nil { consider(now + .milliseconds(5)) }
        if let booksAfter { consider(booksAfter) }
        if !isWatchingWAL { consider(now + pollInterval(sinceWork)) }
        if fenceSince != nil {
            consider(now + .milliseconds(2))
        } else if !mayRestart {
            if movedPosition != position { consider(max(movedAt + Self.moveInterval, now + .milliseconds(1))) }
            // An application's own checkpoint waits until we notice that it has backfilled everything.
            for look in Self.looks where sinceWork < look { consider(workedAt + look) }
            if sinceWork >= Self.settlingTime {
                consider(max(quietRotationAt ?? now, now + .milliseconds(1)))
            } else if !rhythm.isSteady {
                consider(max(workedAt + Self.quietTime, quietRotationAt ?? now, now + .milliseconds(1)))
            }
        } else if sinceWork < Self.quietTime {
            consider(workedAt + Self.quietTime)
        } else if let shrinkAt {
            consider(shrinkAt)
        }
        if !hasNothingOpen, copy == nil, copyDue == nil {
            if let closeAfter {
                consider(closeAfter)
            } else if isShipped, closing == nil {
                consider(max(pacer.nextUpload(at: now), now + .milliseconds(1)))
            }
        }
        if isQuietDue(now) { consider(now + .milliseconds(25)) }
        if hasSpareConnections, quietRecorded {
            if sinceWork >= Self.spareTime { closeSpareConnections() } else { consider(workedAt + Self.spareTime) }
        }
        return next
    }

    /// While something was committed within this time the reader moves, so that an application's own checkpoint that
    /// waits for it does not wait long (B1).
    static let settlingTime = Duration.seconds(1)
    /// The longest time on one mark within that.
    static let moveInterval = Duration.milliseconds(20)
    /// When to look, after a commit, whether everything is backfilled by somebody else.
    private static let looks: [Duration] = [.milliseconds(40), .milliseconds(150), .milliseconds(400), settlingTime]
    /// After this time without a commit the log is made ready to begin anew.
    static let quietTime = Duration.milliseconds(50)
    /// Without a commit for this long a steady stream has ended.
    static let restTime = Duration.seconds(2)
    /// How often a steady stream is looked at between uploads; an application's checkpoint may wait that long for us.
    static let longestRest = Duration.milliseconds(250)
    /// The steps in which steady streams are looked at.
    private static let tick = Duration.milliseconds(40)
    /// What may come between two looks without being captured.
    static let fewFrames: UInt32 = 256
    /// After this time without a commit what a quiet database does not need is given back.
    private static let spareTime = Duration.seconds(5)

    /// How long to wait after the last failures.
    var backoff: Duration { min(.milliseconds(50) * (1 << min(failures, 5)), .seconds(1)) }

    /// How often to look while nobody tells of changes: less and less often where nobody ever will.
    private func pollInterval(_ sinceWork: Duration) -> Duration {
        guard sinceWork > .milliseconds(500) else { return rhythm.isDense ? .milliseconds(4) : .milliseconds(10) }
        return min(max(sinceWork / 20, .milliseconds(25)), settings.slowPoll)
    }

    /// Writes the quiet mark if it can be written now. Returns whether it has to be tried again.
    private func isQuietDue(_ now: ContinuousClock.Instant) -> Bool {
        guard mayRestart, !quietRecorded, workedAt.duration(to: now) >= Self.quietTime, copy == nil, copyDue == nil
        else { return false }
        guard let done = try? recordQuiet() else { return false }  // a proof less, nothing else
        return !done
    }
}
