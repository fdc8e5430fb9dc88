import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Replication
import ServiceLifecycle

/// Calls a URL at an interval while all is well, so that somebody else notices when it no longer is.
struct Heartbeat: Service {
    private let url: String
    private let interval: Duration
    private let hindrance: @Sendable () async -> String?
    private let logger: Logger

    /// `nil` where no URL is configured.
    ///
    /// - Parameters:
    ///   - hindrance: Tells why there is to be no beat; `nil` where all is well.
    init?(
        _ configuration: ReplicationConfiguration,
        logger: Logger,
        hindrance: @escaping @Sendable () async -> String?
    ) {
        guard let url = configuration.heartbeatURL else { return nil }
        (self.url, interval) = (url, configuration.heartbeatInterval)
        (self.hindrance, self.logger) = (hindrance, logger)
    }

    /// For databases of this process: all is well while each is replicated. An idle database is well.
    init?(_ configuration: ReplicationConfiguration, replicators: [DatabaseReplicator], logger: Logger) {
        self.init(configuration, logger: logger) {
            for replicator in replicators where await !replicator.status().isHealthy {
                return "\(replicator.settings.database) is not replicated."
            }
            return nil
        }
    }

    /// Runs until shutdown. What cannot be reached is logged and tried at the next interval.
    func run() async {
        await ShutdownAwareTimer.run(every: interval) { await beat() }
    }

    private func beat() async {
        if let reason = await hindrance() {
            return logger.warning("No heartbeat", metadata: ["reason": "\(reason)"])
        }
        do {
            let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
            guard (200..<300).contains(answer.status.code) else {
                return logger.warning("Heartbeat refused", metadata: ["status": "\(answer.status.code)"])
            }
        } catch {
            guard !Task.isCancelled else { return }  // the end was asked for
            logger.warning("Heartbeat failed", metadata: ["error": "\(error)"])
        }
    }
}
