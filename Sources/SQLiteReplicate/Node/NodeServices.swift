public import Cluster
public import Logging
import Replication
public import ServiceLifecycle

/// All that runs in one process with a node: the node itself, its health over HTTP, the watch on the primary's health,
/// and the writer. It is what the commands `service` and `standby` run.
///
/// ```swift
/// let file = try ConfigurationFile.load(path: "/etc/litestream.yml")
/// let services = try NodeServices(file.configuration, as: .service, logger: logger)
/// try await ServiceGroup(services: [services], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
///
/// An application takes ``node`` and asks its gate at each commit; what runs only on a primary follows
/// `node.roleChanges`. A configuration without ``ReplicationConfiguration/cluster`` gives the same pieces without a node.
public final class NodeServices: Service {
    /// What the process is started as.
    public enum Kind: Hashable, Sendable {
        /// With the database: it begins a cluster where there is none.
        case service
        /// To follow: it waits for a cluster.
        case standby
    }

    /// The node; `nil` without a cluster.
    public let node: ClusterNode?
    /// The replication without a cluster.
    public let replication: ReplicationService?
    /// The health server, if there is one.
    public let health: HealthServer?
    /// What runs, in the order in which it is started; it ends in reverse.
    public let services: [any Service]
    private let alone: StandaloneServices?

    /// Prepares the services; nothing is opened before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: One that was checked.
    ///   - kind: What the process is started as.
    ///   - isInProcess: Whether the application uses the database in this process, besides the writer of
    ///     ``ServiceConfiguration/writes``. It is in WAL mode then.
    ///   - makesDatabase: Makes the database where there is neither one nor a cluster yet, for a `service`, and closes it
    ///     again; `nil`: the writer's tables where the writer runs, else it is an error that there is none.
    ///   - version: The version of the application, for `/status` and the node's record.
    ///   - logger: For what happens.
    /// - Throws: ``ConfigurationError`` for a configuration that does not fit, `ObjectStoreError` for settings of the
    ///   store, `NodeClientError` for an address to watch that is none.
    public init(
        _ configuration: ReplicationConfiguration,
        as kind: Kind,
        isInProcess: Bool = true,
        makesDatabase: (@Sendable () async throws -> Void)? = nil,
        version: String = "",
        logger: Logger
    ) throws {
        let isInProcess = isInProcess || configuration.service.writes
        guard let cluster = configuration.cluster else {
            guard kind == .service else { throw Self.noCluster }
            let alone = try StandaloneServices(
                configuration,
                isInProcess: isInProcess,
                version: version,
                logger: logger
            )
            (node, replication, health) = (nil, alone.replication, alone.health)
            (services, self.alone) = (alone.services, nil)
            return
        }
        guard configuration.service.replicates else {
            throw ConfigurationError(
                .conflict,
                "a node of a 'cluster' always replicates: leave 'cluster' out where 'replication' is off"
            )
        }
        let place = try NodePlace(configuration, logger: logger)
        var settings = try NodeConfiguration(configuration, beginning: kind == .service ? .begins : .waits)
        (settings.version, settings.makesDatabase) = (version, makesDatabase)
        (settings.database.isInProcess, settings.database.switchesToWAL) = (isInProcess, !isInProcess)
        if makesDatabase == nil, configuration.service.writes {
            let path = settings.database.database
            settings.makesDatabase = { try await AppDatabase(at: path, creates: true).close() }
        }
        let node = ClusterNode(
            settings,
            own: place.stores.place,
            peer: place.peer?.place,
            witness: place.witness,
            peers: NodeClient(token: cluster.token),
            logger: logger
        )
        var services: [any Service] = []
        var watch: HealthWatch?
        if let url = cluster.healthURL {
            watch = try HealthWatch(
                url: url,
                interval: cluster.healthInterval,
                threshold: cluster.failureThreshold,
                node: node,
                logger: logger
            )
        }
        let checks = try NodeChecks(configuration, node: node, logger: logger)
        var health: HealthServer?
        if configuration.service.servesHealth {
            let settings = HealthServerSettings(cluster, version: version)
            let source = HealthSource(
                node: node,
                replicators: [],
                watch: watch,
                validations: checks.validation.map { [$0.record] } ?? [],
                check: { nil }
            )
            let server = HealthServer(settings, source, logger: logger)
            health = server
            // It answers to the end: draining is worth being seen.
            services.append(server)
        }
        if let watch { services.append(watch) }
        services.append(node)
        services += try Self.work(configuration, cluster, kind, node, logger)
        services += checks.services
        (self.node, replication, self.health) = (node, nil, health)
        self.services = services
        // Of two stores neither is where a database is to be replicated to without the other.
        alone =
            kind == .service && place.peer == nil
            ? try StandaloneServices(configuration, isInProcess: isInProcess, version: version, logger: logger) : nil
    }

    private static let noCluster = ConfigurationError(
        .missingKey,
        "the configuration has no 'cluster', and so nothing to follow: write 'cluster: {}' for one with all defaults"
    )

    /// What runs only while the node is primary.
    private static func work(
        _ configuration: ReplicationConfiguration,
        _ cluster: ClusterConfiguration,
        _ kind: Kind,
        _ node: ClusterNode,
        _ logger: Logger
    ) throws -> [any Service] {
        var services: [any Service] = []
        let after = kind == .standby ? cluster.postFailover : ClusterConfiguration.PostFailover()
        if let text = configuration.exec, after.service {
            services.append(NodeProgram(node: node, command: try ProgramCommand(parsing: text), logger: logger))
        }
        if cluster.hooks != ClusterConfiguration.Hooks() {
            let runner = HookRunner(
                try HookCommands(cluster.hooks),
                node: cluster.name,
                database: node.configuration.database.database,
                logger: logger
            )
            services.append(NodeHooks(node: node, runner: runner))
        }
        if configuration.service.writes, after.writer {
            services.append(NodeWriter(node, interval: configuration.service.writerInterval, logger: logger))
        }
        return services
    }

    /// Runs until graceful shutdown, which hands over what the node holds, or until one of the services fails.
    ///
    /// Where the one store of all nodes cannot fence a `service` replicates without a cluster, a `standby` follows, and both say that nobody
    /// can take over.
    ///
    /// - Throws: What the services throw.
    public func run() async throws {
        do {
            try await Self.group(services).run()
        } catch NodeError.unfitStore(let words) {
            guard let alone else { throw NodeError.unfitStore(words) }
            alone.limitation.set(words)
            try await Self.group(alone.services).run()
        }
    }

    /// The group's own messages are about services, which is none of the user's business.
    static func group(_ services: [any Service]) -> ServiceGroup {
        ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) },
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }
}

extension HealthServerSettings {
    init(_ cluster: ClusterConfiguration, version: String) {
        self.init(host: cluster.listen.host, port: cluster.listen.port, token: cluster.token)
        if !version.isEmpty { self.version = version }
    }
}
