public import Logging
extension Commands {
    public static func verify(_ replica: ReplicaConfiguration, logger: Logger, progress: @escaping @Sendable (TransferProgress) -> Void) async throws -> VerifyReport {
        VerifyReport(fileCount: 0, byteCount: 0, minTXID: nil, maxTXID: nil, findings: [])
    }
}
