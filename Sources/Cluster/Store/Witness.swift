public import ObjectStorage

/// Where the leases of clusters lie whose hosts have a store each (failover-review G): neither host's own.
///
/// May be used from any task; nothing is asked before a cell is.
public protocol Witness: Sendable, CustomStringConvertible {
    /// The cell of a cluster's lease.
    func cell(of cluster: ClusterID) -> any LeaseCell

    /// Why no lease can be kept there; `nil` where nothing speaks against it. A store in the place of a witness is probed,
    /// which writes a few dozen small objects and removes them.
    ///
    /// - Throws: ``ObjectStorage/ObjectStoreError`` where it does not answer.
    func unfitness() async throws(ObjectStoreError) -> String?
}

extension Witness {
    public func unfitness() async throws(ObjectStoreError) -> String? { nil }
}
