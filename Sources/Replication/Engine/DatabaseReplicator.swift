public import LTX
public import Logging
import ObjectStorage
public import ServiceLifecycle
import Synchronization
import SystemPackage

/// Replicates one database to one replica: captures its commits without a gap, ships them, merges and drops what is
/// old.
///
/// ```swift
/// let replica = Replica(store: FolderStore(root: "/backup/app"), layout: .folder)
/// let replicator = DatabaseReplicator(DatabaseSettings(database: "/data/app.db"), replica: replica, logger: logger)
/// try await ServiceGroup(services: [replicator], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
///
/// Its methods may be called from any task. Several replicators share a ``ChangeNotifier``.
public final class DatabaseReplicator: Service {
    /// How the database is treated.
    public let settings: DatabaseSettings
    /// Where it is shipped to.
    public let replica: Replica

    let engine: CaptureEngine
    let shipper: Shipper
    let logger: Logger
    let shipping = Wakeup()
    let maintenance: ReplicaMaintenance
    let maintenanceSignal = MaintenanceSignal()
    let attaching = Wakeup()
    /// Capture has ended: the time for shutdown runs.
    let ending = Wakeup()
    let waiters = TransactionWaiters()
    let state: ReplicatorState

    /// Creates a replicator; nothing is opened before ``run()``.
    public convenience init(_ settings: DatabaseSettings, replica: Replica, logger: Logger) {
        self.init(settings, replica: replica, notifier: ChangeNotifier(), logger: logger)
    }

    /// As ``init(_:replica:logger:)``, with a channel for changes that several replicators share.
    package init(_ settings: DatabaseSettings, replica: Replica, notifier: ChangeNotifier?, logger: Logger) {
        (self.settings, self.replica) = (settings, replica)
        var logger = logger
        logger[metadataKey: "db"] = "\(settings.database)"
        self.logger = logger
        let state = ReplicatorState(logger: logger)
        self.state = state
        let (shipping, attaching) = (shipping, attaching)
        let engine = CaptureEngine(
            settings: settings.capture,
            notifier: notifier,
            onEvent: { event in
                state.note(event)
                switch event {
                case .fileReplaced, .spoolFull: attaching.signal()
                default: break
                }
            },
            onClosed: { shipping.signal() }
        )
        self.engine = engine
        let (waiters, signal) = (waiters, maintenanceSignal)
        let shipper = Shipper(
            engine: engine,
            replica: replica,
            folder: MetadataFolder(root: settings.metadata ?? MetadataFolder.defaultPath(for: settings.database)),
            onEvent: { event in
                state.note(event)
                guard case .shipped(let id, _) = event else { return }
                waiters.accept(id)
                signal.signalIfIdle()
            }
        )
        self.shipper = shipper
        maintenance = ReplicaMaintenance(
            engine,
            replica: replica,
            settings: settings,
            books: shipper,
            logger: logger,
            signal: signal,
            isEnding: { state.isShuttingDown }
        )
    }

    /// Where replication stands.
    public func status() async -> ReplicationStatus {
        let engine = await engine.status()
        let accepted = await shipper.accepted
        return state.status(engine: engine, accepted: accepted, isHalted: await shipper.isHalted)
    }

    /// Waits until everything that is committed by now has been accepted by the store.
    ///
    /// - Parameter timeout: The longest wait; it also holds while another upload is under way.
    /// - Returns: The transaction that covers it; `nil` where nothing was ever committed.
    /// - Throws: ``ReplicationTimeout`` where the time ran out, ``CaptureError`` where the database is not attached.
    @discardableResult
    public func sync(timeout: Duration) async throws -> TransactionID? {
        try await withThrowingTaskGroup(of: TransactionID?.self) { group in
            group.addTask { try await self.flushAndWait() }
            group.addTask {
                try await Pause.sleep(for: timeout)
                throw ReplicationTimeout(database: self.settings.database.string, timeout: timeout)
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func flushAndWait() async throws -> TransactionID? {
        while true {
            let status = await engine.status()
            if status.phase == .attached, await shipper.listing != nil, let id = try await engine.flush() {
                if let accepted = await shipper.accepted { waiters.accept(accepted) }
                try await waiters.wait(for: id)
                return id
            }
            // A copy is under way, or the database is not attached yet.
            try await state.changes.wait()
        }
    }
}

/// The time of ``DatabaseReplicator/sync(timeout:)`` ran out; the commits are safe here and on their way.
public struct ReplicationTimeout: Error, Sendable, CustomStringConvertible {
    let database: String
    let timeout: Duration

    public var description: String {
        "\(database) was not replicated within \(timeout): its commits are kept and shipped as soon as the store answers."
    }
}
