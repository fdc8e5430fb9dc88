import Cluster
import Logging
import SQLiteReplicate
import ServiceLifecycle
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ListenTests {
    @Test(
        "Addresses are read as configuration files have them",
        arguments: [
            ("127.0.0.1:3000", "127.0.0.1", 3000), ("localhost:0", "localhost", 0), ("[::1]:3000", "::1", 3000),
            (":9090", "0.0.0.0", 9090), ("8080", "127.0.0.1", 8080),
            ("node-a.internal:65535", "node-a.internal", 65535),
        ]
    )
    func parse(text: String, host: String, port: Int) throws {
        let settings = try HealthServerSettings(listen: text)
        #expect(settings.host == host && settings.port == port && settings.token == nil)
    }

    @Test(
        "What is no address is refused in words",
        arguments: [
            "", ":", "host", "host:", "host:65536", "host:-1", "host:+1", "host:3000x", "::1:3000", "[::1]", "[host]:1",
            "http://host:3000", "a b:1", "host:٣",
        ]
    )
    func noAddress(text: String) {
        let error = #expect(throws: HealthServerError.self) { try HealthServerSettings(listen: text) }
        #expect(error?.code == .invalidSettings && error?.message.contains("HOST:PORT") == true)
    }

    /// Runs a server that does not come to listen, and tells why; who waits for its port is told the same.
    private func failure(of settings: HealthServerSettings) async throws -> HealthServerError {
        let server = HealthServer(settings, node: TestNode(), logger: .silent)
        return try await withThrowingTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                do {
                    _ = try await server.port
                    return nil
                } catch { return error }
            }
            let error = await #expect(throws: HealthServerError.self) { try await server.run() }
            let told = try await group.next() ?? nil
            #expect(told as? HealthServerError == error)
            return try #require(error)
        }
    }

    @Test("A port in use is told with its address and what to do")
    func portInUse() async throws {
        let server = HealthServer(HealthServerSettings(port: 0), node: TestNode(), logger: .silent)
        try await withServer(server) { url in
            let port = try await server.port
            let error = try await failure(of: HealthServerSettings(port: port))
            #expect(error.code == .addressInUse)
            #expect(error.message.contains("127.0.0.1:\(port) is in use") && error.message.contains("listen:"))
            // The one that was there first goes on.
            #expect(try await send("GET", url + "/health").status == 200)
        }
    }

    @Test(
        "An address that others reach is refused without a token, with the line that helps",
        arguments: ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"]
    )
    func openWithoutToken(host: String) async throws {
        let error = try await failure(of: HealthServerSettings(host: host, port: 0))
        #expect(error.code == .tokenMissing)
        #expect(error.message.contains("'token: TEXT' below 'cluster:'"))
    }

    @Test("With a token all addresses are served", arguments: ["0.0.0.0", "127.0.0.1", "localhost", "127.0.0.9"])
    func openWithToken(host: String) async throws {
        let settings = HealthServerSettings(host: host, port: 0, token: Secret("t"))
        let server = HealthServer(settings, node: TestNode(), logger: .silent)
        try await withServer(server) { _ in
            let address = host == "127.0.0.9" ? host : "127.0.0.1"
            let port = try await server.port
            #expect(try await send("GET", "http://\(address):\(port)/health").body == "OK")
        }
    }

    @Test("An address of another host, or a name that nobody knows, is told")
    func notHere() async throws {
        var error = try await failure(of: HealthServerSettings(host: "192.0.2.1", port: 0, token: Secret("t")))
        #expect(error.code == .addressUnavailable && error.message.contains("192.0.2.1:0"))
        error = try await failure(of: HealthServerSettings(host: "no such host", port: 0, token: Secret("t")))
        #expect(error.code == .addressUnavailable && error.message.contains("'no such host'"))
    }

    @Test("Settings out of their range are refused before anything is opened")
    func ranges() async throws {
        var many = HealthServerSettings(port: 0)
        many.maximumConnections = 0
        var hasty = HealthServerSettings(port: 0)
        hasty.clientTimeout = .zero
        let tokens = ["", "two words", "line\nend", "sch\u{f6}n"].map {
            HealthServerSettings(port: 0, token: Secret($0))
        }
        for settings in [HealthServerSettings(port: 65536), HealthServerSettings(port: -1), many, hasty] + tokens {
            let error = try await failure(of: settings)
            #expect(error.code == .invalidSettings)
        }
    }

    @Test("It ends with its service group, and lets a request that is under way end first")
    func graceful() async throws {
        let node = TestNode()
        let server = HealthServer(HealthServerSettings(port: 0), node: node, logger: .silent)
        let group = ServiceGroup(services: [server], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await server.port
            let idle = try await RawConnection(port: port)
            try await idle.send("GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("an answer") { idle.text.hasSuffix("OK") }
            await node.setHanging(true)
            let busy = try await RawConnection(port: port)
            try await busy.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("a check under way") { await node.readCount == 1 }
            await group.triggerGracefulShutdown()
            try await idle.closed()
            #expect(busy.isOpen && busy.text.isEmpty)
            await node.setHanging(false)
            try await busy.closed()
            #expect(busy.text.hasPrefix("HTTP/1.1 200") && busy.text.hasSuffix("OK"))
            try await tasks.waitForAll()
        }
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                let other = HealthServer(HealthServerSettings(port: 0), logger: .silent)
                tasks.addTask { try await other.port }
                tasks.cancelAll()
                _ = try await tasks.next()
            }
        }
    }
}
