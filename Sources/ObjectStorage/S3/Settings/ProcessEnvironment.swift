#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Environment variables: the process' own, or those of a test.
public struct ProcessEnvironment: Sendable {
    private let values: [String: String]?

    /// The variables of this process, looked up when they are asked for.
    public static let current = ProcessEnvironment(values: nil)

    private init(values: [String: String]?) { self.values = values }

    /// Takes variables from a dictionary, and no others.
    public init(_ values: [String: String]) { self.init(values: values) }

    /// A variable's value; `nil` where it is not set, or empty.
    public subscript(_ name: String) -> String? {
        if let values { return values[name].flatMap { $0.isEmpty ? nil : $0 } }
        // SAFETY: the text is copied at once; this process changes its environment before it starts threads only.
        guard let text = unsafe getenv(name) else { return nil }
        let value = unsafe String(cString: text)
        return value.isEmpty ? nil : value
    }
}
