public import LTX
import NIOPosix
public import SystemPackage

/// Carries out retention plans.
public struct RetentionRunner: Sendable {
    /// The replica.
    public let replica: Replica
    /// A folder for unfinished files; created when it is missing.
    public let workspace: FilePath

    /// How many files are deleted before the permission is asked for again.
    private static let batchCount = 1000

    /// Creates a runner.
    public init(_ replica: Replica, workspace: FilePath) { (self.replica, self.workspace) = (replica, workspace) }

    /// Reads back the files that a plan wants verified before more can be dropped.
    ///
    /// - Returns: The keys of those that are whole, to be added to the set of verified files.
    /// - Throws: ``ReplicaError``: `damaged` for a file that is not whole: nothing that it covers must be dropped.
    ///   `changing` where one is gone; `storage` and the like; `CancellationError`.
    public func verify(_ plan: RetentionPlan) async throws -> Set<String> {
        guard !plan.unverified.isEmpty else { return [] }
        let files = TemporaryFiles(workspace)
        defer { files.removeAll() }
        let verifier = FileVerifier(replica: replica, files: files, pool: .maintenance)
        var keys: Set<String> = []
        for file in plan.unverified {
            _ = try await verifier.verify(file)
            keys.insert(file.key)
        }
        return keys
    }

    /// Deletes what a plan drops.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - isPermitted: Asked before each batch; `false` ends the work, as a node must whose lease may have ended.
    ///   - removeLocal: Removes the local file of a transaction.
    /// - Returns: The files that were deleted from the store, to be removed from the listing.
    /// - Throws: ``ReplicaError`` with code `storage` or `cancelled`, and what `removeLocal` throws. What was planned
    ///   and not done comes up in the next plan again; a file deleted twice is no error.
    public func delete(
        _ plan: RetentionPlan,
        isPermitted: @Sendable () async -> Bool = { true },
        removeLocal: @Sendable (TransactionID) async throws -> Void = { _ in }
    ) async throws -> [ReplicaFile] {
        var deleted: [ReplicaFile] = []
        while deleted.count < plan.deletions.count, await isPermitted() {
            let batch = Array(plan.deletions[deleted.count...].prefix(Self.batchCount))
            try await replica.delete(batch)
            deleted += batch
        }
        for transaction in plan.localDeletions { try await removeLocal(transaction) }
        return deleted
    }
}
