public import SystemPackage

/// A set-up of two hosts with a store each: both configuration files, what to type where, and what is lost in which fault.
///
/// The nodes are called `a` and `b`. The files hold no secrets, but the names of environment variables.
public struct TwoHostPlan: Hashable, Sendable {
    /// One of the hosts.
    public struct Host: Hashable, Sendable {
        /// Where its node answers the other one.
        public var url: String
        /// The URL of its store, as both hosts reach it.
        public var store: String
    }

    /// The host that has the database.
    public let a: Host
    /// The other one.
    public let b: Host
    /// The database, on both.
    public let database: FilePath
    /// The witness; `nil`: there is none.
    public let witness: String?
    /// What the URL of the store on `a` means.
    let storeA: ReplicaConfiguration
    /// The same of `b`.
    let storeB: ReplicaConfiguration
    /// What the URL of the witness means.
    let witnessPlace: WitnessPlace?

    /// The port of a node where its host's name has none.
    static let port = 3000

    /// Makes a plan, and reads its files as a node would.
    ///
    /// - Parameters:
    ///   - a: The name, the address or the URL of the host that has the database.
    ///   - b: The same for the other one.
    ///   - storeA: The URL of the store on `a`.
    ///   - storeB: The URL of the store on `b`.
    ///   - database: The absolute path of the database.
    ///   - witness: The URL of the witness: `http(s)://HOST:PORT` or a third store.
    /// - Throws: ``ConfigurationError`` for what cannot be part of such a set-up, in the words of a configuration file.
    public init(
        a: String,
        b: String,
        storeA: String,
        storeB: String,
        database: String,
        witness: String?
    ) throws(ConfigurationError) {
        self.a = Host(url: try Self.url(of: a, "a"), store: try Self.checked(storeA, "store-a"))
        self.b = Host(url: try Self.url(of: b, "b"), store: try Self.checked(storeB, "store-b"))
        guard self.a.url != self.b.url else {
            throw ConfigurationError(.conflict, "both hosts are \(self.a.url): -a and -b are two")
        }
        self.database = FilePath(try Self.checked(database, "database"))
        guard self.database.isAbsolute else {
            throw ConfigurationError(.invalidValue, "-database must be a whole path, as it is on both hosts")
        }
        self.witness = try witness.map { text throws(ConfigurationError) in try Self.checked(text, "witness") }
        self.storeA = try Self.store(storeA, "store-a")
        self.storeB = try Self.store(storeB, "store-b")
        witnessPlace = try self.witness.map { text throws(ConfigurationError) in try WitnessPlace(text) }
    }

    // MARK: - Arguments

    /// What a file can hold as it is: there is no way to write a dollar sign that is not the beginning of a variable.
    private static func checked(_ text: String, _ flag: String) throws(ConfigurationError) -> String {
        guard !text.isEmpty, !text.contains("$"), !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw ConfigurationError(
                .invalidValue,
                "-\(flag) must not be empty, nor hold a dollar sign or a control character"
            )
        }
        return text
    }

    private static func store(_ text: String, _ flag: String) throws(ConfigurationError) -> ReplicaConfiguration {
        guard Endpoint.scheme(of: text) != nil else {
            throw ConfigurationError(
                .invalidValue,
                "-\(flag) must be a URL: s3://BUCKET/PATH?endpoint=… or file:///PATH"
            )
        }
        let replica = try ReplicaConfiguration(argument: text)
        guard replica.s3.sseCustomerKey == nil else {
            throw ConfigurationError(
                .invalidValue,
                "-\(flag) must not hold a key: add 'sse-customer-key: $VARIABLE' to the files afterwards"
            )
        }
        return replica
    }

    private static func url(of text: String, _ flag: String) throws(ConfigurationError) -> String {
        let text = try checked(text, flag)
        let isURL = Endpoint.scheme(of: text) != nil
        let isIPv6 = !isURL && text.count { $0 == ":" } > 1 && !text.hasPrefix("[")
        var url = isURL ? text : "http://" + (isIPv6 ? "[\(text)]" : text)
        while url.hasSuffix("/") { url.removeLast() }
        guard Endpoint.isHTTP(url), !Endpoint.hostAndPort(of: url).contains("@"),
            url.dropFirst(Endpoint.scheme(of: url)?.count ?? 0).dropFirst(3).allSatisfy({ !"/?#".contains($0) })
        else {
            throw ConfigurationError(
                .invalidValue,
                "-\(flag) must be the name or address of a host, or http://HOST:PORT, with nothing behind it"
            )
        }
        return hasPort(url) ? url : "\(url):\(port)"
    }

    private static func hasPort(_ url: String) -> Bool {
        let host = Endpoint.hostAndPort(of: url)
        guard let colon = host.lastIndex(of: ":") else { return false }
        return !host[colon...].contains("]")
    }
}
