import NIOCore
import NIOPosix
public import SystemPackage

/// Restores databases from a replica.
///
/// ```swift
/// let restorer = Restorer(Replica(store: store, layout: .folder))
/// let result = try await restorer.restore(.latest, to: "/data/app.db")
/// ```
///
/// A value without state: several restores may run at a time, to different outputs.
public struct Restorer: Sendable {
    /// Where the files come from.
    public let replica: Replica

    /// How often a plan is made anew because files of it were merged or replaced meanwhile.
    private static let attemptLimit = 8

    /// Creates a restorer; nothing is asked of the store before the first call.
    public init(_ replica: Replica) { self.replica = replica }

    /// Lists the replica and chooses the files of a restore.
    ///
    /// The levels are not listed at one instant. So where something seems to be missing they are listed again, until two
    /// listings agree.
    ///
    /// - Throws: ``ReplicaError``: as ``RestorePlan/init(listing:target:)``, or `storage` or `cancelled`.
    public func plan(_ target: RestoreTarget) async throws(ReplicaError) -> RestorePlan {
        var before: ReplicaListing?
        var attempts = 0
        while true {
            let listing = try await listing(for: target)
            do { return try RestorePlan(listing: listing, target: target) } catch {
                attempts += 1
                guard listing != before, attempts < Self.attemptLimit else {
                    guard let more = try await findingCopies(in: listing) else { throw error }
                    return try RestorePlan(listing: more, target: target)
                }
                before = listing
            }
        }
    }

    private func listing(for target: RestoreTarget) async throws(ReplicaError) -> ReplicaListing {
        let listing = try await replica.list()
        guard case .timestamp(let moment) = target else { return listing }
        return try await replica.withTimestamps(listing, around: moment)
    }

    /// Restores a database.
    ///
    /// The output appears under its name only when it is complete, verified and on the disk; whatever goes wrong before,
    /// the old file stays as it was, and nothing is left beside it. Missing folders above the output are made. If files
    /// of the plan are merged or dropped meanwhile, another plan is made and carried out.
    ///
    /// The memory needed is some 30 MiB and one bit for each page of the database, whatever its size.
    ///
    /// - Parameters:
    ///   - target: The state to restore.
    ///   - output: The database file. It must not exist or be empty, and no `-wal`, `-shm` or `-journal` may lie beside
    ///     it, unless ``RestoreOptions/replacesOutput`` is set.
    ///   - options: How.
    /// - Throws: ``ReplicaError``; `CancellationError` where the task was cancelled; what the integrity check throws.
    @discardableResult
    public func restore(
        _ target: RestoreTarget,
        to output: FilePath,
        options: RestoreOptions = RestoreOptions()
    ) async throws -> RestoreResult {
        try await restore(target, first: nil, to: output, options)
    }

    /// Restores a database by a plan that was made before.
    ///
    /// As ``restore(_:to:options:)``; if files of the plan are gone by now, another plan for its target is made.
    @discardableResult
    public func restore(
        _ plan: RestorePlan,
        to output: FilePath,
        options: RestoreOptions = RestoreOptions()
    ) async throws -> RestoreResult {
        try await restore(plan.target, first: plan, to: output, options)
    }

    private func restore(
        _ target: RestoreTarget,
        first: RestorePlan?,
        to path: FilePath,
        _ options: RestoreOptions
    ) async throws -> RestoreResult {
        // Threads of its own: a slow disk of this restore holds up nobody else's work.
        let pool = NIOThreadPool(numberOfThreads: Swift.min(options.parallelism, System.coreCount) + 1)
        pool.start()
        let result: Result<RestoreResult, any Error>
        do {
            try await pool.runIfActive { try RestoreOutput.check(path, replaces: options.replacesOutput) }
            var plan = first
            if plan == nil { plan = try await self.plan(target) }
            let output = try await pool.runIfActive { try RestoreOutput(path) }
            do {
                let restored = try await carryOut(plan, target, output, pool, options)
                try await pool.runIfActive {
                    try Self.check(output, options.integrityCheck)
                    try output.publish(replaces: options.replacesOutput)
                }
                result = .success(restored)
            } catch {
                // Not on the pool: nothing is left behind even when this task is cancelled.
                output.discard()
                throw error
            }
        } catch { result = .failure(error) }
        try await pool.end()
        return try result.get()
    }

    /// Carries out a plan, and another one when files of it vanish.
    private func carryOut(
        _ first: RestorePlan?,
        _ target: RestoreTarget,
        _ output: RestoreOutput,
        _ pool: NIOThreadPool,
        _ options: RestoreOptions
    ) async throws -> RestoreResult {
        var (next, attempts) = (first, 1)
        while true {
            var plan = next
            if plan == nil { plan = try await self.plan(target) }
            guard let plan else { throw CancellationError() }
            let execution = RestoreExecution(
                replica: replica,
                plan: plan,
                output: output,
                pool: pool,
                parallelism: options.parallelism,
                progress: options.progress
            )
            do { return try await execution.run() } catch let error as ReplicaError {
                guard attempts < Self.attemptLimit, try await isOutdated(plan, by: error) else { throw error }
            }
            attempts += 1
            next = nil
            try await pool.runIfActive { try output.resize(to: 0) }
        }
    }

    /// Whether an error is owed to a plan whose files have changed meanwhile.
    private func isOutdated(_ plan: RestorePlan, by error: ReplicaError) async throws(ReplicaError) -> Bool {
        if error.code == .changing { return true }
        guard error.code == .damaged || error.code == .mismatch else { return false }
        let listing = try await replica.list(levels: Set(plan.files.map(\.level)))
        return plan.files.contains { file in
            let now = listing.file(level: file.level, min: file.min, max: file.max)
            return now?.byteCount != file.byteCount || replica.layout.listsTimestamps && now?.created != file.created
        }
    }

    private static func check(_ output: RestoreOutput, _ look: (@Sendable (FilePath) throws -> [String])?) throws {
        guard let look else { return }
        let findings = try look(output.temporary)
        try output.removeTemporarySidecars()
        guard findings.isEmpty else {
            let text = "SQLite finds the restored database wrong: \(findings.prefix(3).joined(separator: "; "))."
            throw ReplicaError(.integrityCheck, "\(text) Restore to an earlier transaction.")
        }
    }
}
