import Cluster
import ObjectStorage
import Replication
import SystemPackage
import TestSupport

/// Two hosts with a store each, and a witness in a third folder, or none.
struct TwoHosts {
    let folder: FilePath
    let peers = TestPeers()
    let witness: FolderWitness?
    /// How long the lease lives.
    let ttl: Duration

    init(in folder: FilePath, hasWitness: Bool = true, ttl: Duration = .milliseconds(900)) {
        (self.folder, self.ttl) = (folder, ttl)
        witness = hasWitness ? FolderWitness(root: folder.appending("witness")) : nil
    }

    /// The folder of a host's store.
    func store(_ host: String) -> FilePath { folder.appending("store-\(host)") }

    /// A place in it.
    func place(_ host: String) -> ClusterPlace {
        ClusterPlace(replica: FolderStoreReplica.of(store(host)), layout: ClusterLayout(path: ""))
    }

    /// The node of a host, `a` or `b`; not started.
    ///
    /// - Parameters:
    ///   - peerStore: The store on the other host, for the files of the chain.
    ///   - spoolLimit: How many bytes of files may wait for it.
    func node(_ name: String, peerStore: CountingStore? = nil, spoolLimit: Int64? = nil) -> TestNode {
        var peer = place(name == "a" ? "b" : "a")
        if let peerStore {
            let replica = Replica(store: peerStore, layout: .folder)
            peer = ClusterPlace(replica: replica, leases: peer.leases, layout: peer.layout)
        }
        return TestNode(
            name,
            in: folder,
            own: place(name),
            peer: peer,
            witness: witness,
            peers: peers,
            ttl: ttl,
            spoolLimit: spoolLimit
        )
    }

    /// Restores the newest state of a host's store.
    func restore(_ host: String, to name: String) async throws -> FilePath {
        let path = folder.appending(name)
        try await Restorer(FolderStoreReplica.of(store(host))).restore(.latest, to: path)
        return path
    }
}

/// A witness in a folder, as a store that honours conditions may be one.
struct FolderWitness: Witness {
    let root: FilePath

    var description: String { "the witness \(root)" }

    func cell(of cluster: ClusterID) -> any LeaseCell {
        StoreCell(FolderStore(root: root), key: ClusterLayout(path: "").cell(of: cluster))
    }
}
