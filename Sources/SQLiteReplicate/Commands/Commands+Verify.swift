import Foundation
import LTX
public import Logging
import Replication
import SystemPackage

extension Commands {
    /// Reads every file of a replica and reports what is wrong: files, chains, checksums of the database.
    ///
    /// - Parameters:
    ///   - replica: The replica.
    ///   - logger: For the store's own messages.
    ///   - progress: Told how many files of how many are done, as if they were bytes.
    /// - Throws: `ReplicaError` where files cannot be read for reasons that are not theirs.
    public static func verify(
        _ replica: ReplicaConfiguration,
        logger: Logger,
        progress: @escaping @Sendable (TransferProgress) -> Void
    ) async throws -> VerifyReport {
        let replica = try Replica(replica, logger: logger)
        let workspace = FilePath(NSTemporaryDirectory()).appending("sqlite-replicate-verify-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: workspace.string) }  // else the system will
        let report = try await ReplicaVerifier(replica, workspace: workspace).verify { done, all in
            progress(TransferProgress(doneBytes: Int64(done), totalBytes: Int64(all)))
        }
        let listing = try await replica.list()
        return VerifyReport(
            fileCount: report.fileCount,
            byteCount: report.byteCount,
            minTXID: listing.files.map(\.min.rawValue).min(),
            maxTXID: listing.highest?.rawValue,
            findings: report.findings.map { finding in
                let severity: VerifyFinding.Severity =
                    switch finding.severity {
                    case .error: .error
                    case .warning: .warning
                    default: .note
                    }
                return VerifyFinding(severity: severity, file: finding.file?.key ?? "", message: finding.message)
            }
        )
    }
}
