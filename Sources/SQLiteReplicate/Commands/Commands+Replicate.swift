import CSQLite
public import Logging
import Replication
import ServiceLifecycle
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Commands {
    /// Replicates the databases of a configuration until graceful shutdown, or once.
    ///
    /// The program of ``ReplicationConfiguration/exec`` runs meanwhile, unless all is done at once: when it ends, so does
    /// the replication, and when the replication fails, so does the program. A process that does so must call
    /// ``GuardProgram/run(_:)`` at its start.
    ///
    /// - Parameters:
    ///   - configuration: What is replicated.
    ///   - options: How.
    ///   - stopSignal: Which signal asked for a graceful shutdown: the program gets the same; `nil`: SIGTERM.
    ///   - logger: For what happens.
    /// - Throws: `CaptureError` for a database that cannot be replicated, `ObjectStoreError` for settings of a store,
    ///   ``ConfigurationError`` for the configuration of a cluster, in which only nodes may write.
    public static func replicate(
        _ configuration: ReplicationConfiguration,
        options: ReplicateOptions,
        stopSignal: (@Sendable () -> Int32)? = nil,
        logger: Logger
    ) async throws -> ReplicateOutcome {
        guard configuration.cluster == nil else {
            throw ConfigurationError(
                .conflict,
                "the configuration is of a 'cluster', whose files only its nodes may write: run 'service' or 'standby' "
                    + "with it"
            )
        }
        // The process is ours: SQLite may as well be sparing with memory. Refused if it is in use already, which is fine.
        _ = csqlite_allocate_cache_pages_singly()
        let service = try ReplicationService(configuration, isInProcess: false, logger: logger)
        if service.replicators.isEmpty { logger.warning("No databases in the configuration") }
        for replicator in service.replicators {
            logger.info(
                "Replicating",
                metadata: ["db": "\(replicator.settings.database)", "replica": "\(replicator.replica.store)"]
            )
        }
        var program: AccompanyingProgram?
        if let text = configuration.exec, !options.isOnce {
            program = AccompanyingProgram(
                try ProgramCommand(parsing: text),
                of: service,
                stopSignal: stopSignal ?? { SIGTERM },
                logger: logger
            )
        }
        do {
            if options.isOnce {
                for replicator in service.replicators {
                    try await replicator.runOnce(
                        forcesSnapshot: options.forcesSnapshot,
                        enforcesRetention: options.enforcesRetention
                    )
                }
            } else if let program {
                try await program.run(with: service)
            } else if service.replicators.isEmpty {
                try? await gracefulShutdown()  // cancelled: the end as well
            } else {
                try await service.run()
            }
            return ReplicateOutcome(isEverythingShipped: true, programExitCode: program?.exitCode)
        } catch let error as ReplicationIncomplete {
            logger.error("Not everything was shipped", metadata: ["error": "\(error)"])
            return ReplicateOutcome(isEverythingShipped: false, programExitCode: program?.exitCode)
        }
    }

    /// Removes a temporary database with what SQLite may have left beside it.
    static func removeDatabase(_ path: FilePath) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            _ = unsafe FilePath(path.string + suffix).withPlatformString { unsafe unlink($0) }
        }
    }
}
