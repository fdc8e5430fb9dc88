public import LTX
import ObjectStorage

/// An error thrown by operations on a replica's files: listing, restoring, merging, dropping and verifying them.
///
/// Branch on ``code``; show ``message`` to a person: it names the file or the transaction, the fact and the next step.
public struct ReplicaError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case noBackup, hole, notRestorable, tooEarly
            case damaged, mismatch, changing, integrityCheck
            case outputExists, outputUnusable, outputBusy, fileSystem, diskFull, storage, cancelled
        }
        private let wrapped: Wrapped

        /// The replica holds no file from which a restore could begin.
        public static let noBackup = Self(wrapped: .noBackup)
        /// Transactions are missing between files of the replica.
        public static let hole = Self(wrapped: .hole)
        /// The transaction asked for is not the end of any chain of files.
        public static let notRestorable = Self(wrapped: .notRestorable)
        /// The moment asked for lies before the first state that can be restored.
        public static let tooEarly = Self(wrapped: .tooEarly)
        /// A file of the replica is too short, malformed, or does not fit its checksum.
        public static let damaged = Self(wrapped: .damaged)
        /// The restored database is not the one whose checksum the replica's files carry.
        public static let mismatch = Self(wrapped: .mismatch)
        /// A file of the replica vanished or was replaced since it was listed.
        public static let changing = Self(wrapped: .changing)
        /// SQLite's integrity check found the restored database wrong.
        public static let integrityCheck = Self(wrapped: .integrityCheck)
        /// The output of a restore, or a file that SQLite would take for a part of it, exists.
        public static let outputExists = Self(wrapped: .outputExists)
        /// The output of a restore cannot be written: it is a folder, or its path is not a file's.
        public static let outputUnusable = Self(wrapped: .outputUnusable)
        /// Another restore writes the same output.
        public static let outputBusy = Self(wrapped: .outputBusy)
        /// A system call on a local file did not succeed; ``ReplicaError/cause`` is its `Errno`.
        public static let fileSystem = Self(wrapped: .fileSystem)
        /// The local disk (or the quota) is full.
        public static let diskFull = Self(wrapped: .diskFull)
        /// The store answered with an error; ``ReplicaError/cause`` is an `ObjectStoreError`.
        public static let storage = Self(wrapped: .storage)
        /// The task was cancelled.
        public static let cancelled = Self(wrapped: .cancelled)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what can be done about it.
    public let message: String
    /// The error behind this one, such as an `Errno` or an `ObjectStoreError`.
    public let cause: (any Error)?
    /// Transactions that are missing, where ``code`` is ``Code/hole``.
    public let missing: [ClosedRange<TransactionID>]

    /// Creates an error; `message` names the thing that failed and the next step.
    public init(
        _ code: Code,
        _ message: String,
        cause: (any Error)? = nil,
        missing: [ClosedRange<TransactionID>] = []
    ) {
        (self.code, self.message, self.cause, self.missing) = (code, message, cause, missing)
    }

    public var description: String { "\(code): \(message)" + (cause.map { " (cause: \($0))" } ?? "") }
}

extension ReplicaError {
    /// Takes over what a store said; its message names the store and the key.
    init(_ error: ObjectStoreError) {
        switch error.code {
        case .cancelled: self.init(.cancelled, error.message, cause: error)
        case .diskFull: self.init(.diskFull, error.message, cause: error)
        default: self.init(.storage, error.message, cause: error)
        }
    }

    /// A file that a listing named is gone, or another file lies in its place.
    static func changing(_ file: ReplicaFile, _ fact: String, cause: (any Error)? = nil) -> Self {
        Self(.changing, "'\(file.key)' \(fact): list the replica and try again.", cause: cause)
    }

    static func damaged(_ file: ReplicaFile, _ fact: String, cause: (any Error)? = nil) -> Self {
        Self(
            .damaged,
            "'\(file.key)' \(fact): restore to an earlier transaction, or put the file back from another copy.",
            cause: cause
        )
    }
}
