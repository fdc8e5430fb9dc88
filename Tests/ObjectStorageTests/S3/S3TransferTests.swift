import NIOCore
import NIOHTTP1
import NIOPosix
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

/// Transfers that break on the way.
@Suite(.timeLimit(.minutes(1)))
struct S3TransferTests {
    static let text = String((0..<1000).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })

    /// What becomes of an answer.
    enum Cut: Sendable {
        case whole, early(Int), reset(Int), stall(Int)
    }

    /// Serves `text` with ranges, cutting each answer as `cut` says.
    private static func serving(
        version: @escaping @Sendable (Int) -> String = { _ in "\"v\"" },
        _ cut: @escaping @Sendable (Int) -> Cut
    ) -> @Sendable (ScriptedHTTPServer.Request) -> ScriptedHTTPServer.Answer {
        { request in
            let etag = version(request.number)
            if let wanted = request.headers["if-match"].first, wanted != etag { return .respond(.preconditionFailed) }
            var (status, body, headers) = (HTTPResponseStatus.ok, text, [("etag", etag)])
            if let range = request.headers["range"].first {
                let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
                let last = min(ends.count > 1 ? ends[1] : 999, 999)
                guard ends[0] <= last else { return .respond(.rangeNotSatisfiable) }
                body = String(text.dropFirst(ends[0]).prefix(last - ends[0] + 1))
                headers.append(("content-range", "bytes \(ends[0])-\(last)/1000"))
                status = .partialContent
            }
            switch cut(request.number) {
            case .whole: return .respond(status, headers, body)
            case .early(let count): return .cutShort(status, headers, body: body, after: count)
            case .reset(let count): return .cutShort(status, headers, body: body, after: count, reset: true)
            case .stall(let count): return .stall(status, headers, body: body, after: count)
            }
        }
    }

    @Test("R-70: a body that ends early, breaks or stalls is resumed at the right byte, as often as it takes")
    func resuming() async throws {
        // More breaks than attempts are allowed without progress.
        let script = Self.serving { number in
            guard number < 9 else { return .whole }
            return [.early(7), .reset(7), .stall(7)][number % 3]
        }
        try await ScriptedHTTPServer.with(script) { server in
            let store = try server.store { $0.limits.stallTimeout = .milliseconds(500) }
            #expect(try await store.text("k") == Self.text)
            let ranges = server.requests.map { $0.headers["range"].first ?? "" }
            #expect(ranges == [""] + (1...9).map { "bytes=\($0 * 7)-999" })
            #expect(server.requests.dropFirst().allSatisfy { $0.headers["if-match"] == ["\"v\""] })
        }
    }

    @Test("R-70: a range that breaks is resumed up to its own end")
    func resumingRange() async throws {
        let script = Self.serving { number in
            number == 0 ? .early(10) : .whole
        }
        try await ScriptedHTTPServer.with(script) { server in
            let bytes = try await server.store().get("k", range: 100..<200)
            #expect(String(buffer: bytes) == Self.text.dropFirst(100).prefix(100))
            #expect(server.requests.map { $0.headers["range"] } == [["bytes=100-199"], ["bytes=110-199"]])
        }
    }

    @Test("R-70: bodies that never get further are given up")
    func noProgress() async throws {
        let script = Self.serving { .early($0 == 0 ? 5 : 0) }
        try await ScriptedHTTPServer.with(script) { server in
            await expectError(.unreachable, naming: ["s3://b/k"]) {
                _ = try await server.store().get("k", range: nil)
            }
            // One that got five bytes, and then as many as the policy has attempts.
            #expect(server.requests.count == 4)
        }
    }

    @Test("An object that is replaced while it is read is read again from its beginning")
    func replaced() async throws {
        let script = Self.serving(version: { $0 == 0 ? "\"old\"" : "\"new\"" }) { number in
            number == 0 ? .early(500) : .whole
        }
        try await ScriptedHTTPServer.with(script) { server in
            let text = try await server.store().text("k")
            #expect(text == Self.text)
            #expect(server.requests.map { $0.headers["range"] } == [[], ["bytes=500-999"], []])
        }
        let restless = Self.serving(version: { "\"\($0)\"" }) { number in
            number % 2 == 0 ? .early(500) : .whole
        }
        try await ScriptedHTTPServer.with(restless) { server in
            await expectError(.integrity, naming: ["replaced"]) { _ = try await server.store().text("k") }
        }
    }

    @Test("A download whose connections break is whole, and leaves no file where it cannot be")
    func download() async throws {
        let script = Self.serving { number in number < 3 ? .early(300) : .whole }
        try await withTemporaryFolder { folder in
            let path = folder.appending("f")
            try await ScriptedHTTPServer.with(script) { server in
                let count = try await server.store().download("k", to: path)
                #expect(count == 1000)
                #expect(String(buffer: try contents(of: path)) == Self.text)
            }
            try await ScriptedHTTPServer.with({ _ in .respond(.forbidden) }) { server in
                await expectError(.accessDenied) { _ = try await server.store().download("k", to: path) }
                #expect((try? path.stat()) == nil)
            }
        }
    }

    @Test(
        "A conditional put is sent once; what became of it is told as unknown unless the server said",
        arguments: [
            (ScriptedHTTPServer.Answer.close, ObjectStoreError.Code.outcomeUnknown), (.reset, .outcomeUnknown),
            (.silence, .outcomeUnknown), (.respond(.internalServerError), .outcomeUnknown),
            (.respond(.conflict), .outcomeUnknown), (.respond(.preconditionFailed), .conditionFailed),
            (.respond(.tooManyRequests), .throttled), (.respond(.forbidden), .accessDenied),
        ]
    )
    func conditionalPut(answer: ScriptedHTTPServer.Answer, code: ObjectStoreError.Code) async throws {
        try await ScriptedHTTPServer.with({ _ in answer }) { server in
            let store = try server.store { if case .silence = answer { $0.limits.stallTimeout = .milliseconds(200) } }
            await expectError(code, naming: ["s3://b/lock"]) { try await store.put("lock", "x", if: .ifAbsent) }
            await expectError(code) { try await store.put("lock", "x", if: .ifVersion(.init(rawValue: "\"v\""))) }
            #expect(server.requests.map { $0.headers["if-none-match"] } == [["*"], []])
            #expect(server.requests.map { $0.headers["if-match"] } == [[], ["\"v\""]])
        }
    }

    @Test("A part that cannot be stored takes the upload back; nothing is completed")
    func abort() async throws {
        try await ScriptedHTTPServer.with({ request in
            switch (request.method, request.query) {
            case (.POST, "uploads="):
                .respond(
                    .ok,
                    [],
                    "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>"
                )
            case (.PUT, let query) where query.hasPrefix("partNumber=2"): .respond(.forbidden)
            case (.PUT, _): .respond(.ok, [("etag", "\"p\"")])
            default: .respond(.noContent)
            }
        }) { server in
            let store = try server.store()
            await expectError(.accessDenied, naming: ["part 2"]) {
                try await store.put("k", .bytes(pattern(11_000_000)), metadata: .init(), condition: .none)
            }
            // Not necessarily the last one: a part that was given up may be on its way still.
            #expect(server.requests.contains { $0.method == .DELETE && $0.query == "uploadId=u%2F1" })
            #expect(!server.requests.contains { $0.method == .POST && $0.query.hasPrefix("uploadId") })
        }
    }

    @Test("An error in the body of a completion that began well counts, and a lost answer is looked into")
    func completion() async throws {
        let part = "0123456789abcdef0123456789abcdef"
        let tag = "\"5775d833b6f80e83231f82899ce76c00-2\""
        try await ScriptedHTTPServer.with({ request in
            switch (request.method, request.query) {
            case (.POST, "uploads="):
                .respond(
                    .ok,
                    [],
                    "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
                )
            case (.PUT, _): .respond(.ok, [("etag", "\"\(part)\"")])
            case (.POST, _) where request.number == 3:
                .respond(.ok, [], "  <Error><Code>InternalError</Code><Message>later</Message></Error>")
            case (.POST, _) where request.number == 4: .close
            case (.POST, _): .respond(.notFound, [], "<Error><Code>NoSuchUpload</Code></Error>")
            case (.HEAD, _):
                .respond(
                    .ok,
                    [("etag", tag), ("content-length", "6000000"), ("last-modified", "Mon, 02 Jan 2006 15:04:05 GMT")]
                )
            default: .respond(.noContent)
            }
        }) { server in
            let store = try server.store()
            let version = try? await store.put("k", .bytes(pattern(6_000_000)), metadata: .init(), condition: .none)
            #expect(server.requests.map(\.method).dropFirst(3) == [.POST, .POST, .POST, .HEAD])
            #expect(version == ObjectVersion(rawValue: tag))
        }
    }

    @Test("A batch delete whose answer tells of errors throws, and is repeated where that can help")
    func deleteErrors() async throws {
        try await ScriptedHTTPServer.with({ request in
            let code = request.number == 0 ? "SlowDown" : "AccessDenied"
            return .respond(
                .ok,
                [],
                "<DeleteResult><Error><Key>a&amp;b</Key><Code>\(code)</Code><Message>m</Message></Error>"
                    + "<Error><Key>c</Key><Code>\(code)</Code></Error></DeleteResult>"
            )
        }) { server in
            await expectError(.accessDenied, naming: ["2 of 3", "'a&b'"]) {
                try await server.store().delete(["a&b", "c", "d"])
            }
            #expect(server.requests.count == 2)
            let request = try #require(server.requests.first)
            #expect(request.headers["content-md5"].count == 1)
            #expect(String(buffer: request.body).contains("<Object><Key>a&amp;b</Key></Object>"))
        }
    }

    @Test("Cancelling the task ends a request at once", arguments: [0, 1])
    func cancelling(kind: Int) async throws {
        try await ScriptedHTTPServer.with({ _ in .silence }) { server in
            let store = try server.store { $0.limits.stallTimeout = .seconds(50) }
            let start = ContinuousClock.now
            let task = Task {
                if kind == 0 { try await store.put("k", "x", if: .ifAbsent) } else { _ = try await store.text("k") }
            }
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            task.cancel()
            await expectError(.cancelled) { _ = try await task.value }
            #expect(start.duration(to: .now) < .seconds(20))
        }
    }

    @Test("An answer that comes before the body was sent is understood all the same")
    func earlyAnswer() async throws {
        let error = "<Error><Code>AccessDenied</Code></Error>"
        try await ScriptedHTTPServer.with({ _ in .respondAtHead(.forbidden, [], error) }) { server in
            let bytes = pattern(5_000_000)
            await expectError(.accessDenied) {
                try await server.store().put("k", .bytes(bytes), metadata: .init(), condition: .none)
            }
        }
    }

    @Test("An upload that nobody reads is given up after the stall time-out")
    func stalledUpload() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.so_rcvbuf), value: 4096)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        var configuration = S3Configuration(bucket: "b")
        configuration.endpoint = S3Endpoint(isSecure: false, host: "127.0.0.1", port: port)
        configuration.credentials = .keys(S3Credentials(accessKeyID: "ID", secretAccessKey: "secret"))
        configuration.retry.maximumAttempts = 2
        configuration.limits.stallTimeout = .milliseconds(500)
        configuration.partSize = 64 << 20
        let store = try S3Store(configuration: configuration)
        let error = await #expect(throws: ObjectStoreError.self) {
            try await store.put("k", .bytes(pattern(32_000_000)), metadata: .init(), condition: .none)
        }
        // The connection is closed for it, and now and then that is what is noticed first.
        #expect(error?.code == .timedOut || error?.code == .unreachable)
        #expect(error?.description.contains("s3://b/k") == true)
        #expect(store.requestCount == 2)
        try await listener.close()
    }

    @Test("More calls than connections wait their turn instead of failing")
    func connectionLimit() async throws {
        try await ScriptedHTTPServer.with({ _ in .respond(.ok, [], "x") }) { server in
            let store = try server.store { $0.limits.maximumConnections = 2 }
            try await withThrowingTaskGroup { group in
                for _ in 0..<100 { group.addTask { _ = try await store.text("k") } }
                try await group.waitForAll()
            }
            #expect(server.requests.count == 100 && server.connectionCount <= 2)
        }
    }

    @Test("An unsigned payload is sent over TLS alone, and R-50: a store that is not used asks for nothing")
    func quiet() async throws {
        try await ScriptedHTTPServer.with({ _ in .respond(.ok) }) { server in
            let store = try server.store {
                $0.signPayload = false
                $0.limits.idleTimeout = .milliseconds(50)
            }
            try await store.put("k", "x")
            let hash = try #require(server.requests.first?.headers["x-amz-content-sha256"].first)
            #expect(hash == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
            try await Task.sleep(for: .milliseconds(300))
            #expect(server.requests.count == 1 && store.requestCount == 1)
        }
    }
}
