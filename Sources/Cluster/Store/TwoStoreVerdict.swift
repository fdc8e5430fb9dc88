/// What the records of its own store and of its peer's tell a node of its cluster, where each of two hosts has a store.
///
/// Decided without I/O. Two hosts may begin at once, and a node may end at any place: what is done next follows from the
/// records alone. A founder first puts a record without a host into its peer's store, then one with itself into its own,
/// then the lease into the witness; where two founders meet, the smaller cluster id counts, and between two of one id the
/// witness decides.
enum TwoStoreVerdict: Hashable, Sendable {
    /// Neither store is of a cluster.
    case nothing
    /// One is being begun, and nobody else is known to be at it.
    case unfinished(ClusterID)
    /// The node of this name is beginning one.
    case awaited(ClusterID, by: String)
    /// This node takes part.
    case member(ClusterID)
    /// It does, once its own store says so.
    case joins(ClusterID)
    /// It does, once the node that its own store names is known to be gone.
    case replaces(NodeID, ClusterID)
    /// That store must answer first.
    case unclear(ChainSite)
    /// People have to put something right.
    case wrong(Fault)

    /// What was seen of a store's record.
    enum Sight: Hashable, Sendable {
        case record(StoreRecord)
        /// There is none.
        case absent
        /// The store did not answer.
        case unseen

        var record: StoreRecord? {
            guard case .record(let record) = self else { return nil }
            return record
        }
    }

    /// What is wrong with the stores as they are configured.
    enum Fault: Hashable, Sendable {
        /// Both are the same one.
        case sameStore
        /// Each is named as the other.
        case swapped
        /// The peer's store is this node's own one.
        case peerIsOwn
        /// A store is of another cluster than this node.
        case foreign(ChainSite, ClusterID, own: ClusterID)
        /// The stores are of two clusters.
        case different(ClusterID, peer: ClusterID)
        /// Neither store knows this node's cluster.
        case lost(ClusterID)
    }

    /// - Parameters:
    ///   - node: This node.
    ///   - cluster: The cluster that it has taken part in; `nil` before the first one.
    ///   - own: What its own store says.
    ///   - peer: What its peer's store says.
    static func decide(_ node: NodeID, of cluster: ClusterID?, own: Sight, peer: Sight) -> Self {
        let (mine, others) = (own.record, peer.record)
        if let fault = fault(node, of: cluster, mine, others) { return .wrong(fault) }
        if cluster == nil, let mine, let others, mine.cluster != others.cluster {
            guard mine.isOpen, others.isOpen else { return .wrong(.different(mine.cluster, peer: others.cluster)) }
            return .unfinished(min(mine.cluster, others.cluster))
        }
        guard let id = cluster ?? mine?.cluster ?? others?.cluster else {
            return own == .unseen ? .unclear(.own) : peer == .unseen ? .unclear(.peer) : .nothing
        }
        switch own {
        case .unseen: return cluster == nil ? .unclear(.own) : .member(id)
        case .absent: return withoutOwn(id, isMember: cluster != nil, peer)
        case .record(let mine):
            if let host = mine.host, host != node { return .replaces(host, id) }
            if mine.host == node, cluster != nil || mine.state == .begun { return .member(id) }
            return beginning(id, mine, isMember: cluster != nil, peer)
        }
    }

    /// What no answer of a store that is away would make right.
    private static func fault(
        _ node: NodeID,
        of cluster: ClusterID?,
        _ own: StoreRecord?,
        _ peer: StoreRecord?
    ) -> Fault? {
        if let host = peer?.host {
            if host == own?.host { return .sameStore }
            if host == node { return own == nil ? .peerIsOwn : .swapped }
        }
        guard let cluster else { return nil }
        if let own, own.cluster != cluster { return .foreign(.own, own.cluster, own: cluster) }
        if let peer, peer.cluster != cluster { return .foreign(.peer, peer.cluster, own: cluster) }
        return nil
    }

    /// Where the own store has no record: it is new, or lost what was in it.
    private static func withoutOwn(_ cluster: ClusterID, isMember: Bool, _ peer: Sight) -> Self {
        switch peer {
        case .unseen: return .unclear(.peer)
        case .absent: return .wrong(.lost(cluster))
        case .record(let peer):
            if isMember || peer.state == .begun { return .joins(cluster) }
            // One without a host is what this host's own founder has put there.
            return peer.host == nil ? .unfinished(cluster) : .awaited(cluster, by: peer.name)
        }
    }

    /// Where the own store's record names nobody else.
    private static func beginning(
        _ cluster: ClusterID,
        _ own: StoreRecord,
        isMember: Bool,
        _ peer: Sight
    ) -> Self {
        if isMember || own.state == .begun { return .joins(cluster) }
        switch peer {
        // Where this node has begun it nothing but the peer's store is missing.
        case .unseen: return own.host == nil ? .unclear(.peer) : .unfinished(cluster)
        case .absent: return .unfinished(cluster)
        case .record(let peer):
            // The lease was there then: nobody writes it a second time.
            if peer.state == .begun { return .joins(cluster) }
            return peer.host == nil || own.host != nil ? .unfinished(cluster) : .awaited(cluster, by: peer.name)
        }
    }
}

extension StoreRecord {
    /// Whether a founder of another id may still put its own into this one's place.
    fileprivate var isOpen: Bool { state == .beginning && host == nil }
}
