import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// One client's connection: Hummingbird's, with a bound on what a slow client may keep busy.
struct BoundedConnection: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let base: HTTP1Channel
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - clientTimeout: How long a client may take to send a request, to take an answer, and to be silent between them.
    ///   - respond: Answers a request, on the connection's event loop: what takes long belongs elsewhere. What it throws
    ///     ends the connection.
    init(clientTimeout: Duration, respond: @escaping @Sendable (Request) async throws -> Response) {
        timeout = TimeAmount(clientTimeout)
        base = HTTP1Channel(
            responder: { request, writer, _ in
                let response = try await respond(request)
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: HTTP1Channel.Configuration(
                idleTimeout: timeout,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 << 10,
                    maxHeaderListSize: 16 << 10,
                    maxHeaderFieldCount: 100
                )
            )
        )
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let timeout = timeout
        return base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(RequestPatience(timeout), position: .after(decoder))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}

/// Closes the connection of a client that takes too long to send the whole of a request, or to take an answer, or that
/// sends far more than anybody asked for.
///
/// Silence between requests, and half a head, are the business of Hummingbird's own time-out; a body that drips is not.
final class RequestPatience: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What is read and thrown away of a body that is too large, so that its sender sees the answer.
    private static let byteLimit = 1 << 20

    private let limit: TimeAmount
    private var isReceiving = false
    private var byteCount = 0
    private var receiving: Scheduled<Void>?
    private var unsentAnswers = 0
    private var sending: Scheduled<Void>?

    init(_ limit: TimeAmount) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: (isReceiving, byteCount) = (true, 0)
        case .body(let piece):
            byteCount += piece.readableBytes
            guard byteCount <= Self.byteLimit else { return context.close(promise: nil) }
        case .end:
            isReceiving = false
            receiving?.cancel()
            receiving = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Most requests come in one piece and need no timer.
        if isReceiving, receiving == nil { receiving = closing(context) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        unsentAnswers += 1
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unsentAnswers -= 1
            self.sending?.cancel()
            // It takes answers, if slowly: the time for the next one begins.
            self.sending = self.unsentAnswers > 0 && context.channel.isActive ? self.closing(context) : nil
        }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if unsentAnswers > 0, sending == nil { sending = closing(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        receiving?.cancel()
        sending?.cancel()
        context.fireChannelInactive()
    }

    private func closing(_ context: ChannelHandlerContext) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }
}
