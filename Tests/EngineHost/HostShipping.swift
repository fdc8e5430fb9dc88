import Dispatch
import Replication

/// A store that takes every file at once.
final class HostShipping: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// A file was closed.
    func signal() { continuation.yield() }

    /// Begins to take files; ends with the process.
    func start(_ engine: CaptureEngine) {
        Task { [stream] in
            for await _ in stream {
                if let id = await engine.status().transaction { await engine.shipped(through: id) }
            }
        }
    }
}
