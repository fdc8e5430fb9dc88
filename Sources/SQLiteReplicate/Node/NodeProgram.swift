import Cluster
import Logging
import ObjectStorage
import ServiceLifecycle

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
        let program: ProgramGuard
        do throws(ProgramError) {
            program = try ProgramGuard(command, until: until, lockedBy: lockedBy, logger: logger)
        } catch {
            return logger.error("The program could not be started", metadata: ["error": "\(error)"])
        }
        while program.exitCode == nil {
            if Task.isCancelled || node.role == .draining || node.gate.isClosed {
                program.stop("this node does not write any more")
                break
            }
            // One whose gate time has closed is ended by its guard, with the same deadlines.
            if let (until, lockedBy) = node.gate.deadlines(ttl: node.configuration.ttl) {
                program.feed(until: until, lockedBy: lockedBy)
            }
            try? await Pause.sleep(for: min(node.configuration.ttl / 12, .milliseconds(250)))  // looked at above
        }
        _ = await program.exit()
    }
}
