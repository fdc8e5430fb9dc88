public import Cluster
public import Logging
public import Replication
public import ServiceLifecycle

/// Answers over HTTP how this process is doing: to people, load balancers and Prometheus, and to the other nodes of a
/// cluster.
///
/// It is a service beside the application's own ones. With no node of a cluster it is a plain health endpoint:
///
/// ```swift
/// let health = HealthServer(.init(port: 3000), logger: logger) {
///     do {
///         try await database.check()
///         return nil
///     } catch {
///         return "\(error)"
///     }
/// }
/// try await ServiceGroup(services: [application, health], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
///
/// | Request | Answer |
/// | --- | --- |
/// | `GET /health` | 200 `OK`, or 503 and why, in one line; header `X-Degraded`: what is not as it should be all the same |
/// | `GET /liveness` | 200: the process runs |
/// | `GET /readiness` | 200 where health is well and the node is primary or standby (without a cluster: where it is well) |
/// | `GET /primary`, `GET /replica` | 200 where health is well and the node is in that role, else 503 |
/// | `GET /status` | ``StatusDocument`` as JSON |
/// | `GET /metrics` | Prometheus' text |
/// | `POST /cluster/promise`, `/cluster/hint` | what nodes say to each other |
/// | `POST /cluster/promote`, `/cluster/switchover`, `/cluster/demote` | an operator's word; see ``NodeClient`` |
///
/// `HEAD` works where `GET` does. The last four rows want the token, where one is set; the others never do.
///
/// The state is looked at when somebody asks, at most ten times a second however many do: answers are up to 100 ms old.
/// A check that does not end in time makes `/health` 503, and holds up nobody.
public final class HealthServer: Service {
    /// Where it listens, whom it answers, and how much it bears.
    public let settings: HealthServerSettings
    private let responder: HealthResponder
    private let probe: HealthProbe
    private let source: HealthSource
    private let bound = BoundPort()
    private let logger: Logger

    /// Prepares a server; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - settings: Where it listens, whom it answers, and how much it bears.
    ///   - node: The node of a cluster that this process is; `nil` where it is none.
    ///   - replicators: Replicators of this process, for `/status` and `/metrics`; what they lack never makes the health
    ///     503, as the application goes on without its store.
    ///   - watch: The watch that polls the primary's health, for `/status`.
    ///   - logger: For what happens in the background.
    ///   - check: What else must be well: tells what is wrong, in one line, or `nil`. Called from any task, one call at a
    ///     time.
    public convenience init(
        _ settings: HealthServerSettings = HealthServerSettings(),
        node: (any NodeControl)? = nil,
        replicators: [DatabaseReplicator] = [],
        watch: HealthWatch? = nil,
        logger: Logger,
        check: @escaping @Sendable () async -> String? = { nil }
    ) {
        self.init(
            settings,
            HealthSource(node: node, replicators: replicators, watch: watch, validations: [], check: check),
            logger: logger
        )
    }

    /// Prepares a server that looks at a source.
    init(_ settings: HealthServerSettings, _ source: HealthSource, logger: Logger) {
        (self.settings, self.source, self.logger) = (settings, source, logger)
        let probe = HealthProbe(freshness: HealthServerSettings.freshness, limit: settings.checkTimeout)
        self.probe = probe
        responder = HealthResponder(
            token: settings.token.map { BearerToken($0) },
            version: settings.version,
            report: { await probe.report() },
            node: source.node.map { NodeResponder(node: $0, forget: { probe.forget() }) }
        )
    }

    /// The port at which it listens; waits until it does.
    ///
    /// May be asked before ``run()``, by any number of tasks.
    ///
    /// - Throws: what ``run()`` throws where it does not come to listen; `CancellationError` where the asking task is
    ///   cancelled, or the server ended before.
    public var port: Int {
        get async throws { try await bound.value() }
    }

    /// Listens and answers until graceful shutdown, which lets requests under way end, or cancellation.
    ///
    /// To be called once.
    ///
    /// - Throws: ``HealthServerError`` where it cannot listen.
    public func run() async throws {
        do {
            try await serve()
            bound.settle(.failure(CancellationError()))
        } catch {
            let cause = HealthServerError(listening: error, at: settings) ?? error
            bound.settle(.failure(cause))
            throw cause
        }
    }

    private func serve() async throws {
        try settings.validate()
        let address = try await settings.resolved()
        let connection = BoundedConnection(clientTimeout: settings.clientTimeout) { [responder] request in
            try await responder.respond(to: request)
        }
        let (probe, source) = (probe, source)
        try await withThrowingTaskGroup { group in
            group.addTask { await probe.run { await source.look() } }
            defer { group.cancelAll() }
            try await connection.serve(
                at: address,
                port: settings.port,
                maximumConnections: settings.maximumConnections,
                logger: logger
            ) { [bound, logger, settings] port in
                var place = settings
                place.port = port
                logger.info("Health server listens", metadata: ["http.address": "\(place.address)"])
                bound.settle(.success(port))
            }
        }
    }
}
