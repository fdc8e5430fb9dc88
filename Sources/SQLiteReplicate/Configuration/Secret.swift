/// A text that must not be seen: a key, a password, a token.
///
/// Printing, interpolating, dumping or reflecting it shows `[redacted]`; only ``exposed`` gives the text.
public struct Secret: Hashable, Sendable {
    /// The text itself, for the code that signs or encrypts with it.
    public let exposed: String

    /// Wraps a secret text.
    public init(_ text: String) { exposed = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted]" }
    public var debugDescription: String { "[redacted]" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
