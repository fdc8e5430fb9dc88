public import LTX
import NIOPosix
import ObjectStorage
public import SystemPackage

/// Carries out merges: the steps of a ``CompactionPlan``.
///
/// What is merged is read from this host where it lies here, and fetched else. The result is made in a local file, put
/// into the store, read back from there and verified; only then is the step done. Nobody waits for any of it: neither
/// the database nor a lock is touched.
///
/// A value without state. One step at a time is enough for one replica; steps of several replicas may run side by side.
public struct Compactor: Sendable {
    /// The replica.
    public let replica: Replica
    /// A folder for unfinished files, which end in `.tmp`; created when it is missing.
    public let workspace: FilePath
    /// Files on this host that need not be fetched.
    public let localSources: LocalSources
    /// Keeps merged files until the next level has taken them in; `nil`: they are fetched for it.
    public let cache: MergeCache?
    /// Makes a snapshot as of a transaction from the live database: a complete transaction file from transaction 1 to
    /// that one, in the workspace, which the compactor removes. `nil` where it cannot be had, as when the database
    /// stands elsewhere by now.
    ///
    /// Asked for only where the files of a snapshot would have to be fetched, or do not suffice.
    public let snapshotSource: (@Sendable (TransactionID) async throws -> FilePath?)?

    /// Creates a compactor.
    public init(
        _ replica: Replica,
        workspace: FilePath,
        localSources: LocalSources = .none,
        cache: MergeCache? = nil,
        snapshotSource: (@Sendable (TransactionID) async throws -> FilePath?)? = nil
    ) {
        (self.replica, self.workspace) = (replica, workspace)
        (self.localSources, self.cache, self.snapshotSource) = (localSources, cache, snapshotSource)
    }

    /// What a step has led to.
    public struct Result: Hashable, Sendable {
        /// The file that now lies in the store, read back and verified.
        public let file: ReplicaFile
        /// Bytes of sources that were fetched from the store, the reading back not counted.
        public let fetchedByteCount: Int64
        /// How many pages the file holds.
        public let pageCount: Int
    }

    /// Carries out a step.
    ///
    /// - Parameter isPermitted: Asked just before the result is put into the store; `false` abandons the step, as a
    ///   node must whose lease may have ended.
    /// - Returns: The result, to be inserted into the listing and into the set of verified files.
    /// - Throws: ``ReplicaError``: `changing` where a source is gone, `damaged` where one is not whole, or the result
    ///   read back is not what was put (it is removed again); `hole` where a snapshot would need what is missing;
    ///   `storage`, `fileSystem`, `diskFull`. `CancellationError` where the task was cancelled or `isPermitted` refused.
    public func carryOut(
        _ step: CompactionStep,
        isPermitted: @Sendable () async -> Bool = { true }
    ) async throws -> Result {
        // Threads of their own: merging for minutes holds up nobody else's work.
        try await carryOut(step, .maintenance, isPermitted)
    }

    private func carryOut(
        _ step: CompactionStep,
        _ pool: NIOThreadPool,
        _ isPermitted: @Sendable () async -> Bool
    ) async throws -> Result {
        let files = TemporaryFiles(workspace)
        defer { files.removeAll() }
        let merge = MergeInputs(replica: replica, local: localSources, cache: cache, files: files, pool: pool)

        let made: MadeFile
        var fetched: Int64 = 0
        if step.isSnapshot, let path = try await snapshot(step, merge) {
            files.adopt(path)
            made = try await pool.runIfActive { try MadeFile(path, of: step) }
        } else {
            guard !step.sources.isEmpty else {
                let text = "Transactions before \(step.max) are missing in the replica, and no snapshot bridges them"
                throw ReplicaError(.hole, "\(text): the database must be attached for one.")
            }
            (made, fetched) = try await make(step, merge, files, pool)
        }
        // Sources that were fetched are not needed any more; the disk may be small.
        files.removeAll(except: made.path)
        guard await isPermitted() else { throw CancellationError() }
        let file = try await replica.put(
            made.path,
            header: made.summary.header,
            byteCount: made.summary.byteCount,
            level: step.level,
            isTemporary: !mayKeep(step)
        )
        let isKept = try await pool.runIfActive { keep(made, file, from: step) }
        if isKept { files.forget(made.path) } else { files.removeAll() }
        try await verify(file, made.summary, files, pool)
        return Result(file: file, fetchedByteCount: fetched, pageCount: made.summary.pageCount)
    }

    /// Merges a step's sources: those on this host where it can be, else those of the store.
    private func make(
        _ step: CompactionStep,
        _ merge: MergeInputs,
        _ files: TemporaryFiles,
        _ pool: NIOThreadPool
    ) async throws -> (MadeFile, fetched: Int64) {
        var sources = try await merge.gather(step.sources)
        while true {
            let gathered = sources
            let target = try await place(for: step, files, pool)
            do {
                let made = try await run(on: pool) { isCancelled in
                    try MadeFile(merging: gathered.paths, of: step, into: target, isCancelled: isCancelled)
                }
                return (made, sources.fetchedByteCount)
            } catch let error as ReplicaError {
                // A file here may be damaged, or gone by now, where the store's is whole.
                guard error.code == .damaged || error.code == .changing, sources.hasStandIns else { throw error }
                files.removeAll()
                sources = try await merge.gather(step.sources, mayStandIn: false)
            }
        }
    }

    /// Where the result is made: where the store can take it, else in the workspace.
    private func place(
        for step: CompactionStep,
        _ files: TemporaryFiles,
        _ pool: NIOThreadPool
    ) async throws -> FilePath {
        if !mayKeep(step), let place = try await replica.placeForTemporary(step.level, step.min, step.max) {
            files.adopt(place)
            return place
        }
        try await pool.runIfActive { try files.prepare() }
        return files.make()
    }

    /// Whether the result is of use here once it is stored: to the level above, where it would have to be fetched.
    private func mayKeep(_ step: CompactionStep) -> Bool {
        let key = replica.layout.key(level: step.level, min: step.min, max: step.max)
        return cache != nil && !step.isSnapshot && replica.store.localFile(key) == nil
    }

    /// Keeps a merged file for the level above, and drops those that have gone into it.
    private func keep(_ made: MadeFile, _ file: ReplicaFile, from step: CompactionStep) -> Bool {
        guard let cache, replica.store.localFile(file.key) == nil else { return false }
        if step.level > 1, !step.isSnapshot { cache.drop(through: step.max, level: step.level - 1) }
        return !step.isSnapshot && cache.keep(made.path, as: file)
    }

    /// A snapshot from the live database, where merging would have to fetch what it needs.
    private func snapshot(_ step: CompactionStep, _ merge: MergeInputs) async throws -> FilePath? {
        guard let snapshotSource else { return nil }
        if !step.sources.isEmpty, try await merge.areLocal(step.sources) { return nil }
        return try await snapshotSource(step.max)
    }

    /// Reads the result back through the store.
    private func verify(
        _ file: ReplicaFile,
        _ expected: LTXFileSummary,
        _ files: TemporaryFiles,
        _ pool: NIOThreadPool
    ) async throws {
        let verifier = FileVerifier(replica: replica, files: files, pool: pool)
        do {
            let found = try await verifier.verify(file)
            guard found == expected else {
                throw ReplicaError.damaged(file, "was read back with other contents than were put")
            }
        } catch let error as ReplicaError where error.code == .damaged {
            // Worse than no file: a restore would choose it. What it was made of is still there.
            try await replica.delete([file])
            throw error
        }
    }

    /// Runs blocking work that looks now and then whether this task was cancelled.
    private func run<Value: Sendable>(
        on pool: NIOThreadPool,
        _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await pool.runIfActive { try body { flag.isSet } }
        } onCancel: {
            flag.set()
        }
    }
}
