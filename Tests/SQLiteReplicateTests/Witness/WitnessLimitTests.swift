import Cluster
import SQLiteReplicate
import TestSupport
import Testing

/// What a witness bears.
@Suite(.timeLimit(.minutes(2))) struct WitnessLimitTests {
    @Test("A body of 64 KiB is kept, a larger one is 413, whether its length is told or not")
    func bodies() async throws {
        try await withWitness { url in
            let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
            let full = String(repeating: "x", count: 64 << 10)
            let tag = try await written(cell(url), full)
            #expect(try await send("GET", cell(url)).body == full)
            let told = try await put(cell(url), full + "x", replacing: tag)
            #expect(told.status == 413 && told.header("connection") == "close" && told.body.contains("65536 bytes"))
            let chunked = try await RawConnection(port: port)
            try await chunked.send(
                "PUT /v1/cells/\(ClusterID.watched) HTTP/1.1\r\nHost: a\r\nIf-Match: \(tag)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"
            )
            let piece = "1000\r\n" + String(repeating: " ", count: 0x1000) + "\r\n"
            for _ in 0..<17 { try await chunked.send(piece) }
            try await eventually("413") { chunked.text.hasPrefix("HTTP/1.1 413") }
            await chunked.close()
            #expect(try await send("GET", cell(url)).header("etag") == tag)
        }
    }

    @Test("Half a body writes nothing")
    func half() async throws {
        try await withTemporaryFolder { folder in
            var settings = WitnessSettings.at(folder)
            // One at a time: the next one is answered when the one before has ended.
            settings.maximumConnections = 1
            try await withWitness(settings) { url in
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                for end in ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
                    let client = try await RawConnection(port: port)
                    try await client.send(
                        "PUT /v1/cells/\(ClusterID.watched) HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\(end)"
                    )
                    await client.close()
                    let next = try await RawConnection(port: port)
                    try await next.send("GET /v1/cells/\(ClusterID.watched) HTTP/1.1\r\nHost: a\r\n\r\n")
                    try await eventually("an answer") { next.text.hasSuffix("}") }
                    #expect(next.text.hasPrefix("HTTP/1.1 404"))
                    await next.close()
                }
            }
        }
    }

    @Test("A client that says nothing, sends half a request, or lets its body drip is dropped")
    func slow() async throws {
        try await withTemporaryFolder { folder in
            var settings = WitnessSettings.at(folder)
            settings.clientTimeout = .milliseconds(200)
            try await withWitness(settings) { url in
                let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
                for request in ["", "GET /v1/ce", "GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
                    let client = try await RawConnection(port: port)
                    try await client.send(request)
                    try await client.closed()
                    #expect(client.text.isEmpty)
                }
                let client = try await RawConnection(port: port)
                try await client.send(
                    "PUT /v1/cells/\(ClusterID.watched) HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nContent-Length: 60000\r\n\r\n"
                )
                while client.isOpen, (try? await client.send("x")) != nil {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await client.closed()
                #expect(client.text.isEmpty)
                #expect(try await send("GET", cell(url)).status == 404)
            }
        }
    }

    @Test("Heads that are too large, or garbage, are the end of their connection alone")
    func heads() async throws {
        try await withWitness { url in
            let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
            let large = "GET /health HTTP/1.1\r\nX-Large: " + String(repeating: "x", count: 9 << 10) + "\r\n\r\n"
            for request in [large, "\u{16}\u{03}\u{01}\u{02}\r\n\r\n", "GET\r\n\r\n"] {
                let client = try await RawConnection(port: port)
                try await client.send(request)
                try await eventually("400") { client.text.hasPrefix("HTTP/1.1 400") || !client.isOpen }
                await client.close()
            }
            #expect(try await send("GET", url + "/health").status == 200)
        }
    }

    @Test("There are a thousand cells at most, and those that are there go on")
    func cells() async throws {
        try await withWitness { url in
            let client = WitnessClient(url: url, within: .seconds(60))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...1000 as ClosedRange<UInt64> {
                    if number > 16 { try await group.next() }
                    group.addTask {
                        _ = try await client.cell(of: ClusterID(rawValue: number)).put([1], replacing: nil)
                    }
                }
                try await group.waitForAll()
            }
            let one = ClusterID(rawValue: 1).description
            let more = try await put(cell(url, "0000000000001000"), "x")
            #expect(more.status == 507 && more.body.contains("1000 cells"))
            let tag = try await send("GET", cell(url, one)).header("etag")
            _ = try await written(cell(url, one), "y", replacing: tag)
            #expect(try await client.list().cells.count == 1000)
        }
    }
}
