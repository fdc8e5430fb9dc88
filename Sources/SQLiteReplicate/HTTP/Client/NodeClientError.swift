import AsyncHTTPClient
import NIOCore
import NIOPosix
import SystemPackage

/// Why a node could not be asked, or its answer not be used.
///
/// Branch on ``code``; show ``message`` to a person.
public struct NodeClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A kind of failure; later versions may have more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case invalidAddress, unreachable, timedOut, unauthorized, invalidAnswer, cancelled }
        private let kind: Kind

        /// The URL is none of HTTP.
        public static let invalidAddress = Self(kind: .invalidAddress)
        /// There is no connection, or it broke.
        public static let unreachable = Self(kind: .unreachable)
        /// No whole answer came in time.
        public static let timedOut = Self(kind: .timedOut)
        /// The node does not take the token.
        public static let unauthorized = Self(kind: .unauthorized)
        /// What answers is no node, or not of this version.
        public static let invalidAnswer = Self(kind: .invalidAnswer)
        /// The task was cancelled.
        public static let cancelled = Self(kind: .cancelled)

        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// Which node, what happened, and what to do next.
    public let message: String

    public var description: String { message }
}

extension NodeClientError {
    static func invalidAddress(_ url: String) -> Self {
        Self(
            code: .invalidAddress,
            message: "'\(url)' is no address of a node: write it as http://HOST:PORT or https://HOST:PORT."
        )
    }

    static func timedOut(_ url: String, _ limit: Duration) -> Self {
        Self(
            code: .timedOut,
            message:
                "\(url) has not answered within \(limit): see whether the node runs, and the network lets it answer."
        )
    }

    static func unauthorized(_ url: String, hasToken: Bool) -> Self {
        Self(
            code: .unauthorized,
            message: hasToken
                ? "\(url) does not take the token: see that 'token' below 'cluster:' is the same on both nodes."
                : "\(url) wants a token: give the one that 'token' below 'cluster:' has there."
        )
    }

    static func invalidAnswer(_ url: String, _ status: Int, _ words: String) -> Self {
        Self(
            code: .invalidAnswer,
            message: "\(url) answers \(status)\(words.isEmpty ? "" : ": \(words.oneLine)"). See whether that is the "
                + "address of a node's health server, and both have the same version."
        )
    }

    /// What an error of the HTTP client means.
    init(transport error: any Error, _ url: String, _ limit: Duration) {
        switch error {
        case let error as NodeClientError: self = error
        case is CancellationError: self.init(code: .cancelled, message: "\(url) was not asked to the end: cancelled.")
        case let error as HTTPClientError where error == .cancelled:
            self.init(code: .cancelled, message: "\(url) was not asked to the end: cancelled.")
        case let error as HTTPClientError where Self.invalidAddresses.contains(error): self = .invalidAddress(url)
        case let error as HTTPClientError where Self.timeouts.contains(error): self = .timedOut(url, limit)
        case let error as NIOConnectionError: self.init(unreachable: url, Self.reason(error))
        case let error as IOError: self.init(unreachable: url, "\(Errno(rawValue: error.errnoCode))")
        default: self.init(unreachable: url, "\(error)")
        }
    }

    private init(unreachable url: String, _ reason: String) {
        self.init(
            code: .unreachable,
            message: "\(url) is not reached (\(reason)): see whether the node runs, and listens at that address."
        )
    }

    private static let invalidAddresses: [HTTPClientError] = [.invalidURL, .emptyHost, .emptyScheme]
    private static let timeouts: [HTTPClientError] = [
        .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout,
        .tlsHandshakeTimeout,
    ]

    private static func reason(_ error: NIOConnectionError) -> String {
        guard let first = error.connectionErrors.first?.error else {
            return "no address is known for the name '\(error.host)'"
        }
        return (first as? IOError).map { "\(Errno(rawValue: $0.errnoCode))" } ?? "\(first)"
    }
}
