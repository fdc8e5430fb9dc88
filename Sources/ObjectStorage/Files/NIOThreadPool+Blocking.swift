import NIOPosix

extension NIOThreadPool {
    /// Runs what may block on a thread of the pool; cancelled while it waits there, it does not run at all.
    func run<Answer: Sendable>(
        _ body: @escaping @Sendable () throws(ObjectStoreError) -> Answer
    ) async throws(ObjectStoreError) -> Answer {
        do {
            return try await runIfActive { try body() }
        } catch let error as ObjectStoreError {
            throw error
        } catch is CancellationError {
            throw ObjectStoreError(.cancelled, "The task was cancelled before its file work began.")
        } catch {
            throw ObjectStoreError(.cancelled, "The thread pool for file work is shut down.", cause: error)
        }
    }
}
