public import NIOHTTP1

/// What is to go wrong with which requests that pass a ``FaultProxy``.
public struct FaultRule: Sendable, CustomStringConvertible {
    /// How a connection ends that gives no answer.
    public enum Ending: String, Sendable, CaseIterable {
        /// At once, with a reset.
        case reset
        /// At once, with a close.
        case close
        /// Not at all: the client waits as long as it likes.
        case stall
    }

    /// What becomes of a request.
    public enum Fault: Sendable {
        /// The server never sees it.
        case dropRequest(Ending)
        /// The server carries it out, the client never hears of it.
        case loseAnswer(Ending)
        /// The client gets this answer, whether or not the server carries the request out as well.
        case answer(HTTPResponseStatus, code: String, isForwarded: Bool)
        /// The server gets it after this time, even if the client has gone by then.
        case delay(Duration)
        /// The client gets the answer after this time.
        case delayAnswer(Duration)
        /// The connection is reset once so many bytes of the body have come; the server never sees the request.
        case cutRequest(after: Int)
        /// The connection is reset once so many bytes of the answer have gone, its head included.
        case cutAnswer(after: Int)
    }

    /// The method; `nil` for all.
    public var method: HTTPMethod?
    /// What path and query contain, as they were sent; empty for all.
    public var path: String
    /// A regular expression that path and query match somewhere; `nil` for all.
    public var pattern: String?
    /// How many of these requests pass unharmed first.
    public var skip: Int
    /// How many are harmed then; `nil` for all.
    public var count: Int?
    /// What becomes of them.
    public var fault: Fault

    /// Creates a rule.
    public init(
        _ fault: Fault,
        method: HTTPMethod? = nil,
        path: String = "",
        pattern: String? = nil,
        skip: Int = 0,
        count: Int? = 1
    ) {
        (self.method, self.path, self.pattern) = (method, path, pattern)
        (self.skip, self.count, self.fault) = (skip, count, fault)
    }

    /// Whether a request is one of those meant.
    func matches(_ method: HTTPMethod, _ uri: String) -> Bool {
        guard self.method ?? method == method, path.isEmpty || uri.contains(path) else { return false }
        guard let pattern else { return true }
        // An expression is no `Sendable` value, so it is made anew; a wrong one matches nothing.
        guard let expression = try? Regex(pattern) else { return false }
        return uri.firstMatch(of: expression) != nil
    }

    public var description: String {
        let which = [method?.rawValue, path.isEmpty ? nil : path, pattern].compactMap(\.self).joined(separator: " ")
        return "\(fault) at \(which.isEmpty ? "any request" : which), after \(skip), \(count.map(String.init) ?? "all")"
    }
}

extension FaultRule.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dropRequest(let ending): "request lost, \(ending)"
        case .loseAnswer(let ending): "answer lost, \(ending)"
        case .answer(let status, _, let isForwarded): "\(status.code)\(isForwarded ? " although carried out" : "")"
        case .delay(let time): "request \(time) late"
        case .delayAnswer(let time): "answer \(time) late"
        case .cutRequest(let count): "request cut after \(count) bytes"
        case .cutAnswer(let count): "answer cut after \(count) bytes"
        }
    }

    /// The faults of an S3 store that a client must bear: lost requests and answers, and refusals.
    public static let usual: [Self] =
        FaultRule.Ending.allCases.flatMap { [.dropRequest($0), .loseAnswer($0)] } + [
            .answer(.internalServerError, code: "InternalError", isForwarded: false),
            .answer(.internalServerError, code: "InternalError", isForwarded: true),
            .answer(.serviceUnavailable, code: "SlowDown", isForwarded: false),
            .answer(.serviceUnavailable, code: "SlowDown", isForwarded: true),
            .answer(.tooManyRequests, code: "TooManyRequests", isForwarded: false),
            .answer(.conflict, code: "ConditionalRequestConflict", isForwarded: false),
        ]
}
