import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

extension ServerChildChannel {
    /// Listens, and serves connections of this kind until graceful shutdown, which lets requests under way end, or
    /// cancellation.
    ///
    /// - Parameters:
    ///   - address: An address of this host, as digits.
    ///   - port: 0 takes one that is free.
    ///   - maximumConnections: How many are served at a time; more wait until one ends.
    ///   - logger: For what goes wrong in the background.
    ///   - onListening: Told the port once it listens.
    /// - Throws: An error of the system where it cannot listen; see ``ListenFailure``.
    func serve(
        at address: String,
        port: Int,
        maximumConnections: Int,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void
    ) async throws {
        // What Hummingbird says beyond that is told by whoever serves, in words of their own.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let server = server(
            configuration: ServerConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: .maximum(maximumConnections, logger: quiet)
            ),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet
        )
        try await server.run()
    }
}
