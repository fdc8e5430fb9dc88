import NIOCore

/// An error thrown by an ``ObjectStore``.
///
/// Branch on ``code``; show ``message`` to a person: it names the folder or bucket, the key, the fact and the next
/// step. Neither holds credentials.
public struct ObjectStoreError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case notFound, conditionFailed, outcomeUnknown, truncated, integrity
            case accessDenied, noSuchBucket, wrongRegion, clockSkew, throttled, serverFailure
            case unreachable, timedOut, diskFull, fileSystem, invalidRequest, invalidAnswer, cancelled
        }
        private let wrapped: Wrapped

        /// No object lies under the key.
        public static let notFound = Self(wrapped: .notFound)
        /// The condition of a put did not hold; nothing was written.
        public static let conditionFailed = Self(wrapped: .conditionFailed)
        /// A conditional put was sent, and whether it took effect is not known: read the object to find out.
        public static let outcomeUnknown = Self(wrapped: .outcomeUnknown)
        /// An object ends before the range that was asked for.
        public static let truncated = Self(wrapped: .truncated)
        /// Bytes were changed on their way or while they were read.
        public static let integrity = Self(wrapped: .integrity)
        /// The credentials are missing, wrong or not allowed to do this; or a folder's permissions forbid it.
        public static let accessDenied = Self(wrapped: .accessDenied)
        /// The bucket does not exist.
        public static let noSuchBucket = Self(wrapped: .noSuchBucket)
        /// The bucket lies in another region than the one the request was made for.
        public static let wrongRegion = Self(wrapped: .wrongRegion)
        /// This host's clock is too far from the server's.
        public static let clockSkew = Self(wrapped: .clockSkew)
        /// The server asked for fewer requests, and went on doing so while the request was repeated.
        public static let throttled = Self(wrapped: .throttled)
        /// The server answered with an error of its own (5xx), and went on doing so while the request was repeated.
        public static let serverFailure = Self(wrapped: .serverFailure)
        /// No connection to the server, or none that lasted.
        public static let unreachable = Self(wrapped: .unreachable)
        /// No answer, or no progress, within the time allowed.
        public static let timedOut = Self(wrapped: .timedOut)
        /// The disk (or the quota) is full.
        public static let diskFull = Self(wrapped: .diskFull)
        /// A system call on a file or folder did not succeed; ``ObjectStoreError/cause`` is its `Errno`.
        public static let fileSystem = Self(wrapped: .fileSystem)
        /// The key, the range, the configuration or the address cannot be used.
        public static let invalidRequest = Self(wrapped: .invalidRequest)
        /// The server's answer cannot be understood.
        public static let invalidAnswer = Self(wrapped: .invalidAnswer)
        /// The task was cancelled.
        public static let cancelled = Self(wrapped: .cancelled)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong, where, and what can be done about it.
    public let message: String
    /// The error behind this one, such as an `Errno` or an HTTP client's error.
    public let cause: (any Error)?

    /// Creates an error; `message` names the object that failed and the next step.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    public var description: String { "\(code): \(message)" + (cause.map { " (cause: \($0))" } ?? "") }

    /// Whether the same call can succeed later with nothing changed at this end: trouble of the network, of the server
    /// or of the disk's free space, rather than of the request.
    ///
    /// ``Code/outcomeUnknown`` is not among them: what happened has to be looked up first.
    public var isTransient: Bool {
        switch code {
        case .unreachable, .timedOut, .throttled, .serverFailure, .diskFull, .integrity, .clockSkew: true
        default: false
        }
    }
}

extension ObjectStoreError {
    static func tooLargeToCompare(_ place: String) -> ObjectStoreError {
        ObjectStoreError(
            .invalidRequest,
            "'\(place)' has more than \(ByteBuffer.largestVersioned) bytes: it is none of the objects that are compared "
                + "and swapped."
        )
    }
}
