import ObjectStorage
import Replication
import ServiceLifecycle

/// Runs something at an interval until the service group shuts down.
enum ShutdownAwareTimer {
    /// Waits first, then runs `body`, again and again; a shutdown or a cancellation ends the wait and what runs.
    static func run(every interval: Duration, _ body: @escaping @Sendable () async -> Void) async {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    try await Pause.sleep(for: interval)
                    await body()
                }
            }
        } catch {
            // The end was asked for.
        }
    }

    /// Waits once; a shutdown or a cancellation ends the wait.
    static func wait(_ time: Duration) async {
        try? await cancelWhenGracefulShutdown { try await Pause.sleep(for: time) }  // the end was asked for
    }
}
