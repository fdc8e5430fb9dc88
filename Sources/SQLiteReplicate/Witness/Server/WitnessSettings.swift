public import SystemPackage

/// Where a ``WitnessServer`` keeps its cells, where it listens, and whom it answers.
///
/// ```swift
/// var settings = WitnessSettings(data: "/var/lib/witness/witness.db")
/// settings.listen = ListenAddress(host: "10.0.0.9", port: 3001)
/// settings.token = Secret(text)
/// ```
public struct WitnessSettings: Hashable, Sendable {
    /// The file of a certificate and that of its key, both in PEM form.
    ///
    /// They are read once, at the start: a witness is started again when they are renewed.
    public struct Certificate: Hashable, Sendable {
        /// The server's own certificate, and behind it those of its authorities.
        public var certificate: FilePath
        /// The key, without a password.
        public var key: FilePath

        /// Takes two files.
        public init(certificate: FilePath, key: FilePath) { (self.certificate, self.key) = (certificate, key) }
    }

    /// The default port.
    public static let defaultPort = 3001

    /// The file that holds the cells; made where there is none, in a folder that is there.
    public var data: FilePath
    /// An address of this host; the default is reached from this host alone.
    public var listen = ListenAddress(host: "127.0.0.1", port: defaultPort)
    /// What a request must bring as `Authorization: Bearer …`, for all but `/health`: 8 or more visible ASCII characters.
    ///
    /// Without one the witness listens at addresses of the loopback only.
    public var token: Secret?
    /// What TLS is spoken with; `nil`: plain HTTP, for the loopback, a private network, or a proxy that speaks TLS.
    public var certificate: Certificate?
    /// The version of the program, for listings.
    public var version: String?
    /// How many connections are served at a time; more wait until one ends. At least 1.
    public var maximumConnections = 256
    /// How long a client may take to send a request, to take an answer, and to be silent between the two. More than zero.
    public var clientTimeout: Duration = .seconds(15)
    /// How long the file may take to be read and written; after that `/health` answers 503. More than zero.
    public var checkTimeout: Duration = .seconds(5)
    /// For how long an answer about the health is given again, as each look is a write. Zero or more.
    public var checkInterval: Duration = .seconds(10)

    /// Takes a file, and the defaults.
    public init(data: FilePath) { self.data = data }

    /// Looks at what can be told without asking anybody; ``WitnessServer/run()`` does it, too.
    ///
    /// - Throws: ``WitnessError``.
    public func validate() throws(WitnessError) {
        guard !data.isEmpty, data.lastComponent != nil else { throw .invalid("-data names no file.") }
        guard (0...65535).contains(listen.port) else {
            throw .invalid("The port \(listen.port) is none: it is a number from 0 to 65535.")
        }
        guard maximumConnections >= 1 else {
            throw .invalid("A witness with \(maximumConnections) connections serves nobody: allow at least 1.")
        }
        guard clientTimeout > .zero, checkTimeout > .zero, checkInterval >= .zero else {
            throw .invalid("A time-out of the witness is not more than zero.")
        }
        if let token {
            guard token.exposed.utf8.count >= 8, BearerToken.isFit(token.exposed) else {
                throw .invalid(
                    "The token must have at least 8 characters, all of them visible ASCII: 'openssl rand -hex 32' makes one."
                )
            }
        } else if listen.isEverywhere {
            throw .tokenMissing(listen)
        }
    }

    /// The address to listen at, as digits.
    ///
    /// - Throws: ``WitnessError`` for a name that is not known, and where others reach the address and there is no token.
    func resolved() async throws -> String {
        guard let digits = try await listen.digits() else { throw WitnessError.unknownHost(listen) }
        guard token != nil || ListenAddress.isLoopback(digits: digits) else { throw WitnessError.tokenMissing(listen) }
        return digits
    }
}
