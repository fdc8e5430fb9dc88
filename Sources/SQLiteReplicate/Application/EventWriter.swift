public import Logging
import ObjectStorage
public import ServiceLifecycle
import Synchronization

/// Writes the present time into the table `events`, again and again: something that goes on while nodes come and go.
///
/// It begins at once, and can be stopped and started at any time, from any task. What cannot be written, as on a node
/// that may not write, is logged once and tried again at the next interval.
public final class EventWriter: Service {
    /// How often it writes.
    public let interval: Duration
    private let database: AppDatabase
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var isStarted = true
        var hasFailed = false
        var count = 0
    }

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - database: Where to.
    ///   - interval: How often; more than zero.
    ///   - logger: For what cannot be written.
    public init(_ database: AppDatabase, interval: Duration = .seconds(1), logger: Logger) {
        precondition(interval > .zero, "an interval is longer than nothing")
        (self.database, self.interval, self.logger) = (database, interval, logger)
    }

    /// Whether it writes.
    public var isStarted: Bool { state.withLock { $0.isStarted } }

    /// How many events it has written.
    public var count: Int { state.withLock { $0.count } }

    /// Writes from the next interval on.
    public func start() { state.withLock { $0.isStarted = true } }

    /// Writes nothing more until it is started again.
    public func stop() { state.withLock { $0.isStarted = false } }

    /// Writes until the service group shuts down.
    public func run() async {
        await ShutdownAwareTimer.run(every: interval) { [self] in
            guard isStarted else { return }
            do {
                try await database.addEvent(at: .now)
                let recovered = state.withLock { state in
                    state.count += 1
                    defer { state.hasFailed = false }
                    return state.hasFailed
                }
                if recovered { logger.info("Events are written again") }
            } catch is CancellationError {
                return
            } catch {
                let isNew = state.withLock { state in
                    defer { state.hasFailed = true }
                    return !state.hasFailed
                }
                if isNew { logger.warning("An event was not written", metadata: ["error": "\(error)"]) }
            }
        }
    }
}
