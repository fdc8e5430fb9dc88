import Cluster
import Logging
import Replication
import ServiceLifecycle
import Synchronization

/// The same pieces without a cluster: replication, health and writer.
struct StandaloneServices: Sendable {
    let replication: ReplicationService?
    let health: HealthServer?
    let services: [any Service]
    /// Why there is no cluster although the configuration asks for one.
    let limitation = Limitation()

    init(_ configuration: ReplicationConfiguration, isInProcess: Bool, version: String, logger: Logger) throws {
        let pieces = configuration.service
        var services: [any Service] = []
        let replication =
            pieces.replicates ? try ReplicationService(configuration, isInProcess: isInProcess, logger: logger) : nil
        let replicators = replication?.replicators ?? []
        let database = configuration.databases.first
        let limitation = limitation
        if pieces.servesHealth {
            let node = configuration.cluster.flatMap { cluster in
                database.map { database in
                    StandaloneNode(
                        name: cluster.name,
                        database: database.path,
                        replicators: replicators,
                        limitation: limitation
                    )
                }
            }
            let paths = configuration.databases.map(\.path)
            let source = HealthSource(
                node: node,
                replicators: replicators,
                watch: nil,
                validations: replication?.validations.map(\.record) ?? []
            ) {
                guard node == nil else { return nil }
                for path in paths { if let words = await ReadCheck.run(path) { return words } }
                return nil
            }
            let server = HealthServer(
                configuration.cluster.map { HealthServerSettings($0, version: version) }
                    ?? HealthServerSettings(port: pieces.port),
                source,
                logger: logger
            )
            health = server
            services.append(server)
        } else {
            health = nil
        }
        if let replication { services.append(replication) }
        if pieces.writes, let database {
            services.append(StandaloneWriter(path: database.path, interval: pieces.writerInterval, logger: logger))
        }
        if let text = configuration.exec {
            let command = try ProgramCommand(parsing: text)
            services.append(StandaloneProgram(command: command, replication: replication, logger: logger))
        }
        (self.replication, self.services) = (replication, services)
    }

    /// Why there is no cluster, once that is known.
    final class Limitation: Sendable {
        private let text = Mutex("")
        var words: String { text.withLock { $0 } }
        func set(_ words: String) { text.withLock { $0 = words } }
    }
}
