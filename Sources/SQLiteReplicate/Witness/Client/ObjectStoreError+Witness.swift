import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import ObjectStorage
import SystemPackage

extension ObjectStoreError {
    /// What an error of the HTTP client means.
    ///
    /// - Parameters:
    ///   - url: The witness.
    ///   - isWrite: Whether the request may have changed something, if it got there.
    init(witness url: String, _ error: any Error, within limit: Duration, isWrite: Bool) {
        switch error {
        case let error as ObjectStoreError: self = error
        case is CancellationError: self.init(.cancelled, "The witness \(url) was not asked to the end: cancelled.")
        case let error as HTTPClientError where error == .cancelled:
            self.init(.cancelled, "The witness \(url) was not asked to the end: cancelled.")
        case let error as NIOConnectionError:
            // Nothing was sent.
            self.init(.unreachable, Self.noConnection(url, error), cause: error)
        case let error as IOError where error.errnoCode == Errno.connectionRefused.rawValue:
            self.init(.unreachable, Self.noConnection(url, "\(Errno.connectionRefused)"), cause: error)
        case let error as HTTPClientError where Self.beforeSending.contains(error):
            self.init(
                .unreachable,
                "The witness \(url) is not reached within \(limit): see whether it runs, and the network lets it answer.",
                cause: error
            )
        case let error as HTTPClientError where Self.addresses.contains(error):
            self.init(
                .invalidRequest,
                "'\(url)' is no address of a witness: write it as http://HOST:PORT.",
                cause: error
            )
        case let error as NIOSSLError where Self.isSetUp(error):
            self.init(.invalidRequest, Self.noTLS(url), cause: error)
        case let error as NIOSSLError where Self.isHandshake(error):
            self.init(
                .unreachable,
                "The witness \(url) has no certificate that is trusted here (\(error)): for one of your own name the file of "
                    + "its authority.",
                cause: error
            )
        case let error as HTTPClientError where Self.whileWaiting.contains(error):
            self.init(
                isWrite ? .outcomeUnknown : .timedOut,
                "The witness \(url) has not answered within \(limit): see whether it runs, and the network lets it answer.",
                cause: error
            )
        default:
            self.init(
                isWrite ? .outcomeUnknown : .unreachable,
                "The connection to the witness \(url) broke (\(error)).",
                cause: error
            )
        }
    }

    private static let beforeSending: [HTTPClientError] = [
        .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout,
    ]
    private static let whileWaiting: [HTTPClientError] = [.readTimeout, .writeTimeout, .deadlineExceeded]
    private static let addresses: [HTTPClientError] = [.invalidURL, .emptyHost, .emptyScheme]

    private static func isHandshake(_ error: NIOSSLError) -> Bool {
        if case .handshakeFailed = error { return true }
        return false
    }

    /// Whether TLS did not get as far as a connection.
    private static func isSetUp(_ error: NIOSSLError) -> Bool {
        switch error {
        case .noSuchFilesystemObject, .failedToLoadCertificate, .unableToAllocateBoringSSLObject: true
        default: false
        }
    }

    private static func noTLS(_ url: String) -> String {
        "TLS to the witness \(url) cannot be set up: see whether the file of trusted certificates is there, and in PEM "
            + "form."
    }

    private static func noConnection(_ url: String, _ error: NIOConnectionError) -> String {
        let causes = error.connectionErrors.map(\.error)
        if causes.contains(where: { $0 is NIOSSLError || $0 is BoringSSLError }) { return noTLS(url) }
        let fact = causes.first.map { ($0 as? IOError).map { "\(Errno(rawValue: $0.errnoCode))" } ?? "\($0)" }
        return noConnection(url, fact ?? "no address is known for the name '\(error.host)'")
    }

    private static func noConnection(_ url: String, _ fact: String) -> String {
        "The witness \(url) is not reached (\(fact)): see whether it runs, and listens at that address."
    }
}
