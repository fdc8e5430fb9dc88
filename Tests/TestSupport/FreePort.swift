import Foundation
import NIOCore
import NIOPosix
import Synchronization
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A port of this host that nothing listens at, and that no other test is given while this process lives.
///
/// It lies below the range from which systems take the ports of outgoing connections: one of those may be any
/// connection's before a server that is killed and started again comes back to it.
public func freePort() async throws -> Int {
    let folder = FilePath(NSTemporaryDirectory()).appending("sqlite-replicate-test-ports")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    for _ in 0..<1000 {
        let port = Int.random(in: 20_000..<32_000)
        guard reserve(port, in: folder) else { continue }
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

/// Takes a port for the rest of this process's life, unless another one has it; its lock ends with the process.
private func reserve(_ port: Int, in folder: FilePath) -> Bool {
    guard reserved.withLock({ $0.insert(port).inserted }) else { return false }
    let file = folder.appending("\(port)")
    let descriptor = unsafe open(file.string, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return false }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        return false
    }
    return true
}

private let reserved = Mutex<Set<Int>>([])
