/// What a node says of itself, once a minute (`cluster/nodes/<node>.json`).
public struct NodeRecord: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its name.
    public var name: String
    /// Where it answers; empty if it does not.
    public var url: String
    /// The version of its program.
    public var version: String
    /// Where its database stands.
    public var position: ChainPoint
    /// What it is doing.
    public var role: Role
    /// A number that it never wrote before.
    public var stamp: UInt64

    /// Creates a record.
    public init(
        node: NodeID,
        name: String,
        url: String,
        version: String,
        position: ChainPoint,
        role: Role,
        stamp: UInt64
    ) {
        (self.node, self.name, self.url, self.version) = (node, name, url, version)
        (self.position, self.role, self.stamp) = (position, role, stamp)
    }

    /// The record as it lies in the store.
    public var encoded: [UInt8] {
        ObjectReader.text([
            "format": .integer(1),
            "node": .id(node),
            "name": .string(name),
            "url": .string(url),
            "version": .string(version),
            "position": .point(position),
            "role": .string(role.rawValue),
            "stamp": .id(SessionID(rawValue: stamp)),
        ])
    }

    /// Reads a record.
    ///
    /// - Throws: ``ClusterObjectError`` where something else lies there.
    public init(parsing bytes: some Sequence<UInt8>) throws(ClusterObjectError) {
        var reader = try ObjectReader(bytes, "record of a node")
        node = try reader.id("node")
        name = try reader.string("name")
        url = try reader.string("url")
        version = try reader.string("version")
        position = try reader.point("position")
        role = try reader.choice("role")
        stamp = try reader.id("stamp", SessionID.self).rawValue
    }
}
