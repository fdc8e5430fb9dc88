import NIOCore
public import NIOHTTP1
import NIOPosix
import Synchronization

/// A proxy in front of an HTTP server that passes everything on as it is, until a test tells it what to harm.
///
/// It takes whole requests and whole answers, so it is no place for large bodies. Each request is noted. A program that
/// is given ``endpoint`` in place of the server's meets lost requests, lost answers, refusals and cuts as a test orders
/// them. Signed requests stay valid: what a client sent reaches the server, its `Host` included.
public final class FaultProxy: Sendable {
    /// How the way to the server is cut.
    public enum Cut: String, Sendable {
        /// Not at all.
        case none
        /// Connections are reset, those that stand and those to come.
        case refused
        /// Nothing reaches the server, and nobody says so.
        case silent
        /// Requests reach the server, answers do not come back.
        case oneWay
    }

    /// A request and what became of it.
    public struct Exchange: Sendable {
        /// Its place among the requests, from 0.
        public var number: Int
        /// `GET` and so on.
        public var method: HTTPMethod
        /// Path and query as they were sent.
        public var uri: String
        /// `If-Match`, where it was sent.
        public var ifMatch: String?
        /// `If-None-Match`, where it was sent.
        public var ifNoneMatch: String?
        /// When its head came.
        public var began: ContinuousClock.Instant
        /// What the server answered; `nil` where it was not asked, or has not answered yet.
        public var serverStatus: UInt?
        /// What the client was answered; `nil` where it was not, or not yet.
        public var clientStatus: UInt?
        /// What went wrong with it by a rule or a cut, in words.
        public var fault: String?

        /// The path as it was sent.
        public var path: String { String(uri.prefix { $0 != "?" }) }
    }

    /// The port of 127.0.0.1 that it listens at.
    public let port: Int
    /// `http://127.0.0.1:PORT`.
    public var endpoint: String { "http://127.0.0.1:\(port)" }

    private let channel: any Channel
    private let state: ProxyState

    private init(channel: any Channel, port: Int, state: ProxyState) {
        (self.channel, self.port, self.state) = (channel, port, state)
    }

    /// Starts a proxy in front of a server of this host.
    ///
    /// - Parameter endpoint: The server, such as `http://127.0.0.1:9000`.
    public static func start(before endpoint: String) async throws -> FaultProxy {
        guard let server = endpoint.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw TestSupportError("'\(endpoint)' names no port: write http://127.0.0.1:PORT.")
        }
        let state = ProxyState()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                    let connection = ProxyConnection(state: state, upstream: Upstream(channel.eventLoop, server))
                    try channel.pipeline.syncOperations.addHandlers([decoder, connection])
                    state.opened(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { throw TestSupportError("The system gave no port.") }
        return FaultProxy(channel: channel, port: port, state: state)
    }

    /// Ends it, and all its connections.
    public func stop() async throws {
        try await channel.close()
        state.resetAll()
    }

    /// What came so far.
    public var exchanges: [Exchange] { state.exchanges }

    /// Forgets what came so far; numbers go on.
    public func forget() { state.forget() }

    /// Adds a rule. The first one that a request meets counts.
    public func add(_ rule: FaultRule) { state.add(rule) }

    /// How many requests the rules that stand have harmed.
    public var harmed: Int { state.harmed }

    /// Drops all rules.
    public func removeRules() { state.removeRules() }

    /// How the way is cut at present.
    public var cut: Cut { state.cut }

    /// Cuts the way, or opens it again.
    ///
    /// What was under way in a cut stays lost: connections that met it are reset when it is opened again.
    public func cut(_ cut: Cut) { state.set(cut) }
}

/// What all connections of a proxy share.
final class ProxyState: Sendable {
    private struct Values {
        var rules: [(rule: FaultRule, seen: Int, harmed: Int)] = []
        var cut = FaultProxy.Cut.none
        var exchanges: [Int: FaultProxy.Exchange] = [:]
        var count = 0
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let values = Mutex(Values())

    var exchanges: [FaultProxy.Exchange] {
        values.withLock { $0.exchanges.values.sorted { $0.number < $1.number } }
    }

    var harmed: Int { values.withLock { $0.rules.reduce(0) { $0 + $1.harmed } } }

    var cut: FaultProxy.Cut { values.withLock(\.cut) }

    func forget() { values.withLock { $0.exchanges = [:] } }

    func add(_ rule: FaultRule) { values.withLock { $0.rules.append((rule, 0, 0)) } }

    func removeRules() { values.withLock { $0.rules = [] } }

    func set(_ cut: FaultProxy.Cut) {
        let resets = values.withLock { values in
            defer { values.cut = cut }
            return cut == .refused || (values.cut != .none && cut == .none)
        }
        if resets { resetAll() }
    }

    func opened(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        values.withLock { $0.channels[key] = channel }
        channel.closeFuture.whenComplete { _ in self.values.withLock { $0.channels[key] = nil } }
        if cut == .refused { reset(channel) }
    }

    func resetAll() {
        for channel in values.withLock({ Array($0.channels.values) }) { reset(channel) }
    }

    /// Notes a request, and tells what is to become of it.
    func begin(_ head: HTTPRequestHead) -> (number: Int, fault: FaultRule.Fault?) {
        values.withLock { values in
            var exchange = FaultProxy.Exchange(
                number: values.count,
                method: head.method,
                uri: head.uri,
                ifMatch: head.headers.first(name: "if-match"),
                ifNoneMatch: head.headers.first(name: "if-none-match"),
                began: .now
            )
            values.count += 1
            let fault = Self.fault(for: head, &values)
            exchange.fault = values.cut == .none ? fault.map { "\($0)" } : "cut: \(values.cut)"
            values.exchanges[exchange.number] = exchange
            return (exchange.number, fault)
        }
    }

    private static func fault(for head: HTTPRequestHead, _ values: inout Values) -> FaultRule.Fault? {
        switch values.cut {
        case .none: break
        case .refused: return .dropRequest(.reset)
        case .silent: return .dropRequest(.stall)
        case .oneWay: return .loseAnswer(.stall)
        }
        for (index, entry) in values.rules.enumerated() where entry.rule.matches(head.method, head.uri) {
            values.rules[index].seen += 1
            let place = entry.seen - entry.rule.skip
            guard place >= 0, place < entry.rule.count ?? .max else { continue }
            values.rules[index].harmed += 1
            return entry.rule.fault
        }
        return nil
    }

    func note(_ number: Int, _ change: (inout FaultProxy.Exchange) -> Void) {
        values.withLock { values in
            guard var exchange = values.exchanges[number] else { return }
            change(&exchange)
            values.exchanges[number] = exchange
        }
    }
}
