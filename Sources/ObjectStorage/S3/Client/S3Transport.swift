import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import SystemPackage

/// An HTTP client and the number of requests it may have under way.
///
/// Stores of one server with the same settings share one: a hundred databases in a bucket then share its connections,
/// and a server that does not answer takes no places from another. Clients of this process live as long as it does;
/// without requests they have neither connections nor timers.
struct S3Transport: Sendable {
    let client: HTTPClient
    let limiter: ConnectionLimiter

    private struct Key: Hashable {
        var server: String
        var limits: S3Limits
        var certificateAuthorities: FilePath?
        var skipVerify: Bool
    }

    private static let shared = Mutex<[Key: S3Transport]>([:])

    /// The transport for these settings.
    ///
    /// - Parameter server: The server's address, however it is written.
    static func shared(
        server: String,
        limits: S3Limits,
        certificateAuthorities: FilePath?,
        skipVerify: Bool
    ) -> S3Transport {
        let key = Key(
            server: server,
            limits: limits,
            certificateAuthorities: certificateAuthorities,
            skipVerify: skipVerify
        )
        return shared.withLock { transports in
            if let found = transports[key] { return found }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(key))
            let made = S3Transport(client: client, limiter: ConnectionLimiter(limits.maximumConnections))
            transports[key] = made
            return made
        }
    }

    private static func configuration(_ key: Key) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let path = key.certificateAuthorities { tls.trustRoots = .file(path.string) }
        if key.skipVerify { tls.certificateVerification = .none }
        let stall = TimeAmount(key.limits.stallTimeout)
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // A redirected request would carry a signature for another address.
            redirectConfiguration: .disallow,
            // Stalled uploads are `UploadProgress`'s business.
            timeout: .init(connect: TimeAmount(key.limits.connectTimeout), read: stall)
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = TimeAmount(key.limits.idleTimeout)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, key.limits.maximumConnections)
        // Repeating is `S3Retries`' business.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
