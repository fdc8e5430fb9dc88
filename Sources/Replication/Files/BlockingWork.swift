import Dispatch
import NIOPosix

/// Runs what may block on a thread that may: never on the cooperative pool.
package func onDisk<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await NIOThreadPool.singleton.runIfActive(body)
}

extension NIOThreadPool {
    /// The threads of all merges and retention runs of this process: two at a time, the others wait.
    ///
    /// No job on them waits for another one.
    static let maintenance = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    private static let endings = DispatchQueue(label: "pool-endings")

    /// Ends a pool whose work is done; its threads go.
    ///
    /// As `shutdownGracefully()`, but without Dispatch's pool of shared workers, which once in use on Linux wakes the
    /// process every second for as long as it lives.
    func end() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            shutdownGracefully(queue: Self.endings) { error in
                if let error { continuation.resume(throwing: error) } else { continuation.resume() }
            }
        }
    }
}
