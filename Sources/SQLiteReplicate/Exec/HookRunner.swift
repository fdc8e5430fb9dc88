public import Cluster
import Foundation
public import Logging
public import ServiceLifecycle
import Synchronization
public import SystemPackage

/// Runs commands when a node's role changes, one at a time and never in anybody's way.
///
/// While a hook runs, later events wait; of those that wait, the newest is kept: what a node was in between is of no use
/// to anybody. ``notify(_:role:epoch:)`` may be called from any task or thread and waits for nothing; the hooks run
/// within ``run()``. On graceful shutdown what waits is run, then it ends; a cancelled task ends the running hook.
public final class HookRunner: Service {
    /// How long a hook may run.
    public static let standardLimit: Duration = .seconds(10)
    /// How long a hook that took too long may take to end, before it is killed.
    static let grace: Duration = .seconds(2)

    private struct Job {
        var event: HookEvent
        var role: Role
        var epoch: Epoch
        var cluster: ClusterID?
    }

    private let commands: HookCommands
    private let node: String
    private let database: FilePath
    private let limit: Duration
    private let logger: Logger
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    /// Creates a runner; nothing runs before ``run()``.
    ///
    /// - Parameters:
    ///   - commands: What is run.
    ///   - node: For `SQLITE_REPLICATE_NODE`.
    ///   - database: For `SQLITE_REPLICATE_DATABASE`.
    ///   - limit: How long a hook may run.
    ///   - logger: Told of each hook, and of each line that it writes.
    public init(
        _ commands: HookCommands,
        node: String,
        database: FilePath,
        limit: Duration = standardLimit,
        logger: Logger
    ) {
        (self.commands, self.node, self.database) = (commands, node, database)
        (self.limit, self.logger) = (limit, logger)
        (jobs, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Has the hook of an event run soon.
    ///
    /// - Parameters:
    ///   - event: What has happened.
    ///   - role: The role by now, for `SQLITE_REPLICATE_ROLE`.
    ///   - epoch: The epoch, for `SQLITE_REPLICATE_EPOCH`.
    ///   - cluster: The cluster, for `SQLITE_REPLICATE_CLUSTER`, where it is known.
    public func notify(_ event: HookEvent, role: Role, epoch: Epoch, cluster: ClusterID?) {
        // One without a command takes the place of an older one as well: it is what the node is now.
        queue.yield(Job(event: event, role: role, epoch: epoch, cluster: cluster))
    }

    public func run() async {
        await withGracefulShutdownHandler {
            for await job in jobs { await run(job) }
        } onGracefulShutdown: { [queue] in
            queue.finish()
        }
    }

    private func run(_ job: Job) async {
        guard let command = commands[job.event] else { return }
        var environment = ProcessInfo.processInfo.environment
        environment["SQLITE_REPLICATE_ROLE"] = job.role.rawValue
        environment["SQLITE_REPLICATE_NODE"] = "\(node)"
        environment["SQLITE_REPLICATE_EPOCH"] = "\(job.epoch)"
        environment["SQLITE_REPLICATE_DATABASE"] = database.string
        environment["SQLITE_REPLICATE_CLUSTER"] = job.cluster.map { "\($0)" } ?? ""
        var logger = logger
        logger[metadataKey: "hook"] = "\(job.event.rawValue)"
        logger.info("Hook runs", metadata: ["command": "\(command)", "epoch": "\(job.epoch)"])
        let process = HookProcess(command, environment: environment, limit: limit, grace: Self.grace, logger: logger)
        await process.run()
    }
}
