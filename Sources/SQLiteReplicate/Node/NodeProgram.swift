import Cluster
import Logging
import ObjectStorage
import ServiceLifecycle
import Synchronization

/// Runs the program of `exec` while the node is primary, below a guard that ends it when the node may not write any more
/// (failover-review N16).
///
/// A program that ends by itself is started again, after a pause that grows while it does so at once.
struct NodeProgram: Service {
    let node: ClusterNode
    let command: ProgramCommand
    let logger: Logger

    func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await keepRunning() }
            try? await gracefulShutdown()  // cancelled: the end as well
            group.cancelAll()
        }
    }

    private func keepRunning() async {
        var pause = Duration.milliseconds(250)
        while !Task.isCancelled {
            if let (until, lockedBy) = node.gate.deadlines(ttl: node.configuration.ttl) {
                let began = ContinuousClock.now
                await runOnce(until, lockedBy)
                pause = ContinuousClock.now - began > .seconds(10) ? .milliseconds(250) : min(pause * 2, .seconds(10))
                try? await Pause.sleep(for: pause)  // cancelled: the loop ends
            } else {
                try? await Pause.sleep(for: .milliseconds(50))  // the same
            }
        }
    }

    /// Runs the program until it ends, or the node may not write any more.
    private func runOnce(_ until: Moment, _ lockedBy: Moment) async {
        let ttl = node.configuration.ttl
        // A node that is alone may write for good; until its guard hears of every change it gets no more than others.
        let (now, timing) = (NodeClock.now, LeaseTiming(ttl: ttl))
        let program: FedProgram
        do throws(ProgramError) {
            let guarded = try ProgramGuard(
                command,
                until: min(until, now + timing.acceptance),
                lockedBy: min(lockedBy, now + timing.locking),
                logger: logger
            )
            program = FedProgram(guarded, gate: node.gate, ttl: ttl)
        } catch {
            return logger.error("The program could not be started", metadata: ["error": "\(error)"])
        }
        // A hand-over waits for its end; it may come before the next look.
        let entry = node.programs.enter(stop: { program.stop("this node hands over") }, feed: { program.feed() })
        defer { node.programs.leave(entry) }
        while program.hasNotEnded {
            if Task.isCancelled || node.role == .draining || node.gate.isClosed {
                program.stop("this node does not write any more")
                break
            }
            // One whose gate time has closed is ended by its guard, with the same deadlines.
            program.feed()
            try? await Pause.sleep(for: min(ttl / 12, .milliseconds(250)))  // looked at above
        }
        await program.exit()
    }
}

/// A guarded program that is fed by what the gate says, by several tasks.
private final class FedProgram: Sendable {
    private let program: ProgramGuard
    private let gate: WriteGateControl
    private let ttl: Duration
    /// Whether it was told to end. Held while the gate is read and told: an older answer must not come after a newer one.
    private let isTold = Mutex(false)

    init(_ program: ProgramGuard, gate: WriteGateControl, ttl: Duration) {
        (self.program, self.gate, self.ttl) = (program, gate, ttl)
    }

    var hasNotEnded: Bool { program.exitCode == nil }

    /// Tells its guard what the gate says: also what has passed, and also once it was told to end, for as long as it may
    /// take is bounded by the same deadlines.
    func feed() {
        isTold.withLock { _ in
            guard let (until, lockedBy) = gate.lastDeadlines(ttl: ttl) else { return }
            program.feed(until: until, lockedBy: lockedBy)
        }
    }

    func stop(_ why: String) {
        isTold.withLock { isTold in
            if !isTold { program.stop(why) }
            isTold = true
        }
    }

    func exit() async { _ = await program.exit() }
}
