public import ObjectStorage
public import Replication

/// Where a chain lies, and the cluster's objects beside it: one place, seen through three stores that differ in how they
/// ask.
public struct ClusterPlace: Sendable, CustomStringConvertible {
    /// The chain. Its store may repeat requests by itself.
    public let replica: Replica
    /// The same, with a store that sends each file of up to 5 GiB in one request, once: a condition counts at its end.
    public let creating: Replica
    /// The same place for small objects that are changed by compare-and-swap: requests are sent once, and do not take long.
    public let leases: any ObjectStore
    /// Under which keys the cluster's objects lie.
    public let layout: ClusterLayout

    /// Takes a place.
    ///
    /// - Parameters:
    ///   - replica: The chain.
    ///   - creating: The same for creating files; `nil`: `replica` does.
    ///   - leases: The same for small objects; `nil`: the store of `replica` does.
    ///   - layout: Under which keys the cluster's objects lie.
    public init(
        replica: Replica,
        creating: Replica? = nil,
        leases: (any ObjectStore)? = nil,
        layout: ClusterLayout
    ) {
        (self.replica, self.creating) = (replica, creating ?? replica)
        (self.leases, self.layout) = (leases ?? replica.store, layout)
    }

    public var description: String { "\(replica.store)" }
}
