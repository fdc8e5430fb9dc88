public import Cluster
public import Logging
import ObjectStorage
public import SystemPackage

/// Where the leases of clusters lie whose hosts have a store each: in a ``WitnessServer``, or in a store that honours
/// conditions.
public enum WitnessPlace: Hashable, Sendable {
    /// A witness at a URL of HTTP.
    case server(url: String)
    /// A store; the lease of a cluster lies in it as `PATH/cells/CLUSTER`.
    case store(ReplicaConfiguration)

    /// Reads a URL: `http(s)://HOST:PORT`, `s3://BUCKET/PATH` or `file:///PATH`.
    ///
    /// - Throws: ``ConfigurationError`` for anything else.
    public init(_ text: String) throws(ConfigurationError) {
        let scheme = Endpoint.scheme(of: text)
        // A user with a password, and a query, may hold what is not to be shown.
        let shown = text.contains("@") ? "URL" : "'\(text.prefix { $0 != "?" })'"
        switch scheme {
        case "http", "https":
            let host = Endpoint.hostAndPort(of: text)
            guard !host.contains("@") else {
                throw ConfigurationError(.invalidValue, "the witness must not hold a user or password: it has a token")
            }
            guard Endpoint.isHTTP(text), !text.contains(where: { "?#".contains($0) }) else {
                throw ConfigurationError(
                    .invalidValue,
                    "the witness \(shown) is no address: write it as https://HOST:PORT, with nothing behind it but a path"
                )
            }
            self = .server(url: String(text.reversed().drop { $0 == "/" }.reversed()))
        case "s3", "file": self = .store(try ReplicaConfiguration(argument: text))
        default:
            let known = ["http", "https", "s3", "file"]
            let near = scheme.flatMap { NearestName.nearest(to: $0, among: known) }.map { " (near: \($0))" } ?? ""
            throw ConfigurationError(
                .invalidValue,
                "the witness \(shown) must begin with https://, http://, s3:// or file:///\(near)"
            )
        }
    }

    /// The place, for people.
    public var name: String {
        switch self {
        case .server(let url): url
        case .store(let replica): replica.displayName
        }
    }

    /// The cell of a cluster.
    ///
    /// - Parameters:
    ///   - cluster: The cluster.
    ///   - access: What the witness wants to see, and trusts.
    ///   - ttl: The lease's time to live: an answer that takes half of it helps nobody.
    ///   - logger: For a store's own messages.
    /// - Throws: `ObjectStoreError` for settings that the store cannot use.
    public func cell(
        of cluster: ClusterID,
        _ access: WitnessAccess = WitnessAccess(),
        ttl: Duration,
        logger: Logger
    ) throws -> any LeaseCell {
        switch self {
        case .server:
            return try client(access, within: ClusterStores.limit(ttl: ttl)).cell(of: cluster)
        case .store(let replica):
            let store = try ClusterStores.leases(replica, ttl: ttl, logger: logger)
            return StoreCell(store, key: Self.layout(replica).cell(of: cluster))
        }
    }

    /// A client of the witness.
    ///
    /// - Throws: `ObjectStoreError` for a store.
    func client(_ access: WitnessAccess, within limit: Duration) throws(ObjectStoreError) -> WitnessClient {
        guard case .server(let url) = self else {
            throw ObjectStoreError(.invalidRequest, "\(name) is a store, which no client of a witness asks.")
        }
        return WitnessClient(
            url: url,
            token: access.token,
            within: limit,
            certificateAuthorities: access.certificateAuthorities
        )
    }

    /// Where cells lie in a store.
    static func layout(_ replica: ReplicaConfiguration) -> ClusterLayout {
        ClusterLayout(path: replica.type == .s3 ? replica.path : "")
    }
}

/// What a witness wants to see, and what is trusted as one.
public struct WitnessAccess: Hashable, Sendable {
    /// The token.
    public var token: Secret?
    /// A file of certificates in PEM form that are trusted instead of the system's.
    public var certificateAuthorities: FilePath?

    /// Takes both.
    public init(token: Secret? = nil, certificateAuthorities: FilePath? = nil) {
        (self.token, self.certificateAuthorities) = (token, certificateAuthorities)
    }
}
