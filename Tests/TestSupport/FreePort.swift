import NIOCore
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A port of this host that nothing listens at, and that no other test of this process is given.
///
/// It lies below the range from which systems take the ports of outgoing connections: one of those may be any
/// connection's before a server that is killed and started again comes back to it.
public func freePort() async throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 20_000..<32_000)
        guard given.withLock({ $0.insert(port).inserted }) else { continue }
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: port).get()
            try await channel.close()
            return port
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            continue
        }
    }
    throw TestSupportError("No port from 20,000 to 32,000 is free.")
}

private let given = Mutex<Set<Int>>([])
