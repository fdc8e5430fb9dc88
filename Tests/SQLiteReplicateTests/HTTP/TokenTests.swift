import Cluster
import SQLiteReplicate
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct TokenTests {
    private static let open = ["/health", "/primary", "/replica", "/liveness", "/readiness"]
    private static let closed = [
        ("GET", "/status"), ("GET", "/metrics"), ("POST", "/cluster/promise"), ("POST", "/cluster/hint"),
        ("POST", "/cluster/promote"), ("POST", "/cluster/switchover"), ("POST", "/cluster/demote"),
    ]
    private let token = Secret("c0rrect-horse")

    @Test("With a token, health and roles go without it, and all else wants it")
    func required() async throws {
        let node = TestNode(role: .standby)
        try await withServer(node, token: token) { url in
            for path in Self.open { #expect(try await send("GET", url + path).status != 401, "\(path)") }
            let wrong = [
                nil, "", "Bearer", "Bearer ", "Bearer c0rrect-hors", "Bearer c0rrect-horse1", "Bearer C0rrect-horse",
                "Bearer c0rrect-horsec0rrect-horse", "Basic c0rrect-horse", "c0rrect-horse", "Bearer\tc0rrect-horse",
            ]
            for (method, path) in Self.closed {
                for value in wrong {
                    let headers = value.map { [("Authorization", $0)] } ?? []
                    let answer = try await send(
                        method,
                        url + path,
                        headers: headers,
                        body: method == "POST" ? "{}" : nil
                    )
                    #expect(answer.status == 401, "\(path) \(value ?? "none")")
                    #expect(answer.header("www-authenticate") == "Bearer realm=\"sqlite-replicate\"")
                }
            }
            #expect(await node.commands.isEmpty)
            #expect(await node.hintCount == 0)
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let headers = [("Authorization", "\(scheme) c0rrect-horse")]
                #expect(try await send("GET", url + "/status", headers: headers).status == 200)
                #expect(try await send("POST", url + "/cluster/hint", headers: headers).status == 204)
            }
            #expect(await node.hintCount == 3)
        }
    }

    @Test("Neither a token that is right nor one that is wrong is ever logged, or shown in an error")
    func secrecy() async throws {
        let notes = LogNotes()
        let settings = HealthServerSettings(port: 0, token: token)
        let server = HealthServer(settings, node: TestNode(), logger: .noting(notes))
        try await withServer(server) { url in
            for text in ["c0rrect-horse", "wr0ng-battery"] {
                _ = try await send("GET", url + "/status", headers: [("Authorization", "Bearer \(text)")])
                let client = NodeClient(token: Secret(text))
                do {
                    try await client.perform(.switchover(to: "nobody"), at: url)
                } catch {
                    #expect(!"\(error)".contains(text))
                }
                #expect(!"\(client)".contains(text))
            }
        }
        #expect(notes.all.contains { $0.contains("Health server listens") })
        for line in notes.all { #expect(!line.contains("c0rrect-horse") && !line.contains("wr0ng-battery")) }
        #expect(!"\(settings)".contains("c0rrect"))
    }

    @Test("Without a token the loopback may give commands, but no page in a browser there")
    func browser() async throws {
        let node = TestNode(role: .primary)
        try await withServer(node) { (url) async throws -> Void in
            let page = [("Origin", "https://evil.example"), ("Content-Type", "text/plain")]
            #expect(try await send("POST", url + "/cluster/demote", headers: page).status == 403)
            #expect(await node.commands.isEmpty)
            #expect(try await send("POST", url + "/cluster/demote").status == 200)
            #expect(await node.commands == [.demote])
        }
    }
}
