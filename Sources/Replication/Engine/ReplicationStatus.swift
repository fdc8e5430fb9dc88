public import LTX

/// Where the replication of one database stands.
public struct ReplicationStatus: Sendable {
    /// What the engine is doing.
    public enum Phase: String, Sendable {
        /// There is no database yet, or it cannot be opened now.
        case waiting
        /// Commits are captured.
        case attached
        /// A difference or whole copy is under way; commits are captured meanwhile.
        case copying
        /// The spool is full: capture goes on when the store takes files again.
        case suspended
        /// Another writer was found at the replica: nothing is shipped until an operator has looked.
        case halted
    }

    /// What the engine is doing.
    public var phase: Phase
    /// The newest transaction file.
    public var transaction: TransactionID?
    /// The newest transaction that the store has accepted.
    public var replicated: TransactionID?
    /// Whether commits are captured that no transaction file holds yet.
    public var hasOpenCapture: Bool
    /// Bytes of transaction files that wait for the store.
    public var spooledByteCount: Int64
    /// The last error, until what failed works again.
    public var lastError: String?
    /// Whether all is well: idle, or moving. A backlog that shrinks is healthy, one that stands still is not.
    public var isHealthy: Bool
}
