import NIOCore
import NIOPosix

/// A port of this host that nothing listens at.
///
/// Somebody else may take it before it is used: have the test tell what did not listen.
public func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port
    try await channel.close()
    guard let port else { throw TestSupportError("The system gave no port.") }
    return port
}
