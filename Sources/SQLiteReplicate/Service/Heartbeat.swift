import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Replication

/// Calls a URL at an interval while replication is well, so that somebody else notices when it no longer is.
struct Heartbeat: Sendable {
    private let url: String
    private let interval: Duration
    private let replicators: [DatabaseReplicator]
    private let logger: Logger

    /// `nil` where no URL is configured.
    init?(_ configuration: ReplicationConfiguration, replicators: [DatabaseReplicator], logger: Logger) {
        guard let url = configuration.heartbeatURL else { return nil }
        (self.url, interval) = (url, configuration.heartbeatInterval)
        (self.replicators, self.logger) = (replicators, logger)
    }

    /// Runs until shutdown. An idle database is well; what cannot be reached is logged and tried at the next interval.
    func run() async {
        await ShutdownAwareTimer.run(every: interval) {
            for replicator in replicators where await !replicator.status().isHealthy {
                logger.warning("No heartbeat", metadata: ["db": "\(replicator.settings.database)"])
                return
            }
            do {
                let answer = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: url),
                    timeout: .seconds(30)
                )
                guard (200..<300).contains(answer.status.code) else {
                    return logger.warning("Heartbeat refused", metadata: ["status": "\(answer.status.code)"])
                }
            } catch {
                logger.warning("Heartbeat failed", metadata: ["error": "\(error)"])
            }
        }
    }
}
