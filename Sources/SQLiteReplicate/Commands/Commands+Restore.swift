import LTX
public import Logging
import ObjectStorage
import Replication
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Commands {
    /// Restores a database, or plans it.
    ///
    /// Cancelled, it leaves no output.
    ///
    /// - Parameters:
    ///   - request: What to restore.
    ///   - logger: For the store's own messages.
    ///   - progress: Told how far it is; from any thread.
    /// - Throws: `ReplicaError`, `ObjectStoreError`, `CancellationError`.
    public static func restore(
        _ request: RestoreRequest,
        logger: Logger,
        progress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws -> RestoreAnswer {
        if request.ifDatabaseNotExists, exists(request.output) { return .skippedDatabaseExists }
        let restorer = Restorer(try Replica(request.replica, logger: logger))
        let began = ContinuousClock.now
        do {
            if request.isDryRun {
                return .planned(try await restorer.plan(request.target).files.map(ListedFile.init))
            }
            let result = try await restorer.restore(
                request.target,
                to: request.output,
                options: RestoreOptions(
                    replacesOutput: request.force,
                    parallelism: request.parallelism,
                    integrityCheck: request.check,
                    progress: { state in
                        progress(TransferProgress(doneBytes: state.bytesDone, totalBytes: state.bytesInAll))
                    }
                )
            )
            return .restored(txid: result.plan.max.rawValue, took: began.duration(to: .now))
        } catch let error as ReplicaError {
            guard error.code == .noBackup else { throw error }
            guard !request.ifReplicaExists else { return .skippedNoBackup }
            throw ReplicaError(
                .noBackup,
                "'\(request.replica.displayName)' holds no transaction file: check its path and prefix."
            )
        }
    }

    /// Lists the files of some levels, by level, then by transaction.
    ///
    /// - Throws: `ReplicaError`, `ObjectStoreError`.
    public static func listFiles(
        _ replica: ReplicaConfiguration,
        levels: ClosedRange<Int>,
        logger: Logger
    ) async throws -> [ListedFile] {
        try await Replica(replica, logger: logger).list(levels: levels).files.map(ListedFile.init)
    }

    /// Whether anything is there under this name.
    static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return unsafe path.withPlatformString { unsafe lstat($0, &status) } == 0
    }
}

extension RestoreRequest {
    fileprivate var target: RestoreTarget {
        if let txid = txid.flatMap(TransactionID.init(exactly:)) { return .transaction(txid) }
        if let timestampMilliseconds { return .timestamp(Timestamp(rawValue: timestampMilliseconds)) }
        return .latest
    }

    fileprivate var check: (@Sendable (FilePath) throws -> [String])? {
        switch integrityCheck {
        case .none: nil
        case .quick: { try SQLiteCheck.run("quick_check", on: $0) }
        case .full: { try SQLiteCheck.run("integrity_check", on: $0) }
        }
    }
}

extension ListedFile {
    init(_ file: ReplicaFile) {
        self.init(
            level: file.level,
            name: file.key,
            minTXID: file.min.rawValue,
            maxTXID: file.max.rawValue,
            byteCount: file.byteCount,
            createdMilliseconds: file.created.rawValue
        )
    }
}
