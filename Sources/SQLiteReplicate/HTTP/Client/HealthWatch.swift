public import Cluster
public import Logging
import ObjectStorage
public import ServiceLifecycle
import Synchronization

/// Asks an address for its health again and again, and tells a standby when it does not answer well: advice to look at
/// the lease at once, and nothing else. Only the lease says who may take over.
///
/// ```swift
/// let watch = try HealthWatch(url: "http://10.0.0.1:3000/health", node: node, logger: logger)
/// let health = HealthServer(settings, node: node, watch: watch, logger: logger)
/// ```
public final class HealthWatch: Service {
    /// What is asked.
    public let url: String
    /// How often.
    public let interval: Duration
    /// How many failures in a row are worth a look at the lease.
    public let threshold: Int
    private let node: any NodeControl
    private let client: NodeClient
    private let logger: Logger
    private let failures = Mutex(0)

    /// Creates a watch.
    ///
    /// - Parameters:
    ///   - url: The primary's whole health address, or that of a load balancer: `http://10.0.0.1:3000/health`.
    ///   - interval: How often it is asked; more than zero. An answer that takes longer, or over 5 s, is none.
    ///   - threshold: How many failures in a row are worth a look; at least 1.
    ///   - node: Who is told.
    ///   - client: Asks; the health is asked for without a token.
    ///   - logger: For what is seen.
    /// - Throws: ``NodeClientError`` for a URL that is none of HTTP.
    public init(
        url: String,
        interval: Duration = .seconds(5),
        threshold: Int = 3,
        node: any NodeControl,
        client: NodeClient = NodeClient(),
        logger: Logger
    ) throws(NodeClientError) {
        precondition(interval > .zero, "an interval is longer than nothing")
        precondition(threshold >= 1, "less than one failure is none")
        guard Endpoint.isHTTP(url) else { throw .invalidAddress(url) }
        (self.url, self.interval, self.threshold) = (url, interval, threshold)
        (self.node, self.client, self.logger) = (node, client, logger)
    }

    /// How often in a row the address has not answered well, up to now.
    public var failedInARow: Int { failures.withLock(\.self) }

    /// Asks until the service group shuts down.
    public func run() async {
        await ShutdownAwareTimer.run(every: interval) { [self] in await ask() }
    }

    private func ask() async {
        let answer = await client.health(of: url, within: min(interval, .seconds(5)))
        if case .none(let error) = answer, error.code == .cancelled { return }
        let (before, count) = failures.withLock { failures in
            defer { failures = answer.isWell ? 0 : failures + 1 }
            return (failures, answer.isWell ? 0 : failures + 1)
        }
        if count == 0, before >= threshold { logger.info("The primary's health is well again") }
        if count == threshold {
            logger.warning(
                "The primary's health is not well",
                metadata: ["http.url": "\(url)", "answer": "\(answer.words)"]
            )
        }
        // At each further one, too: it costs one read of the lease.
        if count >= threshold { await node.hint() }
        if count >= threshold || count == 0 && before > 0 { await node.notePeerHealth(isGood: count == 0) }
    }
}

extension NodeClient.HealthAnswer {
    /// What it says, for people.
    var words: String {
        switch self {
        case .well: "OK"
        case .unwell(let status, let words): "\(status) \(words)"
        case .none(let error): error.message
        }
    }
}
