import NIOCore
import NIOPosix
import Synchronization

/// A connection whose bytes a test writes itself, at its own pace, and whose answers it may leave unread.
final class RawConnection: Sendable {
    private let channel: any Channel
    private let bytes: Bytes

    private final class Bytes: Sendable {
        let received = Mutex(ByteBuffer())
    }

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - port: Where to.
    ///   - reads: Whether what comes is read; else it stays with the system.
    init(port: Int, reads: Bool = true) async throws {
        let bytes = Bytes()
        self.bytes = bytes
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(bytes: bytes))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// What has come so far.
    var text: String { bytes.received.withLock { String(buffer: $0) } }

    /// Whether the connection still stands, as far as this end knows.
    var isOpen: Bool { channel.isActive }

    /// Sends some bytes.
    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    /// Waits until the other end has closed the connection.
    func closed() async throws { try await channel.closeFuture.get() }

    /// Closes it from this end.
    func close() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let bytes: Bytes
        init(bytes: Bytes) { self.bytes = bytes }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var piece = unwrapInboundIn(data)
            bytes.received.withLock { _ = $0.writeBuffer(&piece) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
