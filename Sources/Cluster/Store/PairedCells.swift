import ObjectStorage

/// Where the right to write lies between two hosts without a witness: a cell in each store (failover-review W1).
struct PairedCells: Witness {
    /// The store on this host.
    let own: ClusterPlace
    /// The store on the peer's host.
    let peer: ClusterPlace

    var description: String { "the cells of the two stores" }

    /// This host's own cell: that it is there tells that there is a cluster.
    func cell(of cluster: ClusterID) -> any LeaseCell { cell(in: .own) }

    /// The cell in a store.
    func cell(in site: ChainSite) -> StoreCell {
        let place = site == .own ? own : peer
        return StoreCell(place.leases, key: place.layout.lease)
    }

    /// Puts the first bodies into both cells: the right in the peer's, none in the own. A cell that is there stays.
    ///
    /// - Parameter lease: A first lease.
    /// - Returns: What came of the swap that came last; what the store said where it is unknown.
    func begin(with lease: Lease) async -> (answer: SwapAnswer, error: ObjectStoreError?) {
        var body = lease
        (body.epoch, body.state) = (Epoch(rawValue: 1), .held)
        let peer = await LeaseStore(cell(in: .peer)).swap(body, condition: nil)
        if peer.answer == .unknown { return peer }
        (body.state, body.nonce) = (.moved, .random())
        return await LeaseStore(cell(in: .own)).swap(body, condition: nil)
    }
}
