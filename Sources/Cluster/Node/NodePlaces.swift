import Replication

/// The places of a node: the chain's, the other host's, and the lease's.
struct NodePlaces: Sendable {
    /// The place that all nodes share; where each of two hosts has a store, the one on this host.
    let own: ClusterPlace
    /// The place on the other host; `nil` where all nodes share one.
    let peer: ClusterPlace?
    /// Where the lease lies if it does not lie beside the chain.
    let witness: (any Witness)?

    /// Which stores the nodes use.
    var topology: StoreTopology { peer == nil ? .shared : witness == nil ? .paired : .crossed }

    /// What finds or begins the cluster of two hosts; `nil` where all nodes share a store.
    func founding(_ name: String) -> TwoStoreFounding? {
        peer.map { TwoStoreFounding(own: own, peer: $0, witness: witness, name: name) }
    }

    /// The cell in a store, where two hosts have no witness.
    func cell(_ site: ChainSite) -> LeaseStore {
        let place = site == .own ? own : peer ?? own
        return LeaseStore(place.leases, layout: place.layout)
    }

    /// The lease of a cluster; without a witness this host's own cell.
    func lease(of cluster: ClusterID) -> LeaseStore {
        witness.map { LeaseStore($0.cell(of: cluster)) } ?? LeaseStore(own.leases, layout: own.layout)
    }
}

/// The chains in these places.
struct NodeChains: Sendable {
    let own: ChainStore
    /// `nil` where all nodes share one.
    let peer: ChainStore?

    init(_ places: NodePlaces, folder: MetadataFolder) {
        own = ChainStore(places.own, folder: folder)
        peer = places.peer.map { ChainStore($0, folder: folder) }
    }

    /// Where a primary ships to.
    var target: ChainStore { peer ?? own }

    /// Where the other nodes write their records: each of two hosts writes into its own store.
    var others: ChainStore { peer ?? own }

    /// The chain that the core speaks of.
    subscript(site: ChainSite) -> ChainStore { site == .own ? own : peer ?? own }
}
