import LTX
import Logging
import ObjectStorage
import Replication
import ServiceLifecycle
import SystemPackage

/// Restores a database at an interval and compares the result with what was captured: 0.3's `validation-interval`.
struct Validation: Service {
    /// What a restore has to lead to: this transaction, or a later one.
    struct Goal: Sendable {
        /// The newest transaction that the replica is known to hold; `nil` where none is known.
        var transaction: TransactionID?
        /// The checksum of the database after it, where that is known.
        var checksum: UInt64?
        /// Where it is to be restored from; `nil`: where the validation does so by default.
        var replica: Replica?
    }

    /// What was found.
    let record: ValidationRecord
    private let replica: Replica
    private let interval: Duration
    private let folder: FilePath
    private let logger: Logger
    private let goal: @Sendable () async -> Goal?

    /// `nil` where no interval is configured.
    ///
    /// - Parameters:
    ///   - replica: Where the database is restored from.
    ///   - goal: Tells, before each restore, what it has to lead to; `nil`: this is no time for one.
    init?(
        _ database: DatabaseConfiguration,
        _ configuration: ReplicationConfiguration,
        replica: Replica,
        logger: Logger,
        goal: @escaping @Sendable () async -> Goal?
    ) {
        guard let interval = database.replica.validationInterval ?? configuration.validationInterval else { return nil }
        record = ValidationRecord(database.path)
        (self.replica, self.interval, self.goal) = (replica, interval, goal)
        folder = database.metaPath.appending("sqlite-replicate")
        var logger = logger
        logger[metadataKey: "db"] = "\(database.path)"
        self.logger = logger
    }

    /// Runs until shutdown.
    func run() async {
        await ShutdownAwareTimer.run(every: interval) { await validate() }
    }

    private func validate() async {
        guard let goal = await goal() else { return logger.info("Not validated: the node is finding its place") }
        do {
            let result = try await restore(goal)
            logger.info(
                "Validated",
                metadata: ["txid": "\(result.plan.max)", "checksum.verified": "\(result.isMarkVerified)"]
            )
            // Without its mark a file of another program proves that it can be restored, not that it is the database.
            guard result.isMarkVerified else { return }
            record.note(RestoreProof(time: .now, transaction: result.plan.max))
        } catch {
            guard !Task.isCancelled else { return }  // the end was asked for
            logger.error("Validation failed", metadata: ["error": "\(error)"])
            record.note(failure: "\(error)")
        }
    }

    /// One restore, to a temporary file that is removed again.
    ///
    /// The files carry the checksum of the database that they were taken from, page for page, and the restore compares
    /// its result with it: so an equal checksum is an equal database.
    private func restore(_ goal: Goal) async throws -> RestoreResult {
        let output = folder.appending("validation.tmp")
        defer { Commands.removeDatabase(output) }
        let result = try await Restorer(goal.replica ?? replica).restore(
            .latest,
            to: output,
            options: RestoreOptions(
                replacesOutput: true,
                integrityCheck: { try SQLiteCheck.run("quick_check", on: $0) }
            )
        )
        guard let transaction = goal.transaction else { return result }
        guard result.plan.max >= transaction else {
            throw ReplicaError(
                .hole,
                "A restore leads to \(result.plan.max) only, and the replica had accepted \(transaction): files are gone. "
                    + "Run 'verify' on the replica."
            )
        }
        if let checksum = goal.checksum, result.plan.max == transaction, result.databaseChecksum != checksum {
            throw ReplicaError(
                .mismatch,
                "A restore of \(transaction) is not the database as it was captured. Run 'verify' on the replica."
            )
        }
        return result
    }
}
