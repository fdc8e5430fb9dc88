import ObjectStorage

/// Finds or begins the cluster of a node where each of two hosts has a store, and a witness holds the lease
/// (failover-review G, N15).
///
/// A value without state: it may be used from any task. All it changes are the records of both stores, by compare-and-swap,
/// and once the cell of the witness; a crash at any place is made good by running it again.
package struct TwoStoreFounding: Sendable {
    /// What the stores of two hosts tell a node of its cluster.
    package enum FoundCluster: Hashable, Sendable {
        /// Neither of them is of one.
        case absent
        /// One is being begun, by an earlier try of this node, or by another node that has not got far:
        /// ``found(by:pageSize:isAboutTo:)`` completes it.
        case unfinished(ClusterID)
        /// The node of this name is beginning one.
        case awaited(ClusterID, by: String)
        /// This node takes part, and its own store says so. Of the stores that did not answer nothing is known: they are to be
        /// looked at again before anything is created there.
        case present(ClusterID, unseen: Set<ChainSite>)
    }

    /// The store on this host.
    package let own: ClusterPlace
    /// The store on the peer's host.
    package let peer: ClusterPlace
    /// Where the lease lies.
    package let witness: any Witness
    /// This node's name, for people.
    package let name: String

    /// How often it begins again because a record has changed meanwhile.
    static let attempts = 8
    /// A node that has written nothing for so long is taken for gone (failover-review N17).
    static let absence = Duration.seconds(300)

    /// Takes the places; nothing is asked of them. Without a witness a cell in each store takes its place.
    package init(own: ClusterPlace, peer: ClusterPlace, witness: (any Witness)? = nil, name: String) {
        (self.own, self.peer, self.name) = (own, peer, name)
        self.witness = witness ?? PairedCells(own: own, peer: peer)
    }

    /// Finds out of which cluster this node is. One that has come to the store of its host is written down there.
    ///
    /// - Throws: ``NodeCommandError``: `failed` where a store that must be seen, or the witness, does not answer; `refused`
    ///   where another node is the host of this store, which may pass; `needsOperator` where something is to be put right
    ///   first; `unfitStore` for a store that cannot fence.
    package func find(_ identity: NodeIdentity) async throws(NodeCommandError) -> FoundCluster {
        try await find(identity.node, of: identity.cluster)
    }

    func find(_ node: NodeID, of known: ClusterID?) async throws(NodeCommandError) -> FoundCluster {
        for _ in 0..<Self.attempts {
            let look = try await look()
            switch TwoStoreVerdict.decide(node, of: known, own: look.own.sight, peer: look.peer.sight) {
            case .nothing: return .absent
            case .unfinished(let cluster): return .unfinished(cluster)
            case .awaited(let cluster, let name): return .awaited(cluster, by: name)
            case .unclear(let site): throw silence(site, look)
            case .wrong(let fault): throw error(fault)
            case .member(let cluster):
                try await checkLease(of: cluster, isMember: known != nil)
                if look.peer.sight == .absent { try await introduce(cluster) }
                return .present(cluster, unseen: look.unseen)
            case .joins(let cluster):
                if look.own.sight == .absent { try await checkNewStore(isMember: known != nil) }
                try await checkLease(of: cluster, isMember: false)
                // Who joins has found the lease.
                try await take(cluster, node, look, .begun)
            case .replaces(let host, let cluster):
                try await checkThatIsGone(host, of: cluster, look)
                try await take(cluster, node, look, look.own.sight.record?.state ?? .beginning)
            }
        }
        throw restless
    }

    /// Makes this node the host of its own store, unless the record has changed meanwhile.
    private func take(
        _ cluster: ClusterID,
        _ node: NodeID,
        _ look: Look,
        _ state: StoreRecord.State
    ) async throws(NodeCommandError) {
        var record = StoreRecord(cluster: cluster, host: node, name: name, state: state)
        record.other = look.own.sight.record?.other ?? [:]
        _ = try await put(record, .own, replacing: look.own.version)
    }

    /// Tells the peer's store, which is new or has lost what was in it, of which cluster it is.
    private func introduce(_ cluster: ClusterID) async throws(NodeCommandError) {
        try await checkThatNoLeaseIsIn(.peer)
        let record = StoreRecord(cluster: cluster, host: nil, name: name, state: .begun)
        _ = try await put(record, .peer, replacing: nil)
    }

    // MARK: - Records

    /// What a look at both stores gave.
    struct Look: Sendable {
        struct Place: Sendable {
            var sight: TwoStoreVerdict.Sight
            var version: LeaseVersion?
            /// What the store said where it did not answer.
            var error: ObjectStoreError?
        }

        var own: Place
        var peer: Place

        subscript(site: ChainSite) -> Place { site == .own ? own : peer }

        var unseen: Set<ChainSite> { Set([ChainSite.own, .peer].filter { self[$0].sight == .unseen }) }
    }

    func place(_ site: ChainSite) -> ClusterPlace { site == .own ? own : peer }

    /// Whether there is no witness, and a cell lies in each store.
    var isPaired: Bool { witness is PairedCells }

    func look() async throws(NodeCommandError) -> Look {
        async let mine = read(.own)
        async let others = read(.peer)
        let (own, peer) = await (mine, others)
        return Look(own: try own.get(), peer: try peer.get())
    }

    func read(_ site: ChainSite) async -> Result<Look.Place, NodeCommandError> {
        let cell = cell(site)
        do throws(ObjectStoreError) {
            let (bytes, version) = try await cell.read()
            do throws(ClusterObjectError) {
                let record = try StoreRecord(parsing: bytes)
                return .success(Look.Place(sight: .record(record), version: version, error: nil))
            } catch {
                return .failure(unreadable(site, error))
            }
        } catch {
            guard error.code == .notFound else {
                return .success(Look.Place(sight: .unseen, version: nil, error: error))
            }
            return .success(Look.Place(sight: .absent, version: nil, error: nil))
        }
    }

    private func cell(_ site: ChainSite) -> StoreCell {
        StoreCell(place(site).leases, key: place(site).layout.store)
    }

    /// Puts a record in the place of a version; `nil`: where none is.
    ///
    /// - Returns: Whether it is known to be there: if not, something has changed, and both are to be looked at again.
    func put(
        _ record: StoreRecord,
        _ site: ChainSite,
        replacing version: LeaseVersion?
    ) async throws(NodeCommandError) -> Bool {
        do throws(ObjectStoreError) {
            return try await cell(site).put(record.encoded, replacing: version) != nil
        } catch {
            switch error.code {
            case .conditionFailed, .outcomeUnknown: return false
            default: throw failure(site, error)
            }
        }
    }

    // MARK: - The lease

    /// The lease of the cluster; `nil` where there is none.
    func lease(of cluster: ClusterID) async throws(NodeCommandError) -> Lease? {
        try await lease(of: cluster, in: witness.cell(of: cluster))
    }

    func lease(of cluster: ClusterID, in cell: any LeaseCell) async throws(NodeCommandError) -> Lease? {
        let read = await LeaseStore(cell).read()
        switch read.reading {
        case .body(let lease, _):
            guard lease.cluster == cluster else {
                throw NodeCommandError(
                    .needsOperator,
                    "\(cell) holds the lease of another cluster, \(lease.cluster): somebody has written it there. Nothing "
                        + "is to be done before that is clear."
                )
            }
            return lease
        case .absent: return nil
        case .unfit(let why): throw NodeCommandError(.needsOperator, why)
        case .failed: throw failure(read.error)
        }
    }

    /// A lease is never deleted: where a store says that the cluster has begun there must be one.
    ///
    /// - Parameter isMember: Whether the node knows its cluster: then it can wait for the witness as well as we can.
    private func checkLease(of cluster: ClusterID, isMember: Bool) async throws(NodeCommandError) {
        let lease: Lease?
        do throws(NodeCommandError) {
            lease = try await self.lease(of: cluster)
        } catch {
            guard isMember, error.code != .needsOperator else { throw error }
            return
        }
        guard lease == nil else { return }
        throw lostLease(cluster)
    }
}
