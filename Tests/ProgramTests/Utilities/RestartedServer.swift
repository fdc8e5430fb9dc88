import SystemPackage
import TestSupport

/// moto, started again at the port of one that was stopped, without what that one held.
struct RestartedServer {
    private let server: S3TestServer
    private let process: ChildProcess

    init(_ server: S3TestServer) throws {
        self.server = server
        let port = server.endpoint.split(separator: ":").last.map(String.init) ?? ""
        process = try ChildProcess(
            PackageRoot.appending(".venv/bin/moto_server"),
            ["-H", "127.0.0.1", "-p", port]
        )
    }

    /// Waits until it answers, and makes its bucket.
    func waitUntilReady() async throws {
        try await process.waitForOutput(containing: "Running on", within: .seconds(60))
        try await server.python("s3.create_bucket(Bucket=bucket)")
    }

    func stop() async throws { try await process.terminate() }
}
