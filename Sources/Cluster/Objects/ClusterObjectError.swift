/// An object of a cluster that cannot be read as what it should be.
public struct ClusterObjectError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which object, and what is wrong with it.
    public let message: String

    init(_ object: String, _ fact: String) { message = "The \(object) \(fact)." }

    public var description: String { message }
}
