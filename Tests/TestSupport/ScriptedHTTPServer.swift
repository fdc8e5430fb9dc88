public import NIOCore
public import NIOHTTP1
import NIOPosix
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// An HTTP server in this process that answers as a test tells it to, rightly or wrongly.
///
/// It notes every request, so that a test can look at what was sent and how often.
public final class ScriptedHTTPServer: Sendable {
    /// A request that has come, whole.
    public struct Request: Sendable {
        /// Its place among the requests, from 0.
        public var number: Int
        /// `GET` and so on.
        public var method: HTTPMethod
        /// Path and query as they were sent.
        public var uri: String
        /// The headers.
        public var headers: HTTPHeaders
        /// The body.
        public var body: ByteBuffer

        /// The path as it was sent.
        public var path: String { String(uri.prefix { $0 != "?" }) }
        /// The query as it was sent.
        public var query: String { String(uri.drop { $0 != "?" }.dropFirst()) }
    }

    /// What becomes of a request.
    public enum Answer: Sendable {
        /// A whole answer; the length is told unless the headers do.
        case respond(HTTPResponseStatus, [(String, String)] = [], String = "")
        /// An answer whose head tells the body's whole length, and which ends after `count` bytes of it: with a close,
        /// or with a reset.
        case cutShort(HTTPResponseStatus, [(String, String)] = [], body: String, after: Int, reset: Bool = false)
        /// An answer whose head tells the body's whole length, and which goes silent after `count` bytes of it.
        case stall(HTTPResponseStatus, [(String, String)] = [], body: String, after: Int)
        /// A close without an answer.
        case close
        /// A reset without an answer.
        case reset
        /// Silence.
        case silence
        /// A whole answer and a close as soon as the head has come, while the body is still under way.
        case respondAtHead(HTTPResponseStatus, [(String, String)] = [], String = "")
    }

    /// The port of 127.0.0.1 that it listens at.
    public let port: Int
    /// `http://127.0.0.1:PORT`.
    public var endpoint: String { "http://127.0.0.1:\(port)" }
    private let channel: any Channel
    private let log: Log

    private final class Log: Sendable {
        let requests = Mutex<[Request]>([])
        let connections = Mutex<[any Channel]>([])
    }

    private init(channel: any Channel, port: Int, log: Log) {
        (self.channel, self.port, self.log) = (channel, port, log)
    }

    /// The requests so far.
    public var requests: [Request] { log.requests.withLock(\.self) }

    /// The number of connections taken so far.
    public var connectionCount: Int { log.connections.withLock(\.count) }

    /// Calls `body` with a server that answers by `answer`, and ends it afterwards.
    ///
    /// - Parameters:
    ///   - answer: Tells what becomes of a request; called when its head has come and when its body has, on an event
    ///     loop, so it must not block.
    ///   - body: Uses the server.
    public static func with<Value>(
        _ answer: @escaping @Sendable (Request) -> Answer,
        _ body: (ScriptedHTTPServer) async throws -> Value
    ) async throws -> Value {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                log.connections.withLock { $0.append(channel) }
                return channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Handler(log: log, answer: answer))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { throw TestSupportError("The system gave no port.") }
        let server = ScriptedHTTPServer(channel: channel, port: port, log: log)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        // Those closed already answer with an error.
        for connection in log.connections.withLock(\.self) { try? await connection.close() }
        try await channel.close()
        return try result.get()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Log
        private let answer: @Sendable (Request) -> Answer
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(log: Log, answer: @escaping @Sendable (Request) -> Answer) { (self.log, self.answer) = (log, answer) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                (self.head, body) = (head, ByteBuffer())
                guard case .respondAtHead(let status, let headers, let body) = answer(request(head)) else { return }
                note(head)
                self.head = nil
                write(status, headers + [("connection", "close")], body, count: body.utf8.count, context)
                let channel = context.channel
                context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
            case .body(var piece): body.writeBuffer(&piece)
            case .end:
                guard let head else { return }
                let request = note(head)
                carryOut(answer(request), context, isHead: head.method == .HEAD)
            }
        }

        /// The request as it is so far, with the number it is going to have.
        private func request(_ head: HTTPRequestHead) -> Request {
            Request(
                number: log.requests.withLock(\.count),
                method: head.method,
                uri: head.uri,
                headers: head.headers,
                body: body
            )
        }

        @discardableResult
        private func note(_ head: HTTPRequestHead) -> Request {
            log.requests.withLock { requests in
                let request = Request(
                    number: requests.count,
                    method: head.method,
                    uri: head.uri,
                    headers: head.headers,
                    body: body
                )
                requests.append(request)
                return request
            }
        }

        private func carryOut(_ answer: Answer, _ context: ChannelHandlerContext, isHead: Bool) {
            switch answer {
            case .respond(let status, let headers, let body):
                write(status, headers, body, count: isHead ? 0 : body.utf8.count, context)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .cutShort(let status, let headers, let body, let count, let reset):
                write(status, headers, body, count: count, context)
                let channel = context.channel
                // What was written has to leave before the connection does.
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer())))).whenComplete { _ in
                    channel.eventLoop.scheduleTask(in: .milliseconds(20)) { Self.end(channel, reset: reset) }
                }
            case .stall(let status, let headers, let body, let count):
                write(status, headers, body, count: count, context)
                context.flush()
            case .close: Self.end(context.channel, reset: false)
            case .reset: Self.end(context.channel, reset: true)
            case .silence, .respondAtHead: break
            }
        }

        private func write(
            _ status: HTTPResponseStatus,
            _ headers: [(String, String)],
            _ body: String,
            count: Int,
            _ context: ChannelHandlerContext
        ) {
            var headers = HTTPHeaders(headers)
            if !headers.contains(name: "content-length") {
                headers.add(name: "content-length", value: String(body.utf8.count))
            }
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            let bytes = ByteBuffer(bytes: body.utf8.prefix(count))
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }

        private static func end(_ channel: any Channel, reset: Bool) {
            guard reset, let options = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
            // With no time to linger a close is a reset.
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
