import AsyncHTTPClient
public import Cluster
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Talks to the ``HealthServer`` of other nodes, or of this one: what nodes say to each other, and an operator's words.
///
/// ```swift
/// let client = NodeClient(token: token)
/// let status = try await client.status(of: "http://10.0.0.1:3000")
/// try await client.perform(.demote, at: "http://10.0.0.1:3000")
/// ```
///
/// All clients of a process share their connections. The token goes to every node that is asked for more than its
/// health, so let the addresses be those of your own nodes, and use `https` where others may listen on the way.
public struct NodeClient: PeerMessaging {
    /// An operator's word to a node.
    public enum Command: Hashable, Sendable {
        /// Take over where nobody holds the lease; `acceptLoss`: even where this node is not known to have everything.
        case promote(acceptLoss: Bool)
        /// Without a witness: take over from a peer that is down, with these questions answered with yes.
        case promotePeerIsDown(Set<PairQuestion>)
        /// Hand over to the node with this name or id.
        case switchover(to: String)
        /// Let go and stay out.
        case demote
    }

    /// What an address says of its health.
    public enum HealthAnswer: Hashable, Sendable {
        /// 200.
        case well
        /// Another answer: its status, and what it says.
        case unwell(status: Int, String)
        /// None: why.
        case none(NodeClientError)

        /// Whether it answered 200.
        public var isWell: Bool { self == .well }
    }

    private let token: Secret?

    /// Creates a client.
    ///
    /// - Parameter token: What the nodes want to see; visible ASCII.
    public init(token: Secret? = nil) { self.token = token }

    /// Asks an address how it is, without a token.
    ///
    /// - Parameters:
    ///   - url: The whole address: `http://10.0.0.1:3000/health`.
    ///   - limit: How long an answer is waited for.
    public func health(of url: String, within limit: Duration = .seconds(5)) async -> HealthAnswer {
        do throws(NodeClientError) {
            let answer = try await exchange(.GET, url, token: nil, within: limit)
            return answer.status == 200 ? .well : .unwell(status: answer.status, answer.words)
        } catch {
            return .none(error)
        }
    }

    /// Asks a node where it stands.
    ///
    /// - Parameters:
    ///   - url: The node's address: `http://10.0.0.1:3000`.
    ///   - limit: How long an answer is waited for.
    /// - Throws: ``NodeClientError``.
    public func status(
        of url: String,
        within limit: Duration = .seconds(10)
    ) async throws(NodeClientError) -> StatusDocument {
        let address = try Self.address(url, "/status")
        let answer = try await exchange(.GET, address, token: token, within: limit)
        guard answer.status == 200 else { throw unusable(answer, address) }
        do {
            return try JSONDecoder().decode(StatusDocument.self, from: Data(answer.body.readableBytesView))
        } catch {
            throw .invalidAnswer(address, answer.status, answer.words)
        }
    }

    /// Gives a node an operator's word, and waits until it has carried it out.
    ///
    /// - Parameters:
    ///   - command: The word.
    ///   - url: The node's address: `http://10.0.0.1:3000`.
    ///   - limit: How long the end of it is waited for; it is not taken back when that has passed.
    /// - Throws: `NodeCommandError` where the node does not carry it out; ``NodeClientError`` where it cannot be asked,
    ///   or where it is not known what became of it.
    public func perform(_ command: Command, at url: String, within limit: Duration = .seconds(60)) async throws {
        let address = try Self.address(url, command.path)
        let answer = try await exchange(.POST, address, command.members, token: token, within: limit)
        if answer.status == 200 { return }
        guard let members = try? MessageReader(answer.body), let word = try? members.string("code"),
            let code = NodeCommandError.Code(word: word), let reason = try? members.string("reason")
        else { throw unusable(answer, address) }
        throw NodeCommandError(code, reason)
    }

    public func askPromise(
        of node: NodeID,
        at url: String,
        _ request: PromiseRequest,
        within limit: Duration
    ) async -> Bool {
        // No answer, or one that says something else, is no promise.
        guard let address = try? Self.address(url, "/cluster/promise"),
            let answer = try? await exchange(
                .POST,
                address,
                PromiseMessage(request).members,
                token: token,
                within: limit
            ),
            answer.status == 200, let given = try? PromiseAnswer(parsing: answer.body)
        else { return false }
        return given == PromiseAnswer(cluster: request.cluster, node: node, session: request.session)
    }

    public func hint(_ url: String) async {
        // A hint that is not heard costs its hearer nothing but time.
        guard let address = try? Self.address(url, "/cluster/hint") else { return }
        _ = try? await exchange(.POST, address, [:], token: token, within: .seconds(2))
    }

    private static func address(_ url: String, _ path: String) throws(NodeClientError) -> String {
        guard Endpoint.isHTTP(url) else { throw .invalidAddress(url) }
        return (url.hasSuffix("/") ? String(url.dropLast()) : url) + path
    }

    private func unusable(_ answer: HTTPAnswer, _ url: String) -> NodeClientError {
        answer.status == 401
            ? .unauthorized(url, hasToken: token != nil) : .invalidAnswer(url, answer.status, answer.words)
    }
}

extension NodeClient {
    /// Sends a request and reads the whole answer.
    private func exchange(
        _ method: HTTPMethod,
        _ url: String,
        _ members: [String: JSONValue]? = nil,
        token: Secret?,
        within limit: Duration
    ) async throws(NodeClientError) -> HTTPAnswer {
        guard Endpoint.isHTTP(url) else { throw .invalidAddress(url) }
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = ["user-agent": "sqlite-replicate"]
        if let token, BearerToken.isFit(token.exposed) {
            request.headers.add(name: "authorization", value: "Bearer \(token.exposed)")
        }
        if let members {
            request.headers.add(name: "content-type", value: "application/json")
            // Text, whole numbers and truth values can always be encoded.
            request.body = .bytes(ByteBuffer(bytes: (try? JSONEncoder().encode(members)) ?? Data()))
        }
        do {
            return try await HTTPAnswer(to: request, within: limit)
        } catch {
            throw NodeClientError(transport: error, url, limit)
        }
    }
}

extension NodeClient.Command {
    fileprivate var path: String {
        switch self {
        case .promote, .promotePeerIsDown: "/cluster/promote"
        case .switchover: "/cluster/switchover"
        case .demote: "/cluster/demote"
        }
    }

    fileprivate var members: [String: JSONValue] {
        switch self {
        case .promote(let acceptLoss): ["acceptLoss": .bool(acceptLoss)]
        case .promotePeerIsDown(let answers):
            answers.isEmpty
                ? ["peerIsDown": .bool(true)]
                : [
                    "peerIsDown": .bool(true),
                    "yes": .string(answers.map(\.rawValue).sorted().joined(separator: ",")),
                ]
        case .switchover(let name): ["to": .string(name)]
        case .demote: [:]
        }
    }
}
