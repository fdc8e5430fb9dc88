/// An error thrown while transaction files are read, written or merged.
///
/// Branch on ``code``; show ``message`` to a person: it names the file where one is known, the place in it, and what
/// is wrong there.
public struct LTXError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case checksumMismatch, incompleteSnapshot, invalidFrame, invalidHeader, invalidIndex, invalidPageOrder
            case noncontiguousInputs, sinkFailed, sourceFailed, stopped, trailingBytes, truncated
        }
        private let wrapped: Wrapped

        /// Stored bytes do not match the checksum stored with them.
        public static let checksumMismatch = Self(wrapped: .checksumMismatch)
        /// A file that begins at transaction 1 does not hold every page of the database.
        public static let incompleteSnapshot = Self(wrapped: .incompleteSnapshot)
        /// A page frame has a wrong form, or its data do not decompress to exactly one page.
        public static let invalidFrame = Self(wrapped: .invalidFrame)
        /// The first 100 bytes break a rule, or are none of this format.
        public static let invalidHeader = Self(wrapped: .invalidHeader)
        /// The page index has a wrong form or does not match the frames.
        public static let invalidIndex = Self(wrapped: .invalidIndex)
        /// Pages do not ascend, lie above the database's size, or include the lock page.
        public static let invalidPageOrder = Self(wrapped: .invalidPageOrder)
        /// Files to merge do not follow one another, or differ in page size.
        public static let noncontiguousInputs = Self(wrapped: .noncontiguousInputs)
        /// The sink threw; its error is the cause.
        public static let sinkFailed = Self(wrapped: .sinkFailed)
        /// The source threw; its error is the cause.
        public static let sourceFailed = Self(wrapped: .sourceFailed)
        /// The caller's progress callback threw, which ends the work; its error is the cause.
        public static let stopped = Self(wrapped: .stopped)
        /// Bytes follow where the file should end.
        public static let trailingBytes = Self(wrapped: .trailingBytes)
        /// The file ends before it is complete.
        public static let truncated = Self(wrapped: .truncated)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What is wrong, where, and with which number.
    public let message: String
    /// The error behind this one, such as that of a source or a sink.
    public let cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.message, self.cause) = (code, message, cause)
    }

    public var description: String { "\(code): \(message)" + (cause.map { " (cause: \($0))" } ?? "") }

    /// The same error with the file's name before the message.
    public func naming(_ file: String) -> LTXError {
        LTXError(code, "'\(file)': \(message)", cause: cause)
    }
}
