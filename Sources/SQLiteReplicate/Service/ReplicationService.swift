public import Logging
public import Replication
public import ServiceLifecycle
import SystemPackage

/// Replicates all databases of a configuration, until graceful shutdown.
///
/// ```swift
/// let file = try ConfigurationFile.load(path: "/etc/litestream.yml")
/// let service = try ReplicationService(file.configuration, logger: logger)
/// try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public final class ReplicationService: Service {
    /// One replicator for each database, in the order of the configuration.
    public let replicators: [DatabaseReplicator]
    private let configuration: ReplicationConfiguration
    /// One for each database that is validated.
    let validations: [Validation]
    private let logger: Logger

    /// Prepares the replication; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: The databases and their replicas.
    ///   - isInProcess: Whether the application uses these databases in this process.
    ///   - logger: For what happens in the background.
    /// - Throws: `ObjectStoreError` for settings that a store cannot use.
    public init(_ configuration: ReplicationConfiguration, isInProcess: Bool = true, logger: Logger) throws {
        (self.configuration, self.logger) = (configuration, logger)
        let notifier = ChangeNotifier()
        replicators = try configuration.databases.map { database in
            var settings = DatabaseSettings(configuration, database: database)
            settings.isInProcess = isInProcess
            settings.switchesToWAL = !isInProcess
            let replica = try Replica(database.replica, database: database.path, logger: logger)
            return DatabaseReplicator(settings, replica: replica, notifier: notifier, logger: logger)
        }
        validations = zip(replicators, configuration.databases).compactMap { replicator, database in
            Validation(database, configuration, replica: replicator.replica, logger: logger) {
                Validation.Goal(transaction: await replicator.status().replicated)
            }
        }
    }

    /// Restores databases that have no file where the configuration asks for it, then replicates all of them.
    ///
    /// - Throws: what a replicator throws; the others are ended then.
    public func run() async throws {
        for database in configuration.databases where database.restoreIfDatabaseNotExists {
            try await restoreIfMissing(database)
        }
        try await withThrowingTaskGroup { group in
            for replicator in replicators { group.addTask { try await replicator.run() } }
            if let heartbeat = Heartbeat(configuration, replicators: replicators, logger: logger) {
                group.addTask { await heartbeat.run() }
            }
            for validation in validations { group.addTask { await validation.run() } }
            // Not `waitForAll`, which waits for the others even where one has thrown.
            for try await _ in group {}
        }
    }

    /// Whether each database is captured, or is known not to be there yet, so that somebody may make it.
    func hasBegun() async -> Bool {
        for replicator in replicators {
            let status = await replicator.status()
            if status.phase == .waiting, status.lastError == nil { return false }
        }
        return true
    }

    private func restoreIfMissing(_ database: DatabaseConfiguration) async throws {
        var request = RestoreRequest(replica: database.replica, output: database.path)
        (request.ifDatabaseNotExists, request.ifReplicaExists) = (true, true)
        let answer = try await Commands.restore(request, logger: logger) { _ in }
        guard case .restored(let txid, let took) = answer else { return }
        logger.info(
            "Database restored",
            metadata: ["db": "\(database.path)", "txid": "\(txid)", "took": "\(took)"]
        )
    }
}

extension DatabaseSettings {
    /// Takes the settings of a configuration file.
    init(_ configuration: ReplicationConfiguration, database: DatabaseConfiguration) {
        self.init(database: database.path)
        metadata = database.metaPath
        syncInterval = database.replica.syncInterval
        slowPoll = database.monitorInterval
        softLimitFrames = database.minCheckpointPageCount.flatMap(UInt32.init(exactly:))
        if database.truncatePageN > 0 { longLogFrames = UInt32(exactly: database.truncatePageN) }
        if database.checkpointInterval > .zero { longestRotationDelay = database.checkpointInterval }
        if let bound = database.maxSyncWALBytes, bound > 0 { captureLimit = Int(clamping: max(1 << 20, bound)) }
        busyTimeout = max(database.busyTimeout, .seconds(1))
        levels = LevelSettings(intervals: configuration.levels, snapshotInterval: configuration.snapshot.interval)
        retention = RetentionSettings(
            isEnabled: configuration.retentionEnabled,
            snapshots: configuration.snapshot.retention,
            level0: configuration.l0Retention,
            level0CheckInterval: configuration.l0RetentionCheckInterval
        )
        shutdownTimeout = configuration.shutdownSyncTimeout
        shutdownRetryInterval = configuration.shutdownSyncInterval
    }
}
