/// Calls `body` with the moto server that all tests of this process share; it starts with the first call.
///
/// Tests keep out of each other's way by keys that begin differently.
public func withMoto<Value>(_ body: (S3TestServer) async throws -> Value) async throws -> Value {
    try await body(SharedServers.shared.moto())
}

/// Calls `body` with the JuiceFS gateway that all tests of this process share; it starts with the first call.
public func withGateway<Value>(_ body: (S3TestServer) async throws -> Value) async throws -> Value {
    try await body(SharedServers.shared.gateway())
}

/// Calls `body` with the shared server of a kind.
public func withServer<Value>(
    _ kind: S3TestServer.Kind,
    _ body: (S3TestServer) async throws -> Value
) async throws -> Value {
    switch kind {
    case .moto: try await withMoto(body)
    case .gateway: try await withGateway(body)
    }
}

/// One server of each kind for the whole process; they end with it.
private actor SharedServers {
    static let shared = SharedServers()
    private var starting: [S3TestServer.Kind: Task<S3TestServer, any Error>] = [:]

    func moto() async throws -> S3TestServer { try await start(.moto) { try await .moto() } }

    func gateway() async throws -> S3TestServer { try await start(.gateway) { try await .gateway() } }

    /// The task is kept, so that all who ask meanwhile wait for the same server.
    private func start(
        _ kind: S3TestServer.Kind,
        _ make: @escaping @Sendable () async throws -> S3TestServer
    ) async throws -> S3TestServer {
        let task = starting[kind] ?? Task { try await make() }
        starting[kind] = task
        return try await task.value
    }
}
