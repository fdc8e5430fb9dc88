import NIOCore
import NIOHTTP1
import NIOPosix

/// A whole answer of the server, or one made in its place.
struct UpstreamAnswer: Sendable {
    var head: HTTPResponseHead
    var body: ByteBuffer

    init(head: HTTPResponseHead, body: ByteBuffer) { (self.head, self.body) = (head, body) }

    /// An error as S3 tells it.
    init(status: HTTPResponseStatus, code: String) {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>\(code)</Code><Message>Ordered by a test.</Message></Error>
            """
        body = ByteBuffer(string: text)
        head = HTTPResponseHead(version: .http1_1, status: status, headers: ["content-type": "application/xml"])
    }

    /// Whether the server has closed the connection after it.
    var closes: Bool { head.headers[canonicalForm: "connection"].contains("close") }

    /// The answer as bytes; the body is told by its length.
    func encoded(for method: HTTPMethod) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeString("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
        let isHead = method == .HEAD
        for (name, value) in head.headers {
            switch name.lowercased() {
            case "transfer-encoding": continue
            case "content-length" where !isHead: continue
            default: bytes.writeString("\(name): \(value)\r\n")
            }
        }
        let hasBody = head.status.code != 204 && head.status.code != 304
        if !isHead, hasBody { bytes.writeString("content-length: \(body.readableBytes)\r\n") }
        bytes.writeString("\r\n")
        if !isHead { bytes.writeImmutableBuffer(body) }
        return bytes
    }
}

/// A proxy's connection to the server for one client; made when it is needed, and again when it was lost.
///
/// It belongs to one event loop. Requests under way are carried out even if the client has gone.
final class Upstream {
    private let loop: any EventLoop
    private let port: Int
    private var channel: (any Channel)?
    private var waiting: ((Result<UpstreamAnswer, any Error>) -> Void)?
    private var hasClientGone = false

    init(_ loop: any EventLoop, _ port: Int) { (self.loop, self.port) = (loop, port) }

    /// Sends a request; `then` is called once, on the event loop.
    func send(_ head: HTTPRequestHead, _ body: ByteBuffer, then: @escaping (Result<UpstreamAnswer, any Error>) -> Void)
    {
        guard waiting == nil else { return then(.failure(ChannelError.operationUnsupported)) }
        waiting = then
        if let channel, channel.isActive { return write(head, body, to: channel) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerCollector { bound.value.finished($0) })
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    bound.value.channel = channel
                    bound.value.write(head, body, to: channel)
                case .failure(let error): bound.value.finished(.failure(error))
                }
            }
    }

    /// Nobody asks for more: the connection ends with the answer to what is under way.
    func clientHasGone() {
        hasClientGone = true
        if waiting == nil { channel?.close(promise: nil) }
    }

    private func write(_ head: HTTPRequestHead, _ body: ByteBuffer, to channel: any Channel) {
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if body.readableBytes > 0 { channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    private func finished(_ result: Result<UpstreamAnswer, any Error>) {
        if case .failure = result { channel = nil }
        let waiting = waiting
        self.waiting = nil
        waiting?(result)
        if hasClientGone { channel?.close(promise: nil) }
    }

    /// Puts the parts of an answer together.
    private final class AnswerCollector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let finished: (Result<UpstreamAnswer, any Error>) -> Void
        private var answer: UpstreamAnswer?

        init(_ finished: @escaping (Result<UpstreamAnswer, any Error>) -> Void) { self.finished = finished }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): answer = UpstreamAnswer(head: head, body: ByteBuffer())
            case .body(var piece): answer?.body.writeBuffer(&piece)
            case .end:
                guard let whole = answer else { return }
                answer = nil
                finished(.success(whole))
                if whole.closes { context.close(promise: nil) }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { finished(.failure(ChannelError.eof)) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
