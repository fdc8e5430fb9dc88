/// Where the leases of clusters lie whose hosts have a store each (failover-review G): neither host's own.
///
/// May be used from any task; nothing is asked before a cell is.
public protocol Witness: Sendable, CustomStringConvertible {
    /// The cell of a cluster's lease.
    func cell(of cluster: ClusterID) -> any LeaseCell
}
