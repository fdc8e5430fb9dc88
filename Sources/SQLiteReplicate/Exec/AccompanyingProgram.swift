import Cluster
import Logging
import ObjectStorage
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs the program of `exec` once, beside a replication without a cluster: from when its databases are captured until the
/// program ends, or has to.
///
/// A graceful shutdown passes the signal on and waits for the program, however long it takes; a cancellation ends it. It
/// also ends, by its guard, when this process dies.
final class AccompanyingProgram: Service {
    /// How often it is looked whether the replication has begun.
    private static let look = Duration.milliseconds(20)

    private let command: ProgramCommand
    private let replication: ReplicationService?
    private let stopSignal: @Sendable () -> Int32
    private let logger: Logger
    private let code = Mutex<Int32?>(nil)

    init(
        _ command: ProgramCommand,
        of replication: ReplicationService?,
        stopSignal: @escaping @Sendable () -> Int32 = { SIGTERM },
        logger: Logger
    ) {
        (self.command, self.replication) = (command, replication)
        (self.stopSignal, self.logger) = (stopSignal, logger)
    }

    /// The code with which it has ended; 0 where the signal that was passed on has ended it.
    var exitCode: Int32? { code.withLock(\.self) }

    /// Runs the program beside the replication, which ends after it: what it wrote last is shipped, too.
    ///
    /// - Throws: What the replication throws; the program has ended by then. ``ProgramError`` where it cannot be run.
    func run(with replication: ReplicationService) async throws {
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        // It would end at once, and the program with it.
        if !replication.replicators.isEmpty { services.append(.init(service: replication)) }
        services.append(.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup))
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services,
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        try await group.run()
    }

    func run() async throws {
        guard await waitForReplication() else { return }
        let never = Moment(reading: .seconds(Int64.max))
        let program = try ProgramGuard(command, until: never, lockedBy: never, logger: logger)
        let passedOn = Mutex<Int32?>(nil)
        let code = await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await program.exit()
            } onCancel: {
                program.stop("the replication has ended")
            }
        } onGracefulShutdown: { [stopSignal] in
            let signal = stopSignal()
            passedOn.withLock { $0 = signal }
            program.signal(signal)
        }
        let isAsked = passedOn.withLock { $0.map { code == 128 + $0 } ?? false }
        self.code.withLock { $0 = isAsked ? 0 : code }
    }

    /// Waits until the replication has begun. Returns `false` where the process is to end before.
    private func waitForReplication() async -> Bool {
        guard let replication else { return true }
        while await !replication.hasBegun() {
            await ShutdownAwareTimer.wait(Self.look)
            if Task.isCancelled || Task.isShuttingDownGracefully { return false }
        }
        return true
    }
}
