#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// When a guarded program starts, is told to end, and is killed (failover-review N16). Pure: what happens in, what is to be
/// done out.
///
/// Moments are nanoseconds of the clock that also counts while the host sleeps.
struct GuardState {
    /// What happens.
    enum Event: Hashable {
        /// The node has written.
        case told(GuardMessage)
        /// The node has gone, or what writes is none.
        case nodeLost
        /// The guard got a signal that it passes on.
        case signalled(Int32)
        /// The program, or what it has left behind, was awaited: the program's exit code if it is that one, and
        /// whether anything of it still runs.
        case awaited(code: Int32?, othersRun: Bool)
        /// Time has passed.
        case tick
    }

    /// What is to be done.
    enum Effect: Hashable {
        /// Start the program.
        case start
        /// Send a signal to the program and all that it has started.
        case signal(Int32)
        /// Say this on standard error.
        case say(String)
        /// End with this exit code.
        case end(Int32)
    }

    private enum Phase: Hashable {
        /// Until the node has fed once.
        case waiting
        case running
        /// Told to end, at the latest by a moment.
        case ending(Int64)
        /// The program has ended with a code; what it has started is told to end, at the latest by a moment.
        case leaving(Int32, Int64)
        case over
    }

    /// How long the program may take to end, where the node says nothing of it and holds its lease.
    let grace: Int64
    private var phase = Phase.waiting
    /// Until when the program may run.
    private var until: Int64 = 0
    /// By when it must be gone.
    private var lockedBy: Int64 = .max

    /// How often what does not go is killed.
    private static let insistence: Int64 = 50_000_000

    init(grace: Int64) { self.grace = grace }

    /// When a tick is needed; `nil`: at no time.
    func nextTick(after now: Int64) -> Int64? {
        switch phase {
        case .waiting, .over: nil
        case .running: until
        case .ending(let limit), .leaving(_, let limit):
            // What does not go is killed again and again: it may have started something meanwhile.
            min(limit, lockedBy) > now ? min(limit, lockedBy) : now + Self.insistence
        }
    }

    mutating func handle(_ event: Event, at now: Int64) -> [Effect] {
        switch event {
        case .told(.feed(let until, let lockedBy)):
            (self.until, self.lockedBy) = (until, max(until, lockedBy))
            if phase == .waiting, now < until {
                phase = .running
                return [.start]
            }
            return check(now)
        case .told(.stop(let grace)): return end(now, within: grace)
        case .nodeLost:
            guard phase != .over else { return [] }
            return (phase == .running ? [.say("the node has gone: the program is ended")] : [])
                + end(now, within: grace)
        case .signalled(let signal):
            if phase == .waiting { return finish(128 + signal) }
            return [.signal(signal)]
        case .awaited(let code, let othersRun): return awaited(code, othersRun, now)
        case .tick: return check(now)
        }
    }

    /// Looks at the time.
    private mutating func check(_ now: Int64) -> [Effect] {
        switch phase {
        case .running where now >= until:
            return [.say("not fed in time: the program is ended")] + end(now, within: grace)
        case .ending(let limit) where now >= min(limit, lockedBy): return [.signal(SIGKILL)]
        case .leaving(_, let limit) where now >= min(limit, lockedBy): return [.signal(SIGKILL)]
        default: return []
        }
    }

    private mutating func end(_ now: Int64, within grace: Int64) -> [Effect] {
        let latest = Self.moment(now, grace)
        switch phase {
        case .waiting: return finish(128 + SIGTERM)
        case .running:
            phase = .ending(latest)
            return [.signal(SIGTERM)] + check(now)
        case .ending(let before):
            // Told again, and maybe sooner; it knows already.
            phase = .ending(min(before, latest))
            return check(now)
        case .leaving(let code, let before):
            phase = .leaving(code, min(before, latest))
            return check(now)
        case .over: return []
        }
    }

    private mutating func awaited(_ code: Int32?, _ othersRun: Bool, _ now: Int64) -> [Effect] {
        switch (phase, code) {
        case (.running, let code?):
            guard othersRun else { return finish(code) }
            // What it leaves behind has nobody to mind it.
            phase = .leaving(code, Self.moment(now, grace))
            return [.signal(SIGTERM)]
        case (.ending(let limit), let code?):
            guard othersRun else { return finish(code) }
            phase = .leaving(code, limit)
            return []
        case (.leaving(let code, _), _): return othersRun ? [] : finish(code)
        default: return []
        }
    }

    private static func moment(_ now: Int64, _ later: Int64) -> Int64 {
        let (sum, isTooLarge) = now.addingReportingOverflow(later)
        return isTooLarge ? .max : sum
    }

    private mutating func finish(_ code: Int32) -> [Effect] {
        phase = .over
        return [.end(code)]
    }
}
