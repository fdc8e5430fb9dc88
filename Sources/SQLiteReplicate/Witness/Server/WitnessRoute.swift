import Cluster

/// What a request to a witness is about: its method and path, and nothing else of it.
enum WitnessRoute: Hashable, Sendable {
    case health
    case list
    case read(ClusterID)
    case write(ClusterID)

    /// How a path is asked for.
    enum Match: Hashable, Sendable {
        case route(WitnessRoute)
        /// The path is known, and other methods are its.
        case otherMethod(allowed: String, reason: String)
        /// The path is that of a cell with a name that none has.
        case unfitName(String)
        case unknownPath
    }

    /// Finds the route of a request; `HEAD` is `GET`, and a query changes nothing.
    static func find(method: String, path: String) -> Match {
        let path = path.prefix { $0 != "?" }
        let isReading = method == "GET" || method == "HEAD"
        switch path {
        case "/health", "/v1/cells":
            guard isReading else {
                return .otherMethod(allowed: "GET, HEAD", reason: "This is asked for with GET, HEAD.")
            }
            return .route(path == "/health" ? .health : .list)
        default:
            guard path.hasPrefix("/v1/cells/"), !path.dropFirst(10).contains("/") else { return .unknownPath }
            let name = path.dropFirst(10)
            guard let cluster = ClusterID(String(name)) else { return .unfitName(String(name)) }
            if isReading { return .route(.read(cluster)) }
            if method == "PUT" { return .route(.write(cluster)) }
            let reason =
                method == "DELETE"
                ? "A cell is never deleted: two nodes could write then." : "A cell is asked for with GET, HEAD, PUT."
            return .otherMethod(allowed: "GET, HEAD, PUT", reason: reason)
        }
    }
}
