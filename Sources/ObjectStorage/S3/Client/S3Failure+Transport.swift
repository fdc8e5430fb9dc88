import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import SystemPackage

extension S3Failure {
    /// What an error of the HTTP client means.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - place: What was being done where: `Storing 's3://bucket/key' at host:9000`.
    init(transport error: any Error, place: String, isCancelled: Bool) {
        if isCancelled || error is CancellationError || error as? HTTPClientError == .cancelled {
            self.init(error: ObjectStoreError(.cancelled, "\(place): the task was cancelled.", cause: error))
            outcome = .unknown
            return
        }
        switch error {
        case let error as ObjectStoreError:
            // Of a body's file: nothing wrong with the server.
            self.init(error: error)
            outcome = .unknown
        case let error as HTTPClientError where Self.connectTimeouts.contains(error):
            self.init(unreachable: "no connection within the time allowed", place, error)
        case let error as HTTPClientError where Self.answerTimeouts.contains(error):
            self.init(
                error: ObjectStoreError(
                    .timedOut,
                    "\(place): no answer or no progress within the time allowed (\(error.shortDescription)). "
                        + "See whether the server and the network are overloaded.",
                    cause: error
                ),
                isTransient: true,
                outcome: .unknown
            )
        case let error as NIOConnectionError where Self.isSetUp(error):
            self.init(
                error: ObjectStoreError(
                    .invalidRequest,
                    "\(place): TLS cannot be set up. See whether the file of trusted certificates is in PEM form.",
                    cause: error
                )
            )
        case let error as NIOConnectionError:
            self.init(unreachable: Self.reason(error), place, error)
        case let error as NIOSSLError where Self.isHandshake(error):
            self.init(
                error: ObjectStoreError(
                    .unreachable,
                    "\(place): the TLS handshake did not succeed (\(error)). For a certificate of your own, name its "
                        + "authority's file in AWS_CA_BUNDLE.",
                    cause: error
                )
            )
        case let error as HTTPClientError where error == .invalidURL || error == .emptyHost:
            self.init(
                error: ObjectStoreError(.invalidRequest, "\(place): the address cannot be used.", cause: error)
            )
        case let error as IOError where error.errnoCode == Errno.connectionRefused.rawValue:
            self.init(unreachable: "no connection (\(Errno.connectionRefused))", place, error)
        default:
            self.init(unreachable: "the connection broke (\(error))", place, error)
            outcome = .unknown
        }
    }

    private init(unreachable reason: String, _ place: String, _ cause: any Error) {
        self.init(
            error: ObjectStoreError(
                .unreachable,
                "\(place): \(reason). See whether the endpoint is right, and the server and the network are up.",
                cause: cause
            ),
            isTransient: true
        )
    }

    private static let connectTimeouts: [HTTPClientError] = [
        .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout,
    ]
    private static let answerTimeouts: [HTTPClientError] = [.readTimeout, .writeTimeout, .deadlineExceeded]

    /// Whether TLS did not get as far as a connection.
    private static func isSetUp(_ error: NIOConnectionError) -> Bool {
        error.connectionErrors.contains { $0.error is NIOSSLError || $0.error is BoringSSLError }
    }

    private static func isHandshake(_ error: NIOSSLError) -> Bool {
        if case .handshakeFailed = error { return true }
        return false
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first { return "no connection (\(first.error))" }
        return "the host's name is not known (\(error.dnsAError ?? error.dnsAAAAError ?? error))"
    }
}
