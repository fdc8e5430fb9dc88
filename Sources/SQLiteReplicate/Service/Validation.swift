import Logging
import Replication
import SystemPackage

/// Restores a database at an interval and compares the result with what was captured: 0.3's `validation-interval`.
struct Validation: Sendable {
    private let replicator: DatabaseReplicator
    private let interval: Duration
    private let folder: FilePath
    private let logger: Logger

    /// `nil` where no interval is configured.
    init?(
        _ replicator: DatabaseReplicator,
        _ database: DatabaseConfiguration,
        _ configuration: ReplicationConfiguration,
        logger: Logger
    ) {
        guard let interval = database.replica.validationInterval ?? configuration.validationInterval else { return nil }
        (self.replicator, self.interval) = (replicator, interval)
        folder = database.metaPath.appending("sqlite-replicate")
        var logger = logger
        logger[metadataKey: "db"] = "\(database.path)"
        self.logger = logger
    }

    /// Runs until shutdown.
    func run() async {
        await ShutdownAwareTimer.run(every: interval) { await validate() }
    }

    /// One restore, to a temporary file that is removed again.
    ///
    /// The files carry the checksum of the database that they were taken from, page for page, and the restore compares
    /// its result with it: so an equal checksum is an equal database.
    private func validate() async {
        let output = folder.appending("validation.tmp")
        defer { Commands.removeDatabase(output) }
        do {
            let result = try await Restorer(replicator.replica).restore(
                .latest,
                to: output,
                options: RestoreOptions(
                    replacesOutput: true,
                    integrityCheck: { try SQLiteCheck.run("quick_check", on: $0) }
                )
            )
            logger.info(
                "Validated",
                metadata: ["txid": "\(result.plan.max)", "checksum.verified": "\(result.isMarkVerified)"]
            )
        } catch {
            logger.error("Validation failed", metadata: ["error": "\(error)"])
        }
    }
}
