import ObjectStorage
import Synchronization

/// Looks at the state when somebody asks: one look at a time, each good for all who ask during it and shortly after.
///
/// The looking is done by ``run(_:)`` alone, so that a look that hangs, as on a dead disk, holds up nobody who asks.
final class HealthProbe: Sendable {
    private struct Look {
        var report: HealthReport
        var end: ContinuousClock.Instant
    }

    private struct State {
        var last: Look?
        /// When the look under way began.
        var start: ContinuousClock.Instant?
        var alarm: AlarmClock.Alarm?
        /// The look under way may have missed what was done meanwhile.
        var isOutdated = false
        var waiters: [CheckedContinuation<HealthReport, Never>] = []
        var hasEnded = false
    }

    private let freshness: Duration
    private let limit: Duration
    private let state = Mutex(State())
    /// One wish for a look is as good as many.
    private let wishes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - freshness: For how long a look's report is given again.
    ///   - limit: How long those who ask wait for a look.
    init(freshness: Duration, limit: Duration) { (self.freshness, self.limit) = (freshness, limit) }

    /// How things stand, as of now or of at most `freshness` ago; waits for a look no longer than `limit`.
    func report() async -> HealthReport {
        if let report = state.withLock({ reportAtOnce($0) }) { return report }
        return await withCheckedContinuation { continuation in
            let (report, isFirst) = state.withLock { state -> (HealthReport?, Bool) in
                if let report = reportAtOnce(state) { return (report, false) }
                state.waiters.append(continuation)
                guard state.start == nil else { return (nil, false) }
                let now = ContinuousClock.now
                state.start = now
                state.alarm = AlarmClock.shared.call(at: now + limit) { [weak self] in self?.gaveUp() }
                return (nil, true)
            }
            if isFirst { wishes.continuation.yield() }
            if let report { continuation.resume(returning: report) }
        }
    }

    /// Something was done: what was seen before is not given again.
    func forget() {
        state.withLock { state in
            state.last?.end -= freshness
            state.isOutdated = state.start != nil
        }
    }

    /// Carries out the looks that are asked for, until the task is cancelled.
    func run(_ look: @Sendable () async -> HealthReport) async {
        for await _ in wishes.stream {
            let report = await look()
            let (waiters, alarm) = state.withLock { state in
                let end = ContinuousClock.now
                state.last = Look(report: report, end: state.isOutdated ? end - freshness : end)
                defer { (state.waiters, state.alarm, state.start, state.isOutdated) = ([], nil, nil, false) }
                return (state.waiters, state.alarm)
            }
            if let alarm { AlarmClock.shared.cancel(alarm) }
            for waiter in waiters { waiter.resume(returning: report) }
        }
        state.withLock { $0.hasEnded = true }
        gaveUp()
    }

    /// The report for those who do not have to wait, for better or worse.
    private func reportAtOnce(_ state: State) -> HealthReport? {
        let now = ContinuousClock.now
        if let last = state.last, last.end + freshness > now { return last.report }
        if state.hasEnded { return silence(state, "The server is ending.") }
        if let start = state.start, start + limit <= now { return silence(state) }
        return nil
    }

    /// Answers those who have waited long enough.
    private func gaveUp() {
        let (report, waiters) = state.withLock { state in
            defer { state.waiters = [] }
            return (silence(state), state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: report) }
    }

    private func silence(_ state: State, _ words: String? = nil) -> HealthReport {
        var report = state.last?.report ?? HealthReport()
        report.failure = words ?? "The check of the database has not ended within \(limit)."
        return report
    }
}
