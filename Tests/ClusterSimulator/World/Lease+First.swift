import Cluster

extension Lease {
    /// The lease of a cluster whose nodes have not begun.
    static func first(eligible: [NodeID], origin: Origin? = nil) -> Lease {
        Lease(
            cluster: ClusterID(rawValue: 7),
            epoch: .zero,
            session: SessionID(rawValue: 0),
            node: NodeID(rawValue: 0),
            name: "",
            state: .free,
            counter: 0,
            nonce: Nonce(high: 0, low: 0),
            ttl: .seconds(6),
            head: .start,
            begin: 0,
            origin: origin,
            eligible: eligible,
            url: ""
        )
    }
}
