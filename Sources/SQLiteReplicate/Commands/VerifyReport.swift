/// What is wrong with a replica, or worth knowing.
public struct VerifyFinding: Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Sendable {
        /// Something cannot be restored.
        case error
        /// Everything can be restored, but something is not as it should be.
        case warning
        /// Worth knowing.
        case note
    }

    /// How bad it is.
    public var severity: Severity
    /// The file's key; empty for the replica as a whole.
    public var file: String
    /// What was found.
    public var message: String
}

/// What ``Commands/verify(_:logger:progress:)`` has found.
public struct VerifyReport: Hashable, Sendable {
    /// How many files were read.
    public var fileCount: Int
    /// Their size in bytes.
    public var byteCount: Int64
    /// The oldest transaction in the replica.
    public var minTXID: UInt64?
    /// The newest transaction in the replica.
    public var maxTXID: UInt64?
    /// What was found.
    public var findings: [VerifyFinding]
}
