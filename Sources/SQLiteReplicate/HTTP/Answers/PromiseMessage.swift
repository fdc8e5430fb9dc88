import Cluster
import NIOCore

/// `POST /cluster/promise`: the holder of the lease asks not to be taken over from (failover-review N13).
struct PromiseMessage: Hashable, Sendable {
    var cluster: ClusterID
    /// Who asks.
    var node: NodeID
    var session: SessionID
    var epoch: Epoch
    var ttl: Duration

    init(_ request: PromiseRequest) {
        (cluster, node, session) = (request.cluster, request.node, request.session)
        (epoch, ttl) = (request.epoch, request.ttl)
    }

    /// Reads a message; the range of the time to live is that of a lease.
    init(parsing body: ByteBuffer) throws(MessageError) {
        let members = try MessageReader(body)
        cluster = try members.id("cluster")
        node = try members.id("node")
        session = try members.id("session")
        epoch = Epoch(rawValue: UInt64(try members.integer("epoch", 1...Int64.max)))
        ttl = .milliseconds(try members.integer("ttl_ms", 300...86_400_000))
    }

    /// The message as JSON has it.
    var members: [String: JSONValue] {
        [
            "cluster": .string(cluster.description), "node": .string(node.description),
            "session": .string(session.description), "epoch": .integer(Int64(clamping: epoch.rawValue)),
            "ttl_ms": .integer(ttl.wholeMilliseconds),
        ]
    }

    /// The request for the node that was asked.
    var request: PromiseRequest {
        PromiseRequest(
            cluster: cluster,
            node: node,
            session: session,
            epoch: epoch,
            ttl: ttl,
            reference: .random(in: .min ... .max)
        )
    }
}

/// The answer of a node that has promised.
struct PromiseAnswer: Hashable, Sendable, Encodable {
    var cluster: ClusterID
    /// Who promises.
    var node: NodeID
    /// Whom it is promised to.
    var session: SessionID

    init(cluster: ClusterID, node: NodeID, session: SessionID) {
        (self.cluster, self.node, self.session) = (cluster, node, session)
    }

    init(parsing body: ByteBuffer) throws(MessageError) {
        let members = try MessageReader(body)
        cluster = try members.id("cluster")
        node = try members.id("node")
        session = try members.id("session")
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(cluster.description, forKey: .cluster)
        try container.encode(node.description, forKey: .node)
        try container.encode(session.description, forKey: .session)
    }

    private enum Key: String, CodingKey { case cluster, node, session }
}
