import LTX
import NIOPosix
public import SystemPackage

/// Looks through a replica: reads every file and compares what the files say of each other.
///
/// ```swift
/// let report = try await ReplicaVerifier(replica, workspace: "/tmp").verify()
/// for finding in report.findings { print(finding) }
/// ```
///
/// It only reads; it may run while the replica is written to, and then does not mind files that vanish.
public struct ReplicaVerifier: Sendable {
    /// The replica.
    public let replica: Replica
    /// A folder for files that are too large for memory; created when it is needed.
    public let workspace: FilePath
    /// How many files are read at a time.
    public let parallelism: Int

    /// Creates a verifier.
    public init(_ replica: Replica, workspace: FilePath, parallelism: Int = 4) {
        (self.replica, self.workspace) = (replica, workspace)
        self.parallelism = Swift.min(64, Swift.max(1, parallelism))
    }

    /// What is known of a file after it was read.
    private enum Outcome: Sendable {
        case whole(LTXFileSummary)
        case damaged(VerificationFinding)
        case vanished
    }

    /// Reads all files and reports what is wrong.
    ///
    /// - Parameter progress: Told of each file that was read, from one task at a time.
    /// - Throws: ``ReplicaError`` with code `storage`, `fileSystem` or `diskFull`, where files cannot be read for reasons
    ///   that are not theirs; `CancellationError`.
    public func verify(
        progress: (@Sendable (_ filesDone: Int, _ filesInAll: Int) -> Void)? = nil
    ) async throws -> VerificationReport {
        let pool = NIOThreadPool(numberOfThreads: Swift.min(parallelism, 4))
        pool.start()
        let files = TemporaryFiles(workspace)
        let result: Result<VerificationReport, any Error>
        do { result = .success(try await verify(files, pool, progress)) } catch { result = .failure(error) }
        files.removeAll()
        try await pool.end()
        return try result.get()
    }

    private func verify(
        _ temporary: TemporaryFiles,
        _ pool: NIOThreadPool,
        _ progress: (@Sendable (Int, Int) -> Void)?
    ) async throws -> VerificationReport {
        let listing = try await replica.list()
        let files = Array(listing.files)
        let verifier = FileVerifier(replica: replica, files: temporary, pool: pool)
        var outcomes = [Outcome?](repeating: nil, count: files.count)
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            var done = 0
            func take(_ result: (Int, Outcome)?) {
                guard let (index, outcome) = result else { return }
                outcomes[index] = outcome
                done += 1
                progress?(done, files.count)
            }
            for index in files.indices {
                if index >= parallelism { take(try await group.next()) }
                group.addTask { (index, try await outcome(of: files[index], verifier)) }
            }
            for try await result in group { take(result) }
        }
        var report = VerificationReport()
        var whole: [(file: ReplicaFile, summary: LTXFileSummary)] = []
        for (file, outcome) in zip(files, outcomes) {
            report.fileCount += 1
            report.byteCount += file.byteCount
            switch outcome {
            case .whole(let summary): whole.append((file, summary))
            case .damaged(let finding): report.findings.append(finding)
            case .vanished, nil: break
            }
        }
        report.markCount = whole.count { $0.summary.header.sourceMark != nil }
        report.findings += ChainFindings.findings(in: listing, whole: whole)
        return report
    }

    private func outcome(of file: ReplicaFile, _ verifier: FileVerifier) async throws -> Outcome {
        do { return .whole(try await verifier.verify(file)) } catch let error as ReplicaError {
            switch error.code {
            case .damaged: return .damaged(VerificationFinding(.error, file: file, error.message))
            case .changing: return .vanished
            default: throw error
            }
        }
    }
}
