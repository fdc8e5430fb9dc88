/// A program, or a hook, that cannot be run.
public struct ProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What stands in its way.
    public enum Code: Hashable, Sendable {
        /// The command line cannot be understood.
        case invalidCommand
        /// The system did not start it.
        case notStarted
    }

    /// What stands in its way.
    public let code: Code
    /// Which command, what is wrong, and what helps.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { message }
}
