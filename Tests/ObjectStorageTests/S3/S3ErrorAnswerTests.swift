import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SystemPackage
import TestSupport
import Testing

@testable import ObjectStorage

/// Answers that real servers give seldom, or not where tests can have them.
@Suite(.timeLimit(.minutes(1)))
struct S3ErrorAnswerTests {
    private static func error(_ code: String, _ more: String = "") -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            + "<Error><Code>\(code)</Code><Message>words &amp; words</Message>\(more)</Error>"
    }

    private static func answer(
        _ status: UInt,
        _ code: String,
        _ more: String = "",
        headers: [(String, String)] = []
    ) -> ScriptedHTTPServer.Answer {
        .respond(HTTPResponseStatus(statusCode: Int(status)), headers, error(code, more))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var answer: ScriptedHTTPServer.Answer
        var code: ObjectStoreError.Code
        var words: [String]
        var requests = 1
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "clock skew",
            answer: answer(403, "RequestTimeTooSkewed", headers: [("date", "Mon, 02 Jan 2006 15:04:05 GMT")]),
            code: .clockSkew,
            words: ["s ahead of the server's", "NTP"]
        ),
        Case(
            name: "wrong region, by redirect",
            answer: answer(301, "PermanentRedirect", headers: [("x-amz-bucket-region", "eu-west-1")]),
            code: .wrongRegion,
            words: ["'b'", "'eu-west-1'", "'us-east-1'", "set region"]
        ),
        Case(
            name: "wrong region, by signature",
            answer: answer(400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>"),
            code: .wrongRegion,
            words: ["'eu-north-1'"]
        ),
        Case(
            name: "another endpoint",
            answer: answer(307, "TemporaryRedirect", "<Endpoint>b.s3.example.com</Endpoint>"),
            code: .wrongRegion,
            words: ["'b.s3.example.com'"]
        ),
        Case(name: "denied", answer: answer(403, "AccessDenied"), code: .accessDenied, words: ["'ID'", "not allowed"]),
        Case(
            name: "unknown key",
            answer: answer(403, "InvalidAccessKeyId"),
            code: .accessDenied,
            words: ["'ID'", "correct or renew"]
        ),
        Case(
            name: "wrong secret",
            answer: answer(403, "SignatureDoesNotMatch"),
            code: .accessDenied,
            words: ["secret access key"]
        ),
        Case(
            name: "no bucket",
            answer: answer(404, "NoSuchBucket"),
            code: .noSuchBucket,
            words: ["Create the bucket 'b'"]
        ),
        Case(name: "no object", answer: answer(404, "NoSuchKey"), code: .notFound, words: ["'s3://b/dir/k'"]),
        Case(name: "server full", answer: answer(507, "XMinioStorageFull"), code: .diskFull, words: ["no room"]),
        Case(name: "no such feature", answer: answer(501, "NotImplemented"), code: .invalidRequest, words: ["501"]),
        Case(
            name: "no S3",
            answer: .respond(.notFound, [], "<html>x</html>"),
            code: .invalidRequest,
            words: ["HTTP 404"]
        ),
        Case(
            name: "slow down",
            answer: answer(503, "SlowDown"),
            code: .throttled,
            words: ["Sent 4 times"],
            requests: 4
        ),
        Case(name: "too many", answer: answer(429, "TooManyRequests"), code: .throttled, words: ["fewer"], requests: 4),
        Case(name: "trouble", answer: answer(500, "InternalError"), code: .serverFailure, words: ["500"], requests: 4),
        Case(name: "bad gateway", answer: .respond(.badGateway), code: .serverFailure, words: ["502"], requests: 4),
        Case(name: "given up", answer: answer(408, "RequestCanceled"), code: .timedOut, words: ["408"], requests: 4),
        Case(name: "cut off", answer: answer(400, "RequestTimeout"), code: .timedOut, words: ["400"], requests: 4),
        Case(name: "changed", answer: answer(400, "BadDigest"), code: .integrity, words: ["changed"], requests: 4),
        Case(name: "silence", answer: .silence, code: .timedOut, words: ["no answer", "127.0.0.1"], requests: 4),
        Case(name: "reset", answer: .reset, code: .unreachable, words: ["Reading 's3://b/dir/k'"], requests: 4),
        Case(name: "close", answer: .close, code: .unreachable, words: ["connection"], requests: 4),
    ]

    @Test("Errors are told by kind, place and remedy, and repeated only where that can help", arguments: cases)
    func errors(expected: Case) async throws {
        try await ScriptedHTTPServer.with({ _ in expected.answer }) { server in
            let store = try server.store {
                if case .silence = expected.answer { $0.limits.stallTimeout = .milliseconds(200) }
            }
            await expectError(expected.code, naming: expected.words) { _ = try await store.get("dir/k", range: nil) }
            #expect(server.requests.count == expected.requests && store.requestCount == expected.requests)
            #expect(Set(server.requests.map { $0.path }) == ["/b/dir/k"])
        }
    }

    @Test(
        "HEAD, whose answers have no document, is understood by its status",
        arguments: [
            (404, ObjectStoreError.Code.notFound), (403, .accessDenied), (400, .wrongRegion), (301, .wrongRegion),
        ]
    )
    func heads(status: Int, code: ObjectStoreError.Code) async throws {
        let answer = ScriptedHTTPServer.Answer.respond(
            HTTPResponseStatus(statusCode: status),
            status < 402 ? [("x-amz-bucket-region", "eu-west-1")] : []
        )
        try await ScriptedHTTPServer.with({ _ in answer }) { server in
            await expectError(code, naming: ["s3://b/k"]) { _ = try await server.store().head("k") }
            #expect(server.requests.count == 1)
        }
    }

    @Test("A request is repeated after trouble, after the pause that was asked for, and then succeeds")
    func recovery() async throws {
        try await ScriptedHTTPServer.with({ request in
            switch request.number {
            case 0: Self.answer(503, "SlowDown", headers: [("retry-after", "1")])
            case 1: .reset
            case 2: .respond(.internalServerError)
            default: .respond(.ok, [("etag", "\"v\"")])
            }
        }) { server in
            let start = ContinuousClock.now
            let version = try await server.store().put("k", "body")
            #expect(version == ObjectVersion(rawValue: "\"v\""))
            #expect(server.requests.count == 4)
            #expect(start.duration(to: .now) >= .milliseconds(990))
            for request in server.requests {
                #expect(String(buffer: request.body) == "body" && request.method == .PUT)
                #expect(request.headers["content-length"] == ["4"])
            }
        }
    }

    @Test("Nobody listening is told at once as unreachable, also for a conditional put")
    func unreachable() async throws {
        let port = try await ScriptedHTTPServer.with({ _ in .silence }) { $0.port }
        var configuration = S3Configuration(bucket: "b")
        configuration.endpoint = S3Endpoint(isSecure: false, host: "127.0.0.1", port: port)
        configuration.credentials = .keys(S3Credentials(accessKeyID: "ID", secretAccessKey: "secret"))
        configuration.retry.maximumAttempts = 2
        let store = try S3Store(configuration: configuration)
        await expectError(.unreachable, naming: ["127.0.0.1:\(port)", "Connection refused"]) {
            _ = try await store.list(prefix: "")
        }
        #expect(store.requestCount == 2)
        await expectError(.unreachable) { try await store.put("k", "x", if: .ifAbsent) }
        #expect(store.requestCount == 3)
        configuration.endpoint = S3Endpoint(isSecure: false, host: "no-such-host.invalid")
        let nowhere = try S3Store(configuration: configuration)
        await expectError(.unreachable, naming: ["no-such-host.invalid"]) { _ = try await nowhere.list(prefix: "") }
    }

    @Test("The bucket's region is looked up, however it is told", arguments: 0..<5)
    func region(way: Int) async throws {
        let ways: [(ScriptedHTTPServer.Answer, String)] = [
            (.respond(.ok, [], "<LocationConstraint xmlns=\"x\">ap-south-1</LocationConstraint>"), "ap-south-1"),
            (.respond(.ok, [], "<LocationConstraint xmlns=\"x\"/>"), "us-east-1"),
            (.respond(.ok, [], "<LocationConstraint xmlns=\"x\">EU</LocationConstraint>"), "eu-west-1"),
            (Self.answer(403, "AccessDenied", headers: [("x-amz-bucket-region", "eu-west-2")]), "eu-west-2"),
            (Self.answer(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"), "eu-west-3"),
        ]
        let (answer, expected) = ways[way]
        try await ScriptedHTTPServer.with({ _ in answer }) { server in
            let endpoint = try S3Endpoint(server.endpoint)
            #expect(try await server.store().client.lookUpRegion(at: endpoint) == expected)
            let request = try #require(server.requests.first)
            #expect(request.uri == "/b?location=" && server.requests.count == 1)
            #expect(request.headers["authorization"].first?.contains("/us-east-1/s3/") == true)
        }
    }

    @Test("With virtual-host addressing the bucket is in the host, and signed there")
    func virtualHost() async throws {
        try await ScriptedHTTPServer.with({ _ in .respond(.ok, [], "hello") }) { server in
            var settings = HTTPClient.Configuration()
            settings.dnsOverride = ["b.s3.test": "127.0.0.1"]
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
            let store = try server.store(httpClient: client) {
                $0.endpoint = S3Endpoint(isSecure: false, host: "s3.test", port: server.port)
                $0.forcePathStyle = false
            }
            #expect(try await store.text("dir/a b") == "hello")
            let request = try #require(server.requests.first)
            #expect(request.uri == "/dir/a%20b")
            #expect(request.headers["host"] == ["b.s3.test:\(server.port)"])
            #expect(request.headers["authorization"].first?.contains("SignedHeaders=host;") == true)
            try await client.shutdown()
        }
    }

    @Test(
        "A good status with an error, or with somebody else's text, is no success of a put or of a batch of deletions"
    )
    func goodStatus() async throws {
        let trouble = Self.answer(200, "InternalError")
        try await ScriptedHTTPServer.with({ _ in trouble }) { server in
            let store = try server.store()
            await expectError(.serverFailure, naming: ["InternalError"]) { _ = try await store.put("k", "x") }
            await expectError(.outcomeUnknown) { try await store.put("k", "x", if: .ifAbsent) }
            await expectError(.serverFailure, naming: ["InternalError"]) { try await store.delete(["a", "b"]) }
        }
        try await ScriptedHTTPServer.with({ _ in .respond(.ok, [], "<html>back soon</html>") }) { server in
            let store = try server.store()
            await expectError(.invalidAnswer, naming: ["s3://b/k", "in its place"]) {
                _ = try await store.put("k", "x")
            }
            await expectError(.outcomeUnknown) { try await store.put("k", "x", if: .ifAbsent) }
        }
        // As servers of few words do.
        try await ScriptedHTTPServer.with({ _ in .respond(.ok) }) { server in
            let version = try await server.store().put("k", "x")
            #expect(version == nil)
        }
    }

    @Test("HEAD tries renewed keys as well, though its answer does not say that the old ones are refused")
    func headRenewsKeys() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("credentials")
            func keys(_ id: String) -> ByteBuffer {
                ByteBuffer(string: "[default]\naws_access_key_id = \(id)\naws_secret_access_key = secret\n")
            }
            try write(keys("OLD"), to: path)
            try await ScriptedHTTPServer.with({ request in
                let isNew = request.headers["authorization"].first?.contains("Credential=NEW/") ?? false
                return isNew
                    ? .respond(.ok, [("last-modified", "Mon, 02 Jan 2006 15:04:05 GMT"), ("etag", "\"v\"")])
                    : .respond(.badRequest)
            }) { server in
                let store = try server.store { $0.credentials = .sharedFile(path, profile: "default") }
                await expectError(.invalidRequest) { _ = try await store.head("k") }
                try write(keys("NEW"), to: path)
                #expect(try await store.head("k").byteCount == 0)
            }
        }
    }
}
