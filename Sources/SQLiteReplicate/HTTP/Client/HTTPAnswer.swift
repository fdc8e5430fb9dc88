import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import ObjectStorage

/// A whole answer to a request that was sent once.
///
/// All requests of a process share a client, and so their connections.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer

    /// No answer of a node or of a witness is longer.
    private static let limit = 256 << 10

    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        // Less than the servers' patience: a connection that one has just closed would cost an answer.
        configuration.connectionPool.idleTimeout = .seconds(10)
        // Who asks knows how long an answer is worth something.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Sends a request and reads the whole answer, within a time.
    init(to request: HTTPClientRequest, within limit: Duration) async throws {
        // The client's own deadline ends with the answer's head; this one covers all of it.
        self = try await withThrowingTaskGroup(of: HTTPAnswer?.self) { group in
            group.addTask {
                let response = try await Self.client.execute(request, deadline: .now() + TimeAmount(limit))
                let body = try await response.body.collect(upTo: Self.limit)
                return HTTPAnswer(status: Int(response.status.code), headers: response.headers, body: body)
            }
            group.addTask {
                try await Pause.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else {
                throw HTTPClientError.deadlineExceeded
            }
            return answer
        }
    }

    private init(status: Int, headers: HTTPHeaders, body: ByteBuffer) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// What it says, for people.
    var words: String {
        let members = try? MessageReader(body)
        return (try? members?.string("reason")) ?? String(buffer: body).oneLine
    }
}
