/// What `GET /status` answers, as JSON with keys in order; the keys are those of the members, `lag_seconds` for
/// ``lagSeconds``. Ignore keys that you do not know: later versions may have more.
///
/// Members that do not apply are there as `null`: those of a cluster where the process is no node of one.
public struct StatusDocument: Hashable, Sendable, Codable {
    /// A place of the chain.
    public struct Place: Hashable, Sendable, Codable {
        /// The transaction's number: 16 hexadecimal digits.
        public var txid: String
        /// The checksum of the database after it: 16 hexadecimal digits.
        public var checksum: String
    }

    /// The lease as the node read it last.
    public struct Lease: Hashable, Sendable {
        /// The id of the node that wrote it: 16 hexadecimal digits.
        public var node: String
        /// The name of that node.
        public var name: String
        /// Its epoch.
        public var epoch: UInt64
        /// `held`, `free` or `handoff`.
        public var state: String
        /// Where it answers.
        public var url: String
        /// How long it stands without being renewed, milliseconds.
        public var ttlMilliseconds: Int64
        /// The place that the store is known to hold.
        public var head: Place
        /// The ids of the nodes that may claim it.
        public var eligible: [String]
        /// For how long the node has seen it unchanged.
        public var ageSeconds: Double
    }

    /// Commits that only this node has kept aside.
    public struct Tails: Hashable, Sendable, Codable {
        /// Those that nobody has acknowledged.
        public var unacknowledged: Int
    }

    /// The replication of a database of this process.
    public struct Database: Hashable, Sendable {
        /// Where it is.
        public var path: String
        /// `waiting`, `attached`, `copying`, `suspended` or `halted`.
        public var phase: String
        /// Whether it is replicated: idle, or getting on.
        public var isHealthy: Bool
        /// The newest transaction file: 16 hexadecimal digits.
        public var txid: String?
        /// The newest one that the store has accepted.
        public var replicatedTxid: String?
        /// Bytes that wait for the store.
        public var spooledByteCount: Int64
        /// The last error, until what failed works again.
        public var error: String?
        /// When a restore of the replica was last proven equal to what was captured: RFC 3339, UTC; `null` before the first
        /// time since the process began.
        public var lastProvenRestore: String?
        /// The transaction to which it led: 16 hexadecimal digits.
        public var lastProvenRestoreTxid: String?
    }

    /// Whether `/health` answers 200.
    public var isHealthy: Bool
    /// Why it does not.
    public var failure: String?
    /// What is not as it should be all the same.
    public var degraded: [String]
    /// The application's version.
    public var version: String?
    /// The cluster's id: 16 hexadecimal digits.
    public var cluster: String?
    /// The node's id: 16 hexadecimal digits.
    public var node: String?
    /// The node's name.
    public var name: String?
    /// What the node is doing: a `Role`.
    public var role: String?
    /// The epoch in which it writes, or whose files it follows.
    public var epoch: UInt64?
    /// Where its database stands.
    public var position: Place?
    /// For how long there has been something to apply, or to ship; 0 while there is nothing.
    public var lagSeconds: Double?
    /// How many transactions it is known to be behind, or has not shipped yet.
    public var lagTransactions: UInt64?
    /// Whether the application may commit.
    public var isWritable: Bool?
    /// The lease as the node read it last.
    public var lease: Lease?
    /// Commits that only this node has kept aside.
    public var tails: Tails?
    /// How often in a row the primary's health address has not answered.
    public var failedHealthChecks: Int?
    /// When this node last proved a restore of the replica equal to what was captured: RFC 3339, UTC; `null` before the
    /// first time since the process began.
    public var lastProvenRestore: String?
    /// The transaction to which it led: 16 hexadecimal digits.
    public var lastProvenRestoreTxid: String?
    /// What is replicated by this process.
    public var databases: [Database]
}

// Members that are not there are written as `null`, so that their keys always are; hence by hand.
extension StatusDocument {
    enum CodingKeys: String, CodingKey {
        case isHealthy = "healthy"
        case failure, degraded, version, cluster, node, name, role, epoch, position
        case lagSeconds = "lag_seconds"
        case lagTransactions = "lag_transactions"
        case isWritable = "writable"
        case lease, tails
        case failedHealthChecks = "failed_health_checks"
        case lastProvenRestore = "last_proven_restore"
        case lastProvenRestoreTxid = "last_proven_restore_txid"
        case databases
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(isHealthy, forKey: .isHealthy)
        try container.encode(failure, forKey: .failure)
        try container.encode(degraded, forKey: .degraded)
        try container.encode(version, forKey: .version)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(node, forKey: .node)
        try container.encode(name, forKey: .name)
        try container.encode(role, forKey: .role)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(position, forKey: .position)
        try container.encode(lagSeconds, forKey: .lagSeconds)
        try container.encode(lagTransactions, forKey: .lagTransactions)
        try container.encode(isWritable, forKey: .isWritable)
        try container.encode(lease, forKey: .lease)
        try container.encode(tails, forKey: .tails)
        try container.encode(failedHealthChecks, forKey: .failedHealthChecks)
        try container.encode(lastProvenRestore, forKey: .lastProvenRestore)
        try container.encode(lastProvenRestoreTxid, forKey: .lastProvenRestoreTxid)
        try container.encode(databases, forKey: .databases)
    }
}

extension StatusDocument.Lease: Codable {
    enum CodingKeys: String, CodingKey {
        case node, name, epoch, state, url
        case ttlMilliseconds = "ttl_ms"
        case head, eligible
        case ageSeconds = "age_seconds"
    }
}

extension StatusDocument.Database: Codable {
    enum CodingKeys: String, CodingKey {
        case path, phase
        case isHealthy = "healthy"
        case txid
        case replicatedTxid = "replicated_txid"
        case spooledByteCount = "spooled_bytes"
        case error
        case lastProvenRestore = "last_proven_restore"
        case lastProvenRestoreTxid = "last_proven_restore_txid"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(path, forKey: .path)
        try container.encode(phase, forKey: .phase)
        try container.encode(isHealthy, forKey: .isHealthy)
        try container.encode(txid, forKey: .txid)
        try container.encode(replicatedTxid, forKey: .replicatedTxid)
        try container.encode(spooledByteCount, forKey: .spooledByteCount)
        try container.encode(error, forKey: .error)
        try container.encode(lastProvenRestore, forKey: .lastProvenRestore)
        try container.encode(lastProvenRestoreTxid, forKey: .lastProvenRestoreTxid)
    }
}
