import Cluster
import NIOHTTP1
import SQLiteReplicate
import ServiceLifecycle
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct NodeClientTests {
    private let token = Secret("c0rrect-horse")
    private let request = PromiseRequest.sample()
    private let two = NodeID(rawValue: 2)

    @Test("Two nodes promise each other through their servers")
    func roundTrip() async throws {
        let (one, other) = (TestNode(1, role: .primary), TestNode(2))
        try await withServer(one, token: token) { first in
            try await withServer(other, token: token) { second in
                let client = NodeClient(token: token)
                #expect(await client.askPromise(of: two, at: second, request, within: .seconds(10)))
                var asked = try #require(await other.asked.first)
                asked.reference = request.reference
                #expect(asked == request)
                var back = PromiseRequest.sample()
                back.node = two
                #expect(await client.askPromise(of: NodeID(rawValue: 1), at: first + "/", back, within: .seconds(10)))
                await client.hint(second)
                #expect(await other.hintCount == 1)
                #expect(await one.hintCount == 0)

                await other.setPromises(false)
                #expect(await !client.askPromise(of: two, at: second, request, within: .seconds(10)))
                // Another node answers at that address.
                #expect(await !client.askPromise(of: two, at: first, request, within: .seconds(10)))
                await other.setPromises(true)
                #expect(await !NodeClient().askPromise(of: two, at: second, request, within: .seconds(10)))
            }
        }
        // Nobody is there any more.
        #expect(
            await !NodeClient(token: token).askPromise(of: two, at: "http://127.0.0.1:1", request, within: .seconds(5))
        )
    }

    @Test(
        "Only 200 with the very node, cluster and session is a promise",
        arguments: [
            (200, #"{"cluster":"00000000000000c1","node":"0000000000000002","session":"000000000000005e"}"#, true),
            (200, #"{"cluster":"00000000000000c1","node":"0000000000000003","session":"000000000000005e"}"#, false),
            (200, #"{"cluster":"00000000000000c2","node":"0000000000000002","session":"000000000000005e"}"#, false),
            (200, #"{"cluster":"00000000000000c1","node":"0000000000000002","session":"000000000000005f"}"#, false),
            (409, #"{"cluster":"00000000000000c1","node":"0000000000000002","session":"000000000000005e"}"#, false),
            (200, "OK", false), (200, "", false), (200, "{}", false), (500, "", false),
        ]
    )
    func answers(status: Int, body: String, isPromise: Bool) async throws {
        try await ScriptedHTTPServer.with({ _ in .respond(.init(statusCode: status), [], body) }) { server in
            let answer = await NodeClient().askPromise(of: two, at: server.endpoint, request, within: .seconds(10))
            #expect(answer == isPromise)
            #expect(server.requests.map(\.path) == ["/cluster/promise"])
            #expect(server.requests.first?.headers.contains(name: "authorization") == false)
        }
    }

    @Test("An answer that does not come, or not to its end, is none; and who asks is not held up")
    func silence() async throws {
        let head = #"{"cluster":"00000000000000c1","node":"0000000000000002","session":"000000000000005e"}"#
        let scripts: [ScriptedHTTPServer.Answer] = [
            .silence, .close, .reset, .stall(.ok, body: head, after: 20), .cutShort(.ok, body: head, after: 20),
        ]
        for script in scripts {
            try await ScriptedHTTPServer.with({ _ in script }) { server in
                let client = NodeClient()
                let isGiven = await client.askPromise(of: two, at: server.endpoint, request, within: .milliseconds(300))
                #expect(!isGiven, "\(script)")
                let error = await #expect(throws: NodeClientError.self, "\(script)") {
                    try await client.status(of: server.endpoint, within: .milliseconds(300))
                }
                switch script {
                case .silence, .stall: #expect(error?.code == .timedOut)
                default: #expect(error?.code == .unreachable, "\(script)")
                }
                #expect(error?.message.contains(server.endpoint) == true)
            }
        }
    }

    @Test("What stands between is told with what to do: nobody there, a wrong token, something else")
    func errors() async throws {
        var error = await #expect(throws: NodeClientError.self) {
            try await NodeClient().status(of: "http://127.0.0.1:1")
        }
        #expect(error?.code == .unreachable && error?.message.contains("Connection refused") == true)
        error = await #expect(throws: NodeClientError.self) {
            try await NodeClient().status(of: "http://no-such-host.invalid:3000")
        }
        #expect(error?.code == .unreachable && error?.message.contains("no-such-host.invalid") == true)
        for url in ["", "127.0.0.1:3000", "ftp://127.0.0.1", "http://", "http:// a"] {
            error = await #expect(throws: NodeClientError.self) { try await NodeClient().perform(.demote, at: url) }
            #expect(error?.code == .invalidAddress, "\(url)")
        }
        let node = TestNode()
        try await withServer(node, token: token) { url in
            var error = await #expect(throws: NodeClientError.self) { try await NodeClient().status(of: url) }
            #expect(error?.code == .unauthorized && error?.message.contains("wants a token") == true)
            error = await #expect(throws: NodeClientError.self) {
                try await NodeClient(token: Secret("wr0ng")).perform(.demote, at: url)
            }
            #expect(error?.code == .unauthorized && error?.message.contains("does not take the token") == true)
            #expect(await node.commands.isEmpty)
            try await NodeClient(token: token).perform(.demote, at: url)
            #expect(await node.commands == [.demote])
        }
        try await ScriptedHTTPServer.with({ _ in .respond(.ok, [], "<html>hello</html>") }) { server in
            let error = await #expect(throws: NodeClientError.self) {
                try await NodeClient().status(of: server.endpoint)
            }
            #expect(error?.code == .invalidAnswer && error?.message.contains("<html>hello</html>") == true)
        }
        try await withServer(nil) { url in
            let error = await #expect(throws: NodeClientError.self) { try await NodeClient().perform(.demote, at: url) }
            #expect(error?.code == .invalidAnswer && error?.message.contains("no node of a cluster") == true)
        }
    }

    @Test("An answer without end, or a redirect, is not followed")
    func hostile() async throws {
        let large = String(repeating: "x", count: 1 << 20)
        try await ScriptedHTTPServer.with({ request in
            request.path == "/status"
                ? .respond(.ok, [], large) : .respond(.found, [("location", "http://127.0.0.1:1/")], "")
        }) { server in
            let error = await #expect(throws: NodeClientError.self) {
                try await NodeClient().status(of: server.endpoint)
            }
            #expect(error?.code == .unreachable || error?.code == .invalidAnswer)
            let moved = await NodeClient(token: token).health(of: server.endpoint + "/health")
            #expect(moved == .unwell(status: 302, ""))
            #expect(server.requests.last?.headers.contains(name: "authorization") == false)
        }
    }

    @Test("A health address tells one of three things")
    func health() async throws {
        let node = TestNode()
        try await withServer(node, token: token) { url in
            #expect(await NodeClient().health(of: url + "/health") == .well)
            await node.setReadFault("disk I/O error")
            try await eventually("unwell") {
                await NodeClient().health(of: url + "/health") == .unwell(status: 503, "disk I/O error")
            }
        }
        guard case .none(let error) = await NodeClient().health(of: "http://127.0.0.1:1/health") else {
            Issue.record("something answers at port 1")
            return
        }
        #expect(error.code == .unreachable)
    }
}
