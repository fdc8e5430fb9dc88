/// What others may ask of a node: its HTTP server answers by this, and commands of people arrive by it.
///
/// All methods may be called from any task, and none of them waits for the store unless it says so.
public protocol NodeControl: Sendable {
    /// Where the node stands.
    func status() async -> NodeStatus

    /// Whether the database can be read: reads a row. Returns what is wrong, or `nil`.
    func readCheck() async -> String?

    /// Another node asks not to be taken over from (failover-review N13). Returns whether the promise is given; it is
    /// durable by then.
    func promise(_ request: PromiseRequest) async -> Bool

    /// Somebody says that the lease is worth a look.
    func hint() async

    /// The peer's process answers its health checks again, or has failed so many that it is worth a thought.
    func notePeerHealth(isGood: Bool) async

    /// Carries out an operator's word, and waits until it is done or refused.
    ///
    /// - Throws: ``NodeCommandError``.
    func perform(_ command: NodeCommand) async throws(NodeCommandError)

    /// The id of the node that is named so, by its name or its id; `nil` where no node of the cluster is. Asks the store.
    func node(named text: String) async -> NodeID?
}

extension NodeControl {
    /// Only a node whose cluster has no witness makes anything of it.
    public func notePeerHealth(isGood: Bool) async {}
}

/// An operator's word that was not carried out.
public struct NodeCommandError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What stands in its way.
    public enum Code: Hashable, Sendable {
        /// The node's role does not allow it (exit code 4).
        case refused
        /// It was begun and did not come to its end (exit code 1).
        case failed
        /// The store cannot fence (exit code 3).
        case unfitStore
        /// Somebody has to look (exit code 5).
        case needsOperator
    }

    /// What stands in its way.
    public let code: Code
    /// What happened, and what to do next.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { message }
}

/// How a node reaches the others.
///
/// An answer that does not come within half a renewal is none.
public protocol PeerMessaging: Sendable {
    /// Asks a node for a promise (`POST /cluster/promise`). Returns whether it was given by that very node.
    func askPromise(of node: NodeID, at url: String, _ request: PromiseRequest, within limit: Duration) async -> Bool

    /// Tells a node that the lease is worth a look (`POST /cluster/hint`); whether it hears it is not known.
    func hint(_ url: String) async
}

/// For a node that has no others to talk to.
public struct NoPeers: PeerMessaging {
    /// Creates it.
    public init() {}

    public func askPromise(
        of node: NodeID,
        at url: String,
        _ request: PromiseRequest,
        within limit: Duration
    ) async -> Bool { false }

    public func hint(_ url: String) async {}
}
