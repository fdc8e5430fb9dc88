/// An error of the capture engine: a database that cannot be attached, or can no longer be followed.
///
/// Branch on ``code``; show ``message`` to a person: it names the file, the fact and the next step.
public struct CaptureError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case noDatabase, notADatabase, notReadable, unsupported, notInWALMode, databaseBusy
            case alreadyReplicated, secondWriter, twoLibraries, fileReplaced, diskFull, fileSystem, damagedDatabase
        }
        private let wrapped: Wrapped

        /// There is no database file yet, or it is empty.
        public static let noDatabase = Self(wrapped: .noDatabase)
        /// The file is not a database of SQLite, or it is encrypted.
        public static let notADatabase = Self(wrapped: .notADatabase)
        /// The file or its folder may not be read and written by this process.
        public static let notReadable = Self(wrapped: .notReadable)
        /// The database is used in a way that cannot be followed: an unknown VFS, exclusive locking.
        public static let unsupported = Self(wrapped: .unsupported)
        /// The database is not in WAL mode.
        public static let notInWALMode = Self(wrapped: .notInWALMode)
        /// A lock was held by others for too long; trying again is safe.
        public static let databaseBusy = Self(wrapped: .databaseBusy)
        /// Another engine is attached to the same database.
        public static let alreadyReplicated = Self(wrapped: .alreadyReplicated)
        /// Somebody else writes transaction files of this database.
        public static let secondWriter = Self(wrapped: .secondWriter)
        /// Two copies of the SQLite library in one process do not see each other's locks.
        public static let twoLibraries = Self(wrapped: .twoLibraries)
        /// The database file was replaced by another while attached.
        public static let fileReplaced = Self(wrapped: .fileReplaced)
        /// The local disk, or the quota, is full.
        public static let diskFull = Self(wrapped: .diskFull)
        /// Pages of the database are missing from its files.
        public static let damagedDatabase = Self(wrapped: .damagedDatabase)
        /// A system call on a local file did not succeed.
        public static let fileSystem = Self(wrapped: .fileSystem)

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

    public var description: String { message + (cause.map { " (\($0))" } ?? "") }
}
