import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// One client of a proxy: takes its requests one after another, and harms them.
final class ProxyConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let state: ProxyState
    private let upstream: Upstream
    private var request: (head: HTTPRequestHead, number: Int, fault: FaultRule.Fault?)?
    private var body = ByteBuffer()

    init(state: ProxyState, upstream: Upstream) { (self.state, self.upstream) = (state, upstream) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let (number, fault) = state.begin(head)
            (request, body) = ((head, number, fault), ByteBuffer())
            if head.headers.contains(where: { $0.lowercased() == "expect" && $1.lowercased() == "100-continue" }) {
                context.writeAndFlush(
                    wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")),
                    promise: nil
                )
            }
        case .body(var piece):
            body.writeBuffer(&piece)
            if case .cutRequest(let count) = request?.fault, body.readableBytes >= count { end(.reset, context) }
        case .end:
            guard let (head, number, fault) = request else { return }
            request = nil
            carryOut(fault, head, number, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { upstream.clientHasGone() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func carryOut(
        _ fault: FaultRule.Fault?,
        _ head: HTTPRequestHead,
        _ number: Int,
        _ context: ChannelHandlerContext
    ) {
        switch fault {
        case nil: forward(head, number, context) { self.answer($0, head, number, context) }
        case .dropRequest(let ending): end(ending, context)
        case .loseAnswer(let ending): forward(head, number, context) { _ in self.end(ending, context) }
        case .answer(let status, let code, let isForwarded):
            let answer = UpstreamAnswer(status: status, code: code)
            if isForwarded {
                forward(head, number, context) { _ in self.answer(answer, head, number, context) }
            } else {
                self.answer(answer, head, number, context)
            }
        case .delay(let time):
            let body = body
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: TimeAmount(time)) {
                let (handler, context) = bound.value
                handler.body = body
                handler.forward(head, number, context) { handler.answer($0, head, number, context) }
            }
        case .delayAnswer(let time):
            forward(head, number, context) { answer in
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: TimeAmount(time)) {
                    let (handler, context) = bound.value
                    handler.answer(answer, head, number, context)
                }
            }
        case .cutRequest: end(.reset, context)
        case .cutAnswer(let count):
            forward(head, number, context) { answer in
                let bytes = answer.encoded(for: head.method)
                let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
                let piece = bytes.getSlice(at: bytes.readerIndex, length: min(count, bytes.readableBytes)) ?? bytes
                // What was written has to leave before the connection does.
                context.writeAndFlush(self.wrapOutboundOut(piece)).whenComplete { _ in
                    bound.value.1.eventLoop.scheduleTask(in: .milliseconds(20)) {
                        let (handler, context) = bound.value
                        handler.end(.reset, context)
                    }
                }
            }
        }
    }

    /// Has the server carry a request out; a server that gives no answer is a reset for the client.
    private func forward(
        _ head: HTTPRequestHead,
        _ number: Int,
        _ context: ChannelHandlerContext,
        then: @escaping (UpstreamAnswer) -> Void
    ) {
        upstream.send(head, body) { result in
            switch result {
            case .success(let answer):
                self.state.note(number) { $0.serverStatus = answer.head.status.code }
                // A cut that began meanwhile holds the answer back.
                switch self.state.cut {
                case .none: then(answer)
                case .refused: self.end(.reset, context)
                case .silent, .oneWay: self.state.note(number) { $0.fault = "cut: answer" }
                }
            case .failure: self.end(.reset, context)
            }
        }
    }

    private func answer(
        _ answer: UpstreamAnswer,
        _ head: HTTPRequestHead,
        _ number: Int,
        _ context: ChannelHandlerContext
    ) {
        state.note(number) { $0.clientStatus = answer.head.status.code }
        context.writeAndFlush(wrapOutboundOut(answer.encoded(for: head.method)), promise: nil)
        if answer.closes { context.close(promise: nil) }
    }

    private func end(_ ending: FaultRule.Ending, _ context: ChannelHandlerContext) {
        switch ending {
        case .reset: reset(context.channel)
        case .close: context.close(promise: nil)
        case .stall: break
        }
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

/// Ends a connection with a reset.
func reset(_ channel: any Channel) {
    guard let options = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
    // With no time to linger a close is a reset.
    options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
}
