import LTX
import Logging
import ObjectStorage
import SystemPackage

extension DatabaseReplicator {
    /// Merges and drops what is due, until shutdown; sleeps while nothing is.
    func maintainUntilShutdown() async {
        var verified: Set<String> = []
        var failures = 0
        let workspace = workspace
        // What a dead process left unfinished.
        try? await onDisk { try Disk.removeTemporaryFiles(in: workspace) }  // else it only takes room
        if let store = replica.store as? FolderStore {
            _ = try? await store.removeLeftovers(under: "ltx/", olderThan: .seconds(3600))  // the same
        }
        while !state.isShuttingDown, !Task.isCancelled {
            var next: Duration?
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
            state.setMaintenanceIdle(next == nil)
            await maintenance.wait(atMost: next)
        }
    }

    /// Carries out all that is due. Returns how long nothing will be, if nothing comes; `nil` for ever.
    private func maintain(_ verified: inout Set<String>) async throws -> Duration? {
        guard await !shipper.isHalted else { return nil }
        var nextDue: Timestamp?
        while let listing = await shipper.listing, let accepted = await shipper.accepted {
            let plan = CompactionPlan(
                listing: listing,
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
        let result = try await compactor.carryOut(step) { [shipper, state] in
            await !shipper.isHalted && !state.isShuttingDown
        }
        verified.insert(result.file.key)
        await shipper.update(inserting: [result.file], removing: [])
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
        let deleted = try await runner.delete(plan) { [shipper] in await !shipper.isHalted }
        try await engine.dropLocalFiles(local)
        await shipper.update(inserting: [], removing: deleted)
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
        let accepted = await shipper.accepted
        return RetentionPlan(
            listing: await shipper.listing ?? ReplicaListing(),
            localFiles: accepted.map { limit in local.filter { $0.transaction <= limit } } ?? [],
            settings: settings.retention,
            levelCount: settings.levels.intervals.count,
            verified: verified,
            licence: accepted.map { .singleWriter(acceptedThrough: $0, isAnswered: true) } ?? .none,
            now: .now
        )
    }

    /// Publishes a snapshot of the newest state, unless there is one.
    func makeSnapshot() async throws {
        guard let listing = await shipper.listing, let accepted = await shipper.accepted,
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
