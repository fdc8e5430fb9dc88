import Cluster
import Logging
import Replication
import ServiceLifecycle

/// The writer of a node: it writes while the node is primary, and opens the database only then.
struct NodeWriter: Service {
    private let node: ClusterNode
    private let interval: Duration
    private let logger: Logger

    init(_ node: ClusterNode, interval: Duration, logger: Logger) {
        (self.node, self.interval, self.logger) = (node, interval, logger)
    }

    func run() async throws {
        // Until then there may be no database, or one that is being replaced.
        var isPrimary = false
        for await role in node.roleChanges.cancelOnGracefulShutdown() where role == .primary {
            await waitForTheGate()
            // It may be over already; then it is the next time that counts.
            isPrimary = node.role == .primary
            if isPrimary { break }
        }
        // A node that has ended tells why; this service goes with the others.
        guard isPrimary else { return await waitForTheEnd() }
        guard let database = await open() else { return }
        let writer = EventWriter(database, interval: interval, logger: logger)
        await withDiscardingTaskGroup { group in
            group.addTask { await writer.run() }
            for await role in node.roleChanges.cancelOnGracefulShutdown() {
                guard role == .primary else {
                    writer.stop()
                    continue
                }
                await waitForTheGate()
                writer.start()
            }
            await waitForTheEnd()
            group.cancelAll()
        }
        try await database.close()
    }

    /// The role is told a moment before the gate opens.
    private func waitForTheGate() async {
        while node.role == .primary, !node.gate.isOpen, !Task.isShuttingDownGracefully, !Task.isCancelled {
            await ShutdownAwareTimer.wait(min(interval, .milliseconds(20)))
        }
    }

    private func waitForTheEnd() async {
        try? await gracefulShutdown()  // cancelled: the end as well
    }

    /// Opens the database, and makes its tables; tried again until it works.
    private func open() async -> AppDatabase? {
        let path = node.configuration.database.database
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                let database = try await AppDatabase(at: path, creates: false, gate: node.gate)
                try await database.makeTables()
                return database
            } catch {
                logger.warning("The writer waits", metadata: ["error": "\(error)"])
                await ShutdownAwareTimer.wait(interval)
            }
        }
        return nil
    }
}
