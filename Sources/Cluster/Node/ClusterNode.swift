public import Logging
import Replication
public import ServiceLifecycle

/// A node of a cluster: it follows the chain of its store, takes over when the primary is gone, and ships what it
/// captures while it is the primary (failover-review).
///
/// ```swift
/// let place = ClusterPlace(replica: replica, layout: ClusterLayout(path: "app"))
/// let node = ClusterNode(configuration, own: place, peers: client, logger: logger)
/// let group = ServiceGroup(services: [node], gracefulShutdownSignals: [.sigterm], logger: logger)
/// try await group.run()
/// ```
///
/// The application opens its database when the node is primary, or reads it at any time, and asks ``gate`` at each
/// commit: see `WriteGateObserver`. All methods may be called from any task.
public final class ClusterNode: Service, NodeControl {
    /// How it is set up.
    public let configuration: NodeConfiguration
    /// Whether the application may commit.
    public let gate = WriteGateControl()

    /// The programs that a hand-over ends first.
    public var programs: GuardedPrograms { driver.programs }

    private let driver: NodeDriver

    /// Prepares a node; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: How it is set up.
    ///   - own: The place that all nodes share; where each of two hosts has a store, the one on this host.
    ///   - peer: The place on the other host; `nil` where all nodes share one.
    ///   - witness: Where the lease lies if each host has a store of its own; `nil`: beside the chain.
    ///   - peers: How the other nodes are reached.
    ///   - logger: For what happens.
    public init(
        _ configuration: NodeConfiguration,
        own: ClusterPlace,
        peer: ClusterPlace? = nil,
        witness: (any Witness)? = nil,
        peers: any PeerMessaging,
        logger: Logger
    ) {
        self.configuration = configuration
        let places = NodePlaces(own: own, peer: peer, witness: witness)
        driver = NodeDriver(configuration, places, peers: peers, gate: gate, logger: logger)
    }

    /// Takes part until graceful shutdown, which ships what is left and lets the lease go, or until the task is cancelled,
    /// which does not.
    ///
    /// - Throws: ``NodeError`` where the store cannot fence, or there is no database to begin with; what the metadata
    ///   folder throws.
    public func run() async throws {
        let driver = driver
        try await withGracefulShutdownHandler {
            try await driver.run()
        } onGracefulShutdown: {
            driver.shutDown()
        }
    }

    /// The roles of this node from now on: the present one first. The stream ends with the node.
    public var roleChanges: AsyncStream<Role> { driver.roles.stream() }

    /// The present role.
    public var role: Role { driver.roles.role }

    // MARK: - Durability on demand

    /// A place of the history that covers everything committed on this node by now.
    ///
    /// - Throws: ``NodeError/notPrimary(_:)``; what capture throws.
    public func position() async throws -> ChainPosition { try await driver.position() }

    /// Waits until the store has accepted a position, and so no failover loses it. It rides the normal cadence and forces
    /// no request.
    ///
    /// - Throws: ``NodeError/superseded(_:)`` where this node was fenced first, ``NodeError/timedOut(_:_:)``.
    public func waitUntilReplicated(_ position: ChainPosition, timeout: Duration) async throws {
        try await driver.waitUntilReplicated(position, timeout: timeout)
    }

    /// Replicates everything committed by now: an upload begins at once where none is under way, and all who wait share it.
    ///
    /// - Returns: A position that the store has accepted.
    /// - Throws: As ``waitUntilReplicated(_:timeout:)``.
    @discardableResult
    public func replicate(timeout: Duration) async throws -> ChainPosition {
        let position = try await driver.position(within: timeout)
        await driver.requestFlush()
        try await driver.waitUntilReplicated(position, timeout: timeout)
        return position
    }

    /// Waits until this node's database holds a position: whoever wrote on the primary reads here what was written.
    ///
    /// - Throws: ``NodeError/timedOut(_:_:)``; ``NodeError/neverShipped(_:)`` where the commit was not shipped before another
    ///   node took over; a failure of the store that is asked about that.
    public func waitUntilApplied(_ position: ChainPosition, timeout: Duration) async throws {
        try await driver.waitUntilApplied(position, timeout: timeout)
    }

    // MARK: - Control

    public func status() async -> NodeStatus { await driver.status() }
    public func readCheck() async -> String? { await ReadCheck.run(configuration.database.database) }
    public func promise(_ request: PromiseRequest) async -> Bool { await driver.promise(request) }
    public func hint() async { driver.inbox.post(.hint) }
    public func notePeerHealth(isGood: Bool) async { driver.inbox.post(.peerHealth(isGood: isGood)) }
    public func perform(_ command: NodeCommand) async throws(NodeCommandError) { try await driver.perform(command) }
    public func node(named text: String) async -> NodeID? { await driver.node(named: text) }
}

/// A place of a cluster's history, as a token that an application can hand around.
public struct ChainPosition: Hashable, Sendable, Codable {
    /// The epoch in which it was committed.
    public var epoch: UInt64
    /// The transaction file that holds it.
    public var transaction: UInt64

    /// Takes a place.
    public init(epoch: UInt64, transaction: UInt64) { (self.epoch, self.transaction) = (epoch, transaction) }
}
