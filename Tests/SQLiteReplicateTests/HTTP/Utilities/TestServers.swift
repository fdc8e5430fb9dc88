import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import SQLiteReplicate
import Synchronization

/// Calls `body` with the address of a server that runs meanwhile.
func withServer<Value: Sendable>(
    _ server: HealthServer,
    _ body: (String) async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let value = try await body("http://127.0.0.1:\(server.port)")
        group.cancelAll()
        try await group.waitForAll()
        return value
    }
}

/// As above, with a server for a node, at a free port.
func withServer<Value: Sendable>(
    _ node: TestNode?,
    token: Secret? = nil,
    _ body: (String) async throws -> Value
) async throws -> Value {
    let settings = HealthServerSettings(port: 0, token: token)
    return try await withServer(HealthServer(settings, node: node, logger: .silent), body)
}

/// A whole answer.
struct TestAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: String

    func header(_ name: String) -> String? { headers.first(name: name) }
}

/// Sends a request and reads the whole answer.
func send(
    _ method: String = "GET",
    _ url: String,
    headers: [(String, String)] = [],
    body: String? = nil
) async throws -> TestAnswer {
    var request = HTTPClientRequest(url: url)
    request.method = .init(rawValue: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let text = String(buffer: try await answer.body.collect(upTo: 1 << 20))
    return TestAnswer(status: Int(answer.status.code), headers: answer.headers, body: text)
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Notes all that is said, whatever its level.
    static func noting(_ notes: LogNotes) -> Logger {
        var logger = Logger(label: "test") { _ in NotingLogHandler(notes: notes) }
        logger.logLevel = .trace
        return logger
    }
}

/// What was logged.
final class LogNotes: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock(\.self) }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct NotingLogHandler: LogHandler {
    let notes: LogNotes
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        notes.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
    }
}
