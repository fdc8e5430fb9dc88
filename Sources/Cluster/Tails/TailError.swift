import ObjectStorage
import Replication

/// An error thrown while tails are kept, listed, exported or acknowledged.
///
/// Branch on ``code``; show ``message`` to a person: it names the tail or the file, the fact and the next step.
public struct TailError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case notFound, ambiguous, damaged, outputExists, notRestorable, invalid
            case database, storage, fileSystem, diskFull, cancelled
        }
        private let wrapped: Wrapped

        /// No tail has that name.
        public static let notFound = Self(wrapped: .notFound)
        /// Several nodes have a tail of that name.
        public static let ambiguous = Self(wrapped: .ambiguous)
        /// A file of the tail, or its manifest, is missing or not as it was kept.
        public static let damaged = Self(wrapped: .damaged)
        /// The place to export to is taken.
        public static let outputExists = Self(wrapped: .outputExists)
        /// The replica no longer leads to the place that the tail goes on from.
        public static let notRestorable = Self(wrapped: .notRestorable)
        /// What was asked for cannot be done with any tail.
        public static let invalid = Self(wrapped: .invalid)
        /// The database could not be read.
        public static let database = Self(wrapped: .database)
        /// The store answered with an error; ``TailError/cause`` is an `ObjectStoreError` or a `ReplicaError`.
        public static let storage = Self(wrapped: .storage)
        /// A system call on a local file did not succeed.
        public static let fileSystem = Self(wrapped: .fileSystem)
        /// The local disk (or the quota) is full.
        public static let diskFull = Self(wrapped: .diskFull)
        /// The task was cancelled.
        public static let cancelled = Self(wrapped: .cancelled)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what can be done about it.
    public let message: String
    /// The error behind this one.
    public let cause: (any Error)?

    /// Creates an error; `message` names the thing that failed and the next step.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    public var description: String { "\(code): \(message)" }
}

extension TailError {
    /// Takes over what went wrong below, which names the thing and the fact.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - action: What was being done, such as `keeping the tail …`.
    init(_ error: any Error, _ action: String) {
        switch error {
        case let error as TailError: self = error
        case let error as FileFailure where error.isDiskFull:
            self.init(.diskFull, "The disk is full: \(action) (\(error)). Free some space.", cause: error)
        case let error as FileFailure: self.init(.fileSystem, "\(action): \(error).", cause: error)
        case let error as ObjectStoreError:
            self.init(error.code == .cancelled ? .cancelled : .storage, "\(action): \(error.message)", cause: error)
        case let error as ReplicaError: self.init(Self.code(of: error), "\(action): \(error.message)", cause: error)
        case let error as ClusterObjectError: self.init(.damaged, "\(action): \(error.message)", cause: error)
        case is CancellationError: self.init(.cancelled, "\(action): cancelled.", cause: error)
        default: self.init(.database, "\(action): \(error).", cause: error)
        }
    }

    private static func code(of error: ReplicaError) -> Code {
        switch error.code {
        case .cancelled: .cancelled
        case .diskFull: .diskFull
        case .fileSystem: .fileSystem
        case .outputExists, .outputUnusable, .outputBusy: .outputExists
        case .noBackup, .hole, .notRestorable, .tooEarly: .notRestorable
        case .damaged, .mismatch: .damaged
        default: .storage
        }
    }
}

/// Runs `body`, and says of what it throws what was being done.
func tailErrors<Value>(_ action: String, _ body: () async throws -> Value) async throws(TailError) -> Value {
    do { return try await body() } catch { throw TailError(error, action) }
}
