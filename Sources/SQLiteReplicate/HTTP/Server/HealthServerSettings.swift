/// Where a ``HealthServer`` listens, whom it answers, and how much it bears.
///
/// ```swift
/// var settings = try HealthServerSettings(listen: "10.0.0.1:3000", token: Secret(text))
/// settings.version = "1.4.0"
/// ```
public struct HealthServerSettings: Hashable, Sendable {
    /// An address of this host, or a name for one; `0.0.0.0` and `::` are all of them, `localhost` is 127.0.0.1.
    public var host: String
    /// From 0 to 65535; 0 takes a port that is free, which ``HealthServer/port`` tells.
    public var port: Int
    /// What a request must bring as `Authorization: Bearer …`, for all but the health and role checks.
    ///
    /// Visible ASCII. Without one the server listens at addresses of the loopback only.
    public var token: Secret?
    /// The version of the application, for `/status` and `/metrics`.
    public var version: String?
    /// How many connections are served at a time; more wait until one ends. At least 1.
    public var maximumConnections = 256
    /// How long a client may take to send a request, to take an answer, and to be silent between the two.
    ///
    /// A client that is slower is disconnected. More than zero.
    public var clientTimeout: Duration = .seconds(15)
    /// How long the database may take to be read; after that `/health` answers 503. More than zero.
    public var checkTimeout: Duration = .seconds(5)

    /// The largest body of a request, in bytes.
    static let bodyLimit = 16 << 10
    /// For how long an answer about the node's health is given again: under load the database is read ten times a second.
    static let freshness: Duration = .milliseconds(100)

    /// Takes an address; the default is reached from this host alone.
    public init(host: String = "127.0.0.1", port: Int = 3000, token: Secret? = nil) {
        (self.host, self.port, self.token) = (host, port, token)
    }

    /// Reads an address as configuration files have it: `HOST:PORT`, `[IPV6]:PORT`, `:PORT` (all addresses of this host)
    /// or `PORT` (127.0.0.1).
    ///
    /// - Throws: ``HealthServerError`` where the text is none of these.
    public init(listen text: String, token: Secret? = nil) throws(HealthServerError) {
        let (host, port): (Substring, Substring)
        if let end = text.lastIndex(of: ":") {
            (host, port) = (text[..<end], text[text.index(after: end)...])
        } else {
            (host, port) = ("127.0.0.1", text[...])
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let name = isBracketed ? host.dropFirst().dropLast() : host
        guard !port.isEmpty, port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = UInt16(port), isBracketed == name.contains(":"),
            !name.contains(where: { $0.isWhitespace || "/[]@".contains($0) })
        else { throw .notAnAddress(text) }
        self.init(host: name.isEmpty ? "0.0.0.0" : String(name), port: Int(number), token: token)
    }

    /// The address for people: `127.0.0.1:3000`, `[::1]:3000`.
    public var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Looks at what can be told without asking anybody; ``HealthServer/run()`` does it, too.
    ///
    /// - Throws: ``HealthServerError`` for what is out of its range, and for a well-known open address without a token.
    public func validate() throws(HealthServerError) {
        guard (0...65535).contains(port) else {
            throw .invalid("The port \(port) is none: it is a number from 0 to 65535.")
        }
        guard maximumConnections >= 1 else {
            throw .invalid("A server with \(maximumConnections) connections serves nobody: allow at least 1.")
        }
        guard clientTimeout > .zero, checkTimeout > .zero else {
            throw .invalid("A time-out of the health server is not more than zero.")
        }
        guard token.map({ BearerToken.isFit($0.exposed) }) ?? true else {
            throw .invalid(
                "The token has characters that no HTTP header can carry, or is empty: use letters and digits, such as "
                    + "the output of 'openssl rand -hex 32'."
            )
        }
        if ["0.0.0.0", "::"].contains(host), token == nil { throw .tokenMissing(self) }
    }
}
