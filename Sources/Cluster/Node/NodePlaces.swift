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
    var topology: StoreTopology { peer == nil ? .shared : .crossed }

    /// What people call the lease's place.
    var leaseName: String { witness.map { "\($0)" } ?? "\(own.leases)" }

    /// The lease of a cluster.
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

    /// The chain that the core speaks of.
    subscript(site: ChainSite) -> ChainStore { site == .own ? own : peer ?? own }
}
