import Cluster
import Replication

/// How this process is doing, at one moment.
struct HealthReport: Sendable {
    /// A database that is replicated.
    struct Database: Sendable {
        /// Where it is.
        var path: String
        /// Where its replication stands.
        var status: ReplicationStatus
        /// The last restore that was proven equal to what was captured.
        var proof: RestoreProof?

        /// What is wrong with its replication; `nil` where all is well.
        var degradation: String? {
            guard !status.isHealthy else { return nil }
            return "\(path) is not replicated: \(status.lastError ?? status.phase.rawValue)"
        }
    }

    /// Why it does not do what it should; `nil` where it does.
    var failure: String?
    /// What is not as it should be all the same.
    var degradations: [String] = []
    /// The node's own words; `nil` without a cluster, and before the first answer of a check that hangs.
    var status: NodeStatus?
    /// What is replicated.
    var databases: [Database] = []

    /// Whether the node is well and in one of these roles; without a cluster there is no role.
    func isWell(as roles: Role...) -> Bool {
        guard failure == nil, let status else { return false }
        return roles.contains(status.role)
    }
}
