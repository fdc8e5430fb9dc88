import Cluster
import SQLiteReplicate
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct LimitTests {
    private func server(
        _ node: TestNode,
        clientTimeout: Duration = .seconds(60),
        connections: Int = 256
    ) -> HealthServer {
        var settings = HealthServerSettings(port: 0)
        (settings.clientTimeout, settings.maximumConnections) = (clientTimeout, connections)
        return HealthServer(settings, node: node, logger: .silent)
    }

    @Test("A body of 16 KiB is read, a larger one is 413, whether its length is told or not")
    func bodies() async throws {
        let node = TestNode(role: .standby)
        let server = server(node)
        try await withServer(server) { url in
            let full = #"{"acceptLoss":true,"x":""# + String(repeating: "x", count: (16 << 10) - 26) + #""}"#
            #expect(full.utf8.count == 16 << 10)
            #expect(try await send("POST", url + "/cluster/promote", body: full).status == 200)
            let told = try await send("POST", url + "/cluster/promote", body: full + " ")
            #expect(told.status == 413 && told.header("connection") == "close")

            let chunked = try await RawConnection(port: server.port)
            try await chunked.send("POST /cluster/promote HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            let piece = "1000\r\n" + String(repeating: " ", count: 0x1000) + "\r\n"
            for _ in 0..<5 { try await chunked.send(piece) }
            try await eventually("413") { chunked.text.hasPrefix("HTTP/1.1 413") }
            await chunked.close()
            #expect(await node.commands == [.promote(acceptLoss: true)])
        }
    }

    @Test("Who goes on sending after 413 is cut off")
    func endless() async throws {
        let server = server(TestNode())
        try await withServer(server) { _ in
            let client = try await RawConnection(port: server.port)
            try await client.send("POST /cluster/hint HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000\r\n\r\n")
            try await eventually("413") { client.text.hasPrefix("HTTP/1.1 413") }
            let piece = String(repeating: "x", count: 1 << 16)
            // Ends by the close, which a write may be the first to notice.
            while client.isOpen, (try? await client.send(piece)) != nil {}
            try await client.closed()
            #expect(client.text.ranges(of: "HTTP/1.1").count == 1)
        }
    }

    @Test(
        "A client that says nothing, or half a request, is dropped",
        arguments: ["", "GET /health HT", "GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ", "POST /cluster/hint"]
    )
    func half(request: String) async throws {
        let server = server(TestNode(), clientTimeout: .milliseconds(200))
        try await withServer(server) { _ in
            let client = try await RawConnection(port: server.port)
            try await client.send(request)
            try await client.closed()
            #expect(client.text.isEmpty)
        }
    }

    @Test("A client whose body drips is dropped although something always comes")
    func drip() async throws {
        let node = TestNode()
        let server = server(node, clientTimeout: .milliseconds(300))
        try await withServer(server) { _ in
            let client = try await RawConnection(port: server.port)
            try await client.send("POST /cluster/hint HTTP/1.1\r\nHost: a\r\nContent-Length: 16000\r\n\r\n")
            while client.isOpen, (try? await client.send("x")) != nil { try await Task.sleep(for: .milliseconds(20)) }
            try await client.closed()
            #expect(client.text.isEmpty)
            #expect(await node.hintCount == 0)
        }
    }

    @Test("A client that takes no answers is dropped")
    func deaf() async throws {
        let server = server(TestNode(), clientTimeout: .milliseconds(300))
        try await withServer(server) { url in
            let client = try await RawConnection(port: server.port, reads: false)
            let requests = String(repeating: "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", count: 1000)
            // Until neither the server reads more nor the system takes more, or the server has closed.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for _ in 0..<200 where (try? await client.send(requests)) == nil { return } }
                try await group.waitForAll()
            }
            #expect(!client.isOpen)
            #expect(try await send("GET", url + "/health").status == 200)
        }
    }

    @Test("Heads that are too large, or garbage, are 400 and the end")
    func heads() async throws {
        let server = server(TestNode())
        try await withServer(server) { url in
            let large = "GET /health HTTP/1.1\r\nX-Large: " + String(repeating: "x", count: 9 << 10) + "\r\n\r\n"
            let many = "GET /health HTTP/1.1\r\n" + String(repeating: "X-Many: x\r\n", count: 200) + "\r\n"
            for request in [
                large, many, "\u{16}\u{03}\u{01}\u{02}\r\n\r\n", "GET\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n",
            ] {
                let client = try await RawConnection(port: server.port)
                try await client.send(request)
                try await eventually("400") { client.text.hasPrefix("HTTP/1.1 400") || !client.isOpen }
                await client.close()
            }
            #expect(try await send("GET", url + "/health").status == 200)
        }
    }

    @Test("Connections beyond the limit wait until one ends")
    func connections() async throws {
        let node = TestNode()
        let server = server(node, connections: 3)
        try await withServer(server) { _ in
            let port = try await server.port
            var served: [RawConnection] = []
            for _ in 0..<3 {
                let client = try await RawConnection(port: port)
                try await client.send("GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually("an answer") { client.text.hasSuffix("OK") }
                served.append(client)
            }
            let waiting = try await RawConnection(port: port)
            try await waiting.send("POST /cluster/hint HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            for count in 2...50 {
                try await served[0].send("GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually("an answer") { served[0].text.components("HTTP/1.1 200") == count }
            }
            #expect(await node.hintCount == 0)
            await served[1].close()
            try await eventually("the next one is served") { waiting.text.hasPrefix("HTTP/1.1 204") }
            #expect(await node.hintCount == 1)
            for client in served + [waiting] { await client.close() }
        }
    }

    @Test("A check that hangs makes health 503 in time, and holds up no other answer")
    func hanging() async throws {
        let node = TestNode(role: .primary)
        var settings = HealthServerSettings(port: 0)
        settings.checkTimeout = .milliseconds(200)
        let server = HealthServer(settings, node: node, logger: .silent)
        try await withServer(server) { url in
            await node.setHanging(true)
            for path in ["/health", "/primary", "/readiness", "/health"] {
                let answer = try await send("GET", url + path)
                #expect(answer.status == 503 && answer.body.contains("has not ended within 0.2 seconds"), "\(path)")
            }
            #expect(try await send("GET", url + "/liveness").status == 200)
            let status = try await NodeClient().status(of: url)
            #expect(!status.isHealthy && status.role == nil)
            #expect(await node.readCount == 1)
            await node.setHanging(false)
            try await eventually("well again") { try await send("GET", url + "/health").status == 200 }
        }
    }

    @Test("Many who ask at once share a look at the database")
    func shared() async throws {
        let node = TestNode()
        try await withServer(node) { url in
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 { group.addTask { try await send("GET", url + "/health").status } }
                for try await status in group { #expect(status == 200) }
            }
            let looks = Int(start.duration(to: .now) / .milliseconds(100)) + 2
            #expect(await node.readCount <= looks)
        }
    }
}

extension String {
    /// How often a text is in it.
    fileprivate func components(_ text: String) -> Int { ranges(of: text).count }
}
