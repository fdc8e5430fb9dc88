/// Where a server of this process listens: `HOST:PORT`, `:PORT` for all addresses of the host, or `[::1]:PORT`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An address of this host, or a name for one, without brackets; `0.0.0.0` and `::` are all of them.
    public var host: String
    /// From 0 to 65535; 0 takes one that is free.
    public var port: Int

    /// Takes an address.
    public init(host: String, port: Int) { (self.host, self.port) = (host, port) }

    /// Reads an address; `nil` for anything that is not one of the forms.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits)
        else { return nil }
        let host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.utf8.count > 2
        let name = isBracketed ? host.dropFirst().dropLast() : host
        // A colon belongs into brackets, and nothing else does.
        guard isBracketed == name.contains(":"), name.unicodeScalars.allSatisfy(Self.isAllowed) else { return nil }
        self.init(host: name.isEmpty ? "0.0.0.0" : String(name), port: Int(port))
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-.:_%".unicodeScalars.contains(scalar))
    }

    /// Whether only this host reaches it.
    public var isLoopback: Bool { Endpoint.isLoopback(host) }

    /// Whether it is all addresses of the host at once.
    public var isEverywhere: Bool { ["0.0.0.0", "::"].contains(host) }

    /// `HOST:PORT`, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
