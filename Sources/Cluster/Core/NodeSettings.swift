/// How a node takes part in its cluster.
public struct NodeSettings: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its name, for people.
    public var name: String
    /// Its cluster.
    public var cluster: ClusterID
    /// Where it answers other nodes; empty if it does not.
    public var url: String
    /// This boot of the host.
    public var boot: String
    /// The lease's times.
    public var timing: LeaseTiming
    /// Which stores the cluster uses.
    public var topology = StoreTopology.shared
    /// How often a standby asks for the next file.
    public var followInterval: Duration = .seconds(1)
    /// How long a hand-over may take before it is taken back.
    public var handoff: Duration = .seconds(5)
    /// How long open transactions may go on once writing is to end.
    public var drain: Duration = .seconds(1)
    /// How long a node that is told to end waits for an absent store.
    public var farewell: Duration = .seconds(10)
    /// How long a claimant may take to read the chain to its end before it lets the lease go.
    public var longestCatchUp: Duration = .seconds(60)
    /// How many takeovers on silence within ``holdDownWindow`` before it waits; `nil`: no bound.
    public var holdDownLimit: Int? = 3
    /// The window of the bound on takeovers.
    public var holdDownWindow: Duration = .seconds(3600)
    /// How long a node in hold-down waits between takeovers.
    public var holdDownWait: Duration = .seconds(600)
    /// How long an operator's word to take over counts, unless it was carried out before.
    public var wishLimit: Duration = .seconds(90)
    /// How often a node writes its record, and the primary reads all of them.
    public var registration: Duration = .seconds(60)
    /// How long a node may stand still before it loses the right to claim.
    public var absence: Duration = .seconds(300)
    /// Without a witness: whether the clear word of `promote --peer-is-down` is spoken by the node itself once the peer's
    /// health checks have failed and its cell cannot be read. Two hosts that only lose sight of each other both write then.
    public var isUnsafelyPromoted = false
    /// Whether promises of the other nodes keep the gate open while the store is away.
    public var isFailsafe = true

    /// Creates settings; what is not given has the defaults of the configuration.
    public init(node: NodeID, name: String, cluster: ClusterID, url: String, boot: String, timing: LeaseTiming) {
        (self.node, self.name, self.cluster) = (node, name, cluster)
        (self.url, self.boot, self.timing) = (url, boot, timing)
    }
}
