import ArgumentParser
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What SIGINT and SIGTERM do to a command: the first one asks it to stop, the second one ends the process at once.
enum StopSignals {
    /// Runs a job that finishes its work when it is asked to shut down gracefully, and returns its result.
    ///
    /// - Parameter received: Told of the first signal, before the job is.
    static func shutDownGracefully<Value: Sendable>(
        logger: Logger,
        received: ReceivedSignal = ReceivedSignal(),
        _ job: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let service = JobService(job)
        // The group's own messages are about services, which is none of the user's business.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "job")
                ],
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() },
            )
        )
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                var isStopping = false
                for await signal in signals {
                    if isStopping { end(by: signal) }
                    isStopping = true
                    received.signal = signal
                    logger.notice("Signal received, shutting down", metadata: ["signal": "\(signal)"])
                    await group.triggerGracefulShutdown()
                }
            }
            defer { tasks.cancelAll() }
            try await group.run()
        }
        return try service.result()
    }

    /// Runs a job that is cancelled by the first signal, cleans up, and then ends with 128 and the signal's number.
    static func cancel<Value: Sendable>(_ job: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let received = ReceivedSignal()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        // A task of its own, so that it alone is cancelled and the second signal is still seen; it ends before this.
        let task = Task { try await job() }
        do {
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for await signal in signals {
                        if received.signal != nil { end(by: signal) }
                        received.signal = signal
                        task.cancel()
                    }
                }
                defer { tasks.cancelAll() }
                return try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            }
        } catch {
            guard let signal = received.signal else { throw error }
            throw ExitCode(128 + signal.rawValue)
        }
    }

    /// Ends the process at once, as a signal does.
    private static func end(by signal: UnixSignal) -> Never { _exit(128 + signal.rawValue) }
}

/// A job as a service, which keeps its result.
private final class JobService<Value: Sendable>: Service {
    private let job: @Sendable () async throws -> Value
    private let outcome = Mutex<Result<Value, any Error>?>(nil)

    init(_ job: @escaping @Sendable () async throws -> Value) { self.job = job }

    func run() async throws {
        do {
            let value = try await job()
            outcome.withLock { $0 = .success(value) }
        } catch {
            outcome.withLock { $0 = .failure(error) }
        }
    }

    /// The job's value, or its error.
    func result() throws -> Value {
        guard let result = outcome.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}

/// The signal that asked a command to stop.
final class ReceivedSignal: Sendable {
    private let storage = Mutex<UnixSignal?>(nil)

    var signal: UnixSignal? {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
