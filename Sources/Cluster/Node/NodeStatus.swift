/// What a node tells of itself at one moment (`/status`, `cluster status`).
public struct NodeStatus: Sendable, Hashable {
    /// The holder's lease, or another's, as this node read it last.
    public struct LeaseView: Sendable, Hashable {
        /// Who wrote the body.
        public var node: NodeID
        /// The name of that node.
        public var name: String
        /// Its epoch.
        public var epoch: Epoch
        /// What it does with it.
        public var state: Lease.State
        /// Where it answers.
        public var url: String
        /// How long a body stands.
        public var ttl: Duration
        /// The place that the store is known to hold.
        public var head: ChainPoint
        /// The transaction behind which the cluster began, or began anew.
        public var begin: UInt64
        /// Who may claim.
        public var eligible: [NodeID]
        /// Since when this node sees this very body, by its own clock.
        public var unchangedFor: Duration

        /// Creates a view of a lease.
        public init(_ lease: Lease, unchangedFor: Duration) {
            (node, name, epoch, state, url) = (lease.node, lease.name, lease.epoch, lease.state, lease.url)
            (ttl, head, begin, eligible) = (lease.ttl, lease.head, lease.begin, lease.eligible)
            self.unchangedFor = unchangedFor
        }
    }

    /// The node.
    public var node: NodeID
    /// Its name.
    public var name: String
    /// Its cluster; `nil` before it is known.
    public var cluster: ClusterID?
    /// What it is doing.
    public var role: Role
    /// The epoch in which it writes, or whose files it follows; 0 before the first one.
    public var epoch: Epoch
    /// The place of the chain at which its database stands: accepted by the store, or applied from it.
    public var position: ChainPoint
    /// How many transactions it is known to be behind (a standby), or has not shipped yet (a primary).
    public var lagTransactions: UInt64
    /// For how long there has been something to apply, or to ship; zero while there is nothing.
    public var lag: Duration
    /// Whether the application may commit at this moment.
    public var isWritable: Bool
    /// The lease as it was read last; `nil` before the first time, and in a store without one.
    public var lease: LeaseView?
    /// Tails of this node that nobody has acknowledged.
    public var unacknowledgedTails: Int
    /// What is not as it should be although the node does its work, such as a store that is away; in words.
    public var degradations: [String]
    /// Why the node does not do what its role demands; `nil` where it does.
    public var failure: String?
    /// How often in a row the primary's health address has not answered; `nil` where none is asked.
    public var failedHealthChecks: Int?
    /// When a restore of the replica was last proven equal to what was captured, seconds since 1970 UTC.
    public var lastProvenRestore: Int64?
    /// The transaction to which that restore led.
    public var lastProvenTransaction: UInt64?
    /// Why the store of the lease does not answer; `nil` where it does.
    public var storeFailure: String?
    /// Whether the store to which a primary ships answers and holds the whole history: what a restore on trial asks for.
    public var isReplicaWhole: Bool

    /// Creates a status; the rest is set afterwards.
    public init(node: NodeID, name: String, role: Role) {
        (self.node, self.name, self.role) = (node, name, role)
        (cluster, epoch, position, lagTransactions, lag, isWritable) = (nil, .zero, .start, 0, .zero, false)
        (lease, unacknowledgedTails, degradations, failure) = (nil, 0, [], nil)
        (failedHealthChecks, lastProvenRestore, lastProvenTransaction, storeFailure) = (nil, nil, nil, nil)
        isReplicaWhole = true
    }

    /// Whether the node is the primary and has opened.
    public var isPrimary: Bool { role == .primary }
    /// Whether the node follows.
    public var isReplica: Bool { role == .standby }
}
