import Cluster
import Hummingbird
import HummingbirdCore

/// Answers requests; it holds nothing that changes.
struct HealthResponder: Sendable {
    let token: BearerToken?
    let version: String?
    let report: @Sendable () async -> HealthReport
    /// Answers for the node; `nil` where this process is none.
    let node: NodeResponder?

    /// The answer to a request.
    ///
    /// - Throws: what reading the body throws: then nobody is there to be answered.
    func respond(to request: Request) async throws -> Response {
        let answer: Response
        switch HealthRoute.find(method: request.method.rawValue, path: request.head.path ?? "") {
        case .unknownPath: answer = .problem(.notFound, "There is nothing here: GET /status tells how this node is.")
        case .otherMethod(let allowed):
            answer = .problem(.methodNotAllowed, "This is asked for with \(allowed).").with(.allow, allowed)
        case .route(let route):
            if let refusal = refusal(of: request, route) {
                answer = refusal
            } else if route.isCommand {
                answer = try await command(route, request)
            } else {
                answer = await look(route)
            }
        }
        return request.method == .head ? answer.createHeadResponse() : answer
    }

    /// Why a request is not listened to; `nil` where it is.
    private func refusal(of request: Request, _ route: HealthRoute) -> Response? {
        if route.isOpen { return nil }
        guard let token else {
            // Whoever reaches the loopback may give commands, but a page in a browser there may not.
            guard route.isCommand, request.headers[.origin] != nil else { return nil }
            return .problem(.forbidden, "Commands of web pages are not taken.")
        }
        if token.isBrought(by: request.headers[.authorization]) { return nil }
        return .tokenWanted("the node's")
    }

    /// What only tells something.
    private func look(_ route: HealthRoute) async -> Response {
        if route == .liveness { return .line(.ok, "OK") }
        let report = await report()
        switch route {
        case .status: return .json(.ok, StatusDocument(report, version: version))
        case .metrics: return .metrics(MetricsText.of(report, version: version))
        case .primary: return .role(report, report.isWell(as: .primary))
        case .replica: return .role(report, report.isWell(as: .standby))
        case .readiness where report.status != nil: return .role(report, report.isWell(as: .primary, .standby))
        default: return .health(report)
        }
    }

    /// What another node or an operator wants.
    private func command(_ route: HealthRoute, _ request: Request) async throws -> Response {
        guard let node else { return .problem(.notFound, "This process is no node of a cluster.") }
        let limit = HealthServerSettings.bodyLimit
        guard let body = try await request.wholeBody(upTo: limit) else { return .tooLarge(limit) }
        // The node's own work is not the event loop's.
        return await withTaskExecutorPreference(globalConcurrentExecutor) { await node.respond(route, body) }
    }
}
