/// Something in a configuration that is accepted and that its owner should know of.
public struct ConfigurationWarning: Hashable, Sendable, CustomStringConvertible {
    /// A kind of warning; minor releases may add more.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Wrapped: String {
            case ignored, outdated, duplicateKey, bareNumber, environment, adjusted, emptyConfiguration
        }
        private let wrapped: Wrapped

        /// A key that has no effect here.
        public static let ignored = Self(wrapped: .ignored)
        /// A key of Litestream 0.3 that still does what it says; the message names its successor.
        public static let outdated = Self(wrapped: .outdated)
        /// One key is given twice in a mapping, and the last one counts.
        public static let duplicateKey = Self(wrapped: .duplicateKey)
        /// A duration without a unit, which is a count of nanoseconds.
        public static let bareNumber = Self(wrapped: .bareNumber)
        /// A `$` in the text was replaced by nothing.
        public static let environment = Self(wrapped: .environment)
        /// A value is used, but not exactly as it is written.
        public static let adjusted = Self(wrapped: .adjusted)
        /// No database is named.
        public static let emptyConfiguration = Self(wrapped: .emptyConfiguration)

        public var description: String { wrapped.rawValue }
    }

    /// The kind of warning.
    public let code: Code
    /// What to know and what to write instead, without the place.
    public let message: String
    /// Where it is written.
    public let location: ConfigurationLocation?

    /// Creates a warning.
    public init(_ code: Code, _ message: String, location: ConfigurationLocation? = nil) {
        (self.code, self.message, self.location) = (code, message, location)
    }

    /// `FILE:LINE:COLUMN: MESSAGE`, or the message alone.
    public var description: String { (location.map { "\($0): " } ?? "") + message }
}
