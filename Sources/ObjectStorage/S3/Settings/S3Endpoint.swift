/// The address of an S3 server: scheme, host, port and perhaps a path.
public struct S3Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// Whether TLS is spoken.
    public var isSecure: Bool
    /// The host's name or address; an IPv6 address without brackets.
    public var host: String
    /// The port; `nil` for the scheme's own.
    public var port: Int?
    /// A path before the bucket's, with a leading slash and without one at its end; empty for most servers.
    public var path: String

    /// Creates an address from its parts.
    public init(isSecure: Bool = true, host: String, port: Int? = nil, path: String = "") {
        (self.isSecure, self.host, self.port, self.path) = (isSecure, host, port, path)
    }

    public var description: String { (isSecure ? "https://" : "http://") + authority + path }

    /// Host and port as the `Host` header has them.
    var authority: String { authority(host: host) }

    /// `host` with this address' port, as the `Host` header has them.
    func authority(host: String) -> String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        guard let port, port != (isSecure ? 443 : 80) else { return name }
        return "\(name):\(port)"
    }
}
