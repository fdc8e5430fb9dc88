import NIOPosix

/// Runs what may block on a thread that may: never on the cooperative pool.
func onDisk<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await NIOThreadPool.singleton.runIfActive(body)
}
