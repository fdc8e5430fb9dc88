/// A configuration that cannot be used.
///
/// Branch on ``code``; show `description` to a person: it names the place, the key, what is wrong and what to write.
/// Values of secret keys never appear in it.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// A kind of failure; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case fileNotFound, fileUnreadable, environment, syntax, unknownKey, missingKey, invalidValue, notServed
            case conflict
        }
        private let wrapped: Wrapped

        /// There is no file under the path.
        public static let fileNotFound = Self(wrapped: .fileNotFound)
        /// The file exists and cannot be read: rights, a folder, too large, not UTF-8.
        public static let fileUnreadable = Self(wrapped: .fileUnreadable)
        /// A `${` is not closed on its line.
        public static let environment = Self(wrapped: .environment)
        /// The text is not YAML.
        public static let syntax = Self(wrapped: .syntax)
        /// A key that nobody knows, or one that belongs elsewhere.
        public static let unknownKey = Self(wrapped: .unknownKey)
        /// A key that must be given is not.
        public static let missingKey = Self(wrapped: .missingKey)
        /// A value of the wrong type, or outside its range.
        public static let invalidValue = Self(wrapped: .invalidValue)
        /// A key or value of Litestream's that has a meaning there and is not served here yet.
        public static let notServed = Self(wrapped: .notServed)
        /// Two settings that exclude each other, such as one database listed twice.
        public static let conflict = Self(wrapped: .conflict)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What is wrong and what can be done about it, without the place.
    public let message: String
    /// Where it is wrong; `nil` where there is no text, as for a missing file or a value set by code.
    public let location: ConfigurationLocation?

    /// Creates an error; `message` names the key and what to write instead.
    public init(_ code: Code, _ message: String, location: ConfigurationLocation? = nil) {
        (self.code, self.message, self.location) = (code, message, location)
    }

    /// `FILE:LINE:COLUMN: MESSAGE`, or the message alone.
    public var description: String { (location.map { "\($0): " } ?? "") + message }
}
