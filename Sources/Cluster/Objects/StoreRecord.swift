/// Whose store this is, where each of two hosts has one (`cluster/store.json`); changed by compare-and-swap alone.
///
/// A node learns its cluster's id from it, by which the witness's cell is named, and notices stores that are swapped, given
/// twice, or of others.
public struct StoreRecord: Hashable, Sendable {
    /// How far the cluster has got.
    public enum State: String, Hashable, Sendable {
        /// It is being begun: the lease may not be there yet.
        case beginning
        /// The first lease was written.
        case begun
    }

    /// The cluster that the store is of.
    public var cluster: ClusterID
    /// The node whose own store this is: it follows from it, and the other one ships to it. `nil` before it has come.
    public var host: NodeID?
    /// The name of the node that wrote this, for people.
    public var name: String
    /// How far the cluster has got.
    public var state: State
    /// What a later version of this program has added: it is carried along.
    public var other: [String: JSONValue] = [:]

    /// Creates a record.
    public init(cluster: ClusterID, host: NodeID?, name: String, state: State) {
        (self.cluster, self.host, self.name, self.state) = (cluster, host, name, state)
    }

    /// The record as it lies in the store.
    public var encoded: [UInt8] {
        var members = other
        members["format"] = .integer(1)
        members["cluster"] = .id(cluster)
        members["host"] = host.map { .id($0) }
        members["name"] = .string(name)
        members["state"] = .string(state.rawValue)
        return ObjectReader.text(members)
    }

    /// Reads a record.
    ///
    /// - Throws: ``ClusterObjectError`` where something else lies there.
    public init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        var reader = try ObjectReader(bytes, "record of a store")
        cluster = try reader.id("cluster")
        host = try reader.optionalID("host")
        name = try reader.string("name")
        state = try reader.choice("state")
        other = reader.rest
    }
}
