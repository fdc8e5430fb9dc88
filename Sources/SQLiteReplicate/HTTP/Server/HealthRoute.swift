/// What a request is about: its method and path, and nothing else of it.
enum HealthRoute: Hashable, Sendable {
    case health, liveness, readiness, primary, replica
    case status, metrics
    case promise, hint, promote, switchover, demote

    /// How a path is asked for.
    enum Match: Hashable, Sendable {
        case route(HealthRoute)
        /// The path is known, and another method is its.
        case otherMethod(allowed: String)
        case unknownPath
    }

    /// Finds the route of a request; `HEAD` is `GET`, and a query changes nothing.
    static func find(method: String, path: String) -> Match {
        guard let route = paths[path.prefix { $0 != "?" }] else { return .unknownPath }
        let isRight = route.isCommand ? method == "POST" : method == "GET" || method == "HEAD"
        return isRight ? .route(route) : .otherMethod(allowed: route.isCommand ? "POST" : "GET, HEAD")
    }

    private static let paths: [Substring: HealthRoute] = [
        "/health": .health, "/liveness": .liveness, "/readiness": .readiness, "/primary": .primary,
        "/replica": .replica, "/status": .status, "/metrics": .metrics, "/cluster/promise": .promise,
        "/cluster/hint": .hint, "/cluster/promote": .promote, "/cluster/switchover": .switchover,
        "/cluster/demote": .demote,
    ]

    /// Whether it is answered without a token even where there is one: load balancers have none.
    var isOpen: Bool {
        switch self {
        case .health, .liveness, .readiness, .primary, .replica: true
        case .status, .metrics, .promise, .hint, .promote, .switchover, .demote: false
        }
    }

    /// Whether it may change something, and so is a `POST`.
    var isCommand: Bool {
        switch self {
        case .promise, .hint, .promote, .switchover, .demote: true
        case .health, .liveness, .readiness, .primary, .replica, .status, .metrics: false
        }
    }
}
