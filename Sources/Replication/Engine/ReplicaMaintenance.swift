package import LTX
package import Logging
import ObjectStorage
import Synchronization
import SystemPackage

/// What maintenance must know of a replica, and of the right to change it.
package protocol ReplicaBooks: Sendable {
    /// The replica's files, as far as this process knows; `nil` before it was asked.
    var listing: ReplicaListing? { get async }
    /// The highest transaction that the store has accepted.
    var accepted: TransactionID? { get async }
    /// The transaction behind which a whole copy lies with which the history went on; `nil` where it never began anew.
    ///
    /// What lies up to it may be another program's, with pages of another size, and is not merged with what lies behind.
    var beginning: TransactionID? { get async }
    /// Whether nothing may be merged or deleted any more.
    var isHalted: Bool { get async }
    /// What may be deleted at this moment.
    func deletionLicence() async -> DeletionLicence
    /// Notes files that were merged into the replica, or removed from it.
    func update(inserting new: [ReplicaFile], removing old: [ReplicaFile]) async
}

extension ReplicaBooks {
    package var beginning: TransactionID? { nil }
}

/// Merges what is accepted, and drops what is past its retention.
package final class ReplicaMaintenance: Sendable {
    private let engine: CaptureEngine
    private let replica: Replica
    private let settings: DatabaseSettings
    private let books: any ReplicaBooks
    private let logger: Logger
    private let signal: MaintenanceSignal
    private let isEnding: @Sendable () -> Bool

    /// Prepares maintenance.
    ///
    /// - Parameters:
    ///   - engine: Whose local files may stand in for those of the store.
    ///   - replica: The replica.
    ///   - settings: What is merged and dropped, and when.
    ///   - books: What is known of the replica.
    ///   - logger: For what happens in the background.
    ///   - signal: Wakes it.
    ///   - isEnding: Whether the process is on its way out: nothing new is begun then.
    package init(
        _ engine: CaptureEngine,
        replica: Replica,
        settings: DatabaseSettings,
        books: any ReplicaBooks,
        logger: Logger,
        signal: MaintenanceSignal,
        isEnding: @escaping @Sendable () -> Bool
    ) {
        (self.engine, self.replica, self.settings) = (engine, replica, settings)
        (self.books, self.logger, self.signal, self.isEnding) = (books, logger, signal, isEnding)
    }

    /// Merges and drops what is due, until shutdown; sleeps while nothing is.
    package func run() async {
        var verified: Set<String> = []
        var failures = 0
        let workspace = workspace
        // What a dead process left unfinished.
        try? await onDisk { try Disk.removeTemporaryFiles(in: workspace) }  // else it only takes room
        if let store = replica.store as? FolderStore {
            _ = try? await store.removeLeftovers(under: "ltx/", olderThan: .seconds(3600))  // the same
        }
        while !isEnding(), !Task.isCancelled {
            var next: Duration?
            let before = await books.accepted
            do {
                next = try await maintain(&verified)
                if failures > 0 { logger.info("Merging recovered") }
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                next = .seconds(min(300, 5 << min(failures, 6)))
                if failures == 1 || failures.isMultiple(of: 10) {
                    logger.error("Merging failed, trying again", metadata: ["error": "\(error)"])
                }
            }
            signal.isIdle.store(next == nil, ordering: .sequentiallyConsistent)
            // What was accepted while this was planned told nobody.
            if next == nil, await books.accepted != before { continue }
            await signal.wakeup.wait(atMost: next)
        }
    }

    /// Carries out all that is due. Returns how long nothing will be, if nothing comes; `nil` for ever.
    private func maintain(_ verified: inout Set<String>) async throws -> Duration? {
        guard await !books.isHalted else { return nil }
        var nextDue: Timestamp?
        while let listing = await books.listing, let accepted = await books.accepted {
            let beginning = await books.beginning
            let plan = CompactionPlan(
                listing: listing.filter { file in
                    file.level == ReplicaLayout.snapshotLevel || beginning.map { file.max > $0 } ?? true
                },
                settings: settings.levels,
                now: .now,
                acceptedThrough: accepted,
                bridgesHoles: true
            )
            guard let step = plan.steps.first else {
                nextDue = plan.nextDue
                break
            }
            try await carryOut(step, &verified)
        }
        guard let retention = try await dropDue(&verified) else { return delay(until: nextDue) }
        return delay(until: [nextDue, retention].compactMap(\.self).min())
    }

    private func carryOut(_ step: CompactionStep, _ verified: inout Set<String>) async throws {
        let folder = engine.folderForFiles
        let compactor = Compactor(
            replica,
            workspace: workspace,
            localSources: LocalSources { level, min, max in
                guard level == 0, min == max else { return nil }
                let path = folder.transactionFile(max)
                return FileStatus.exists(path) ? path : nil
            },
            snapshotSource: { [workspace] transaction in
                try await onDisk { try LocalSnapshot(folder: folder, workspace: workspace).make(as: transaction) }
            }
        )
        let result = try await compactor.carryOut(step) { [books, isEnding] in
            await !books.isHalted && !isEnding()
        }
        verified.insert(result.file.key)
        await books.update(inserting: [result.file], removing: [])
        logger.debug(
            step.isSnapshot ? "Snapshot complete" : "Merge complete",
            metadata: [
                "compaction.level": "\(step.level)", "txid.min": "\(step.min)", "txid.max": "\(step.max)",
                "bytes": "\(result.file.byteCount)",
            ]
        )
    }

    /// Drops what is past its retention. Returns when something comes of age; `nil`: nothing does.
    private func dropDue(_ verified: inout Set<String>) async throws -> Timestamp? {
        let runner = RetentionRunner(replica, workspace: workspace)
        var plan = try await retentionPlan(verified)
        if !plan.unverified.isEmpty {
            verified.formUnion(try await runner.verify(plan))
            plan = try await retentionPlan(verified)
        }
        guard !plan.deletions.isEmpty || !plan.localDeletions.isEmpty else { return plan.nextDue }
        let engine = engine
        let local = plan.localDeletions
        let deleted = try await runner.delete(plan) { [books] in await !books.isHalted }
        try await engine.dropLocalFiles(local)
        await books.update(inserting: [], removing: deleted)
        logger.debug("Retention", metadata: ["deleted": "\(deleted.count)", "local": "\(local.count)"])
        return try await retentionPlan(verified).nextDue
    }

    private func retentionPlan(_ verified: Set<String>) async throws -> RetentionPlan {
        let folder = engine.folderForFiles
        let local = try await onDisk {
            try folder.transactionIDs().compactMap { id -> LocalFile? in
                guard let status = try FileStatus(path: folder.transactionFile(id)) else { return nil }
                return LocalFile(transaction: id, created: Timestamp(rawValue: status.modified / 1_000_000))
            }
        }
        let accepted = await books.accepted
        return RetentionPlan(
            listing: await books.listing ?? ReplicaListing(),
            localFiles: accepted.map { limit in local.filter { $0.transaction <= limit } } ?? [],
            settings: settings.retention,
            levelCount: settings.levels.intervals.count,
            verified: verified,
            licence: await books.deletionLicence(),
            now: .now
        )
    }

    /// Publishes a snapshot of the newest state, unless there is one.
    func makeSnapshot() async throws {
        guard let listing = await books.listing, let accepted = await books.accepted,
            listing.highest(level: ReplicaLayout.snapshotLevel) != accepted
        else { return }
        let sources = try RestorePlan(listing: listing, target: .latest).files
        var verified: Set<String> = []
        try await carryOut(CompactionStep(level: ReplicaLayout.snapshotLevel, sources: sources, due: .now), &verified)
    }

    /// Drops what is past its retention, once.
    func dropExpired() async throws {
        var verified: Set<String> = []
        _ = try await dropDue(&verified)
    }

    /// Where unfinished merges lie.
    private var workspace: FilePath { engine.folderForFiles.own.appending("merge") }

    private func delay(until moment: Timestamp?) -> Duration? {
        moment.map { .milliseconds(max(10, $0.rawValue - Timestamp.now.rawValue)) }
    }
}
