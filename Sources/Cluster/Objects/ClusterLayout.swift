/// Where a cluster's objects lie, beside the levels of the replica that they are about (failover-review D).
///
///     <path>/cluster/lease.json           the lease
///     <path>/cluster/store.json           whose store it is, where each of two hosts has one
///     <path>/cluster/epochs/<epoch>.json  what is written down of each epoch (`<epoch>-<node>.json` without a witness)
///     <path>/cluster/nodes/<node>.json    what each node says of itself
///     <path>/cluster/tails/<node>/…       what was committed beside the chain, kept
///     <path>/cells/<cluster>              the lease of another store's cluster whose witness this store is
///     <path>/probe/<nonce>/…              what finds out whether a store can fence; removed again
public struct ClusterLayout: Hashable, Sendable {
    /// The path of the replica in its store, without slashes at its ends; empty for the whole store.
    public let path: String

    /// Takes the path of a replica.
    public init(path: String) { self.path = path.split(separator: "/").joined(separator: "/") }

    private func key(_ rest: String) -> String { path.isEmpty ? rest : "\(path)/\(rest)" }

    /// All objects of the cluster.
    public var prefix: String { key("cluster/") }
    /// The lease.
    public var lease: String { key("cluster/lease.json") }
    /// Whose store it is, where each of two hosts has one.
    public var store: String { key("cluster/store.json") }
    /// The records of all epochs.
    public var epochs: String { key("cluster/epochs/") }
    /// The records of all nodes.
    public var nodes: String { key("cluster/nodes/") }
    /// The tails of all nodes.
    public var tails: String { key("cluster/tails/") }
    /// The tails of a node.
    public func tails(of node: NodeID) -> String { "\(tails)\(node)/" }
    /// The record of an epoch, where one number is one epoch.
    public func record(of epoch: Epoch) -> String { "\(epochs)\(SessionID(rawValue: epoch.rawValue)).json" }
    /// The record of an epoch where two nodes may have one number: between two hosts without a witness.
    public func record(of stamp: EpochStamp) -> String {
        "\(epochs)\(SessionID(rawValue: stamp.epoch.rawValue))-\(stamp.node).json"
    }
    /// Where a record goes.
    public func place(of record: EpochRecord, in topology: StoreTopology) -> String {
        topology == .paired ? self.record(of: record.stamp) : self.record(of: record.epoch)
    }
    /// The epoch whose record has this key; with node 0 where its name has no node in it; `nil`: it is no record.
    func epoch(ofRecordAt key: String) -> EpochStamp? {
        guard key.hasPrefix(epochs), key.hasSuffix(".json") else { return nil }
        let name = key.dropFirst(epochs.count).dropLast(5)
        let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let number = parts.first.flatMap({ SessionID($0) })?.rawValue else { return nil }
        let epoch = Epoch(rawValue: number)
        guard parts.count > 1 else { return EpochStamp(epoch: epoch, node: EpochStamp.zero.node) }
        return NodeID(parts[1]).map { EpochStamp(epoch: epoch, node: $0) }
    }
    /// The record of a node.
    public func record(of node: NodeID) -> String { "\(nodes)\(node).json" }
    /// The leases of all clusters whose witness the store is.
    public var cells: String { key("cells/") }
    /// The lease of a cluster whose witness the store is.
    public func cell(of cluster: ClusterID) -> String { "\(cells)\(cluster)" }
    /// The objects of a probe.
    public func probe(_ nonce: Nonce) -> String { key("probe/\(nonce)/") }
}
