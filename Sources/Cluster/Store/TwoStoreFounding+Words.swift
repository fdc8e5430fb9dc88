import ObjectStorage

/// What is said where something is to be put right: which store, the fact, and what to do.
extension TwoStoreFounding {
    private func title(_ site: ChainSite) -> String {
        site == .own ? "This host's store, \(own.words)," : "The peer's store, \(peer.words),"
    }

    /// A store that must be seen first.
    func silence(_ site: ChainSite, _ look: Look) -> NodeCommandError {
        guard let error = look[site].error else {
            return NodeCommandError(.failed, "\(title(site)) has changed meanwhile: try again.")
        }
        return failure(site, error)
    }

    func failure(_ site: ChainSite, _ error: ObjectStoreError) -> NodeCommandError {
        NodeCommandError(.failed, "\(title(site)) does not answer as it should: \(error.message)")
    }

    /// A witness that did not say what is in its cell.
    func failure(_ error: ObjectStoreError?) -> NodeCommandError {
        let words = error?.message ?? "\(witness) does not answer."
        return NodeCommandError(error?.code == .accessDenied ? .refused : .failed, words)
    }

    var restless: NodeCommandError {
        NodeCommandError(
            .failed,
            "The records of \(own.words) and \(peer.words) were changed again and again meanwhile: another node is "
                + "beginning. Try again."
        )
    }

    func unreadable(_ site: ChainSite, _ error: ClusterObjectError) -> NodeCommandError {
        NodeCommandError(
            .needsOperator,
            "\(title(site)) holds something else at '\(place(site).layout.store)': \(error.message) Look what has written "
                + "it; where no cluster is there, remove it."
        )
    }

    func awaited(_ cluster: ClusterID, _ name: String) -> NodeCommandError {
        NodeCommandError(
            .failed,
            "Node \(name) is beginning cluster \(cluster), and has not come to the end: start it. Where it never will, "
                + "remove '\(own.layout.store)' from both stores."
        )
    }

    /// What is done where nothing else helps.
    static let anew =
        "Stop all nodes, give both stores new paths, remove 'cluster.json' from the metadata folders of both hosts, and begin "
        + "with 'cluster init' on the host whose database is to count."

    func lostLease(_ cluster: ClusterID) -> NodeCommandError {
        guard !isPaired else { return lostCell(.own) }
        return NodeCommandError(
            .needsOperator,
            "\(witness.cell(of: cluster)) is empty, and the stores say that the cluster has begun: the witness has lost the "
                + "lease, or it is another one. See whether 'witness' names the right one. Where the lease is lost: "
                + Self.anew
        )
    }

    /// Without a witness each store holds a cell, and one of them is gone.
    func lostCell(_ site: ChainSite) -> NodeCommandError {
        let (place, other) = site == .own ? (own, "the peer's store") : (peer, "this host's store")
        return NodeCommandError(
            .needsOperator,
            "\(title(site)) has lost its cell, '\(place.layout.lease)', or is a new one, and the cluster has begun. Stop both "
                + "nodes, copy that object from \(other), with its \"state\" set to \"held\", and start them again: first the "
                + "one that is named in it, where that one wrote last. Where neither store has one: \(Self.anew)"
        )
    }

    // MARK: - Stores that are not as they should be

    func unfit(_ facts: [(site: ChainSite, fact: String)]) -> NodeCommandError {
        let what = facts.map { "\(title($0.site)) cannot fence: \($0.fact)." }.joined(separator: " ")
        return NodeCommandError(
            .unfitStore,
            "\(what) Each of the two must honour conditional writes, for two nodes could write at once: use a server that "
                + "does (AWS S3, MinIO and others) in \(facts.count == 1 ? "its place" : "place of both")."
        )
    }

    func unfitWitness(_ fact: String) -> NodeCommandError {
        NodeCommandError(
            .unfitStore,
            "The witness, \(witness), cannot fence: \(fact). Use a store with conditional writes (AWS S3, MinIO and others), "
                + "or run 'sqlite-replicate witness' on a third host."
        )
    }

    func error(_ fault: TwoStoreVerdict.Fault) -> NodeCommandError {
        NodeCommandError(.needsOperator, words(fault))
    }

    private func words(_ fault: TwoStoreVerdict.Fault) -> String {
        switch fault {
        case .sameStore:
            "'replica' and 'peer-store' are the same place, \(own.words): 'replica' is the store on this host, 'peer-store' "
                + "the one on the other. With one store for both leave 'peer-store' and 'witness' out."
        case .swapped, .peerIsOwn:
            "'peer-store', \(peer.words), is the store of this very node: 'replica' is the store on this host, 'peer-store' "
                + "the one on the other. \(fault == .swapped ? "Exchange the two." : "Write this one as 'replica'.")"
        case .foreign(let site, let other, let cluster):
            "\(title(site)) is of another cluster, \(other); this node belongs to \(cluster). Name the store of its own "
                + "cluster. Where this node is to change clusters, remove 'cluster.json' from its metadata folder: it is a "
                + "new one then."
        case .different(let cluster, let other):
            "The stores are of two clusters: \(own.words) of \(cluster), \(peer.words) of \(other). Name two that belong "
                + "together."
        case .lost(let cluster):
            "This node belongs to cluster \(cluster), and neither \(own.words) nor \(peer.words) knows of it: check bucket "
                + "and path of both. Where both stores have lost what was in them: \(Self.anew)"
        }
    }

    func otherCluster(_ place: ClusterPlace, _ trace: String) -> NodeCommandError {
        NodeCommandError(
            .needsOperator,
            trace == place.layout.lease
                ? "\(place.words) holds a cluster whose nodes share it ('\(trace)'): give this one a path of its own."
                : "\(place.words) holds what is left of a cluster ('\(trace)'), and not to which it belongs: give this one a "
                    + "path of its own, or remove the old objects."
        )
    }

    func usedChain(_ place: ClusterPlace, _ epoch: Epoch) -> NodeCommandError {
        NodeCommandError(
            .needsOperator,
            "\(place.words) has files of epoch \(epoch) of a cluster, and nothing else of it: give the new cluster a path of "
                + "its own, or remove the old files."
        )
    }

    func otherDatabase(pageSize: Int, own: Int) -> NodeCommandError {
        NodeCommandError(
            .needsOperator,
            "\(title(.peer)) holds a replica of another database: its pages have \(pageSize) bytes, and this one's \(own). "
                + "Give 'peer-store' a path of its own, or remove the old files."
        )
    }

    func otherHost(_ host: NodeID, _ name: String, _ fact: String) -> NodeCommandError {
        NodeCommandError(
            .refused,
            "\(title(.own)) is that of node \(name) (\(host)), which \(fact): a store has one node. Where 'replica' names "
                + "the other host's store, exchange it with 'peer-store'. Where this host's metadata folder was lost, this "
                + "is a new node, which takes the place of the old one once that has been silent for 5 minutes: see that "
                + "it does not run, and wait."
        )
    }
}

extension ClusterPlace {
    /// The place with its path, for people.
    package var words: String { layout.path.isEmpty ? "\(leases)" : "\(leases)/\(layout.path)" }
}
