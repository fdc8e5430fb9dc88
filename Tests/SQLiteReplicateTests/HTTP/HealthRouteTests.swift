import Cluster
import SQLiteReplicate
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct HealthRouteTests {
    @Test("A standby that is well says so, and is in no other role")
    func standby() async throws {
        try await withServer(TestNode(role: .standby)) { url in
            let health = try await send("GET", url + "/health")
            #expect(health.status == 200 && health.body == "OK")
            #expect(health.header("content-type") == "text/plain; charset=utf-8")
            #expect(health.header("x-degraded") == nil)
            let replica = try await send("GET", url + "/replica")
            #expect(replica.status == 200 && replica.body == "standby")
            let primary = try await send("GET", url + "/primary")
            #expect(primary.status == 503 && primary.body == "This node is standby.")
            #expect(try await send("GET", url + "/readiness").status == 200)
            #expect(try await send("GET", url + "/liveness").status == 200)
        }
    }

    @Test("A role that a balancer does not ask for is answered 503, and readiness with it", arguments: Role.allCases)
    func roles(role: Role) async throws {
        try await withServer(TestNode(role: role)) { (url) async throws -> Void in
            #expect(try await send("GET", url + "/primary").status == (role == .primary ? 200 : 503))
            #expect(try await send("GET", url + "/replica").status == (role == .standby ? 200 : 503))
            let isReady = role == .primary || role == .standby
            #expect(try await send("GET", url + "/readiness").status == (isReady ? 200 : 503))
            #expect(try await send("GET", url + "/health").status == 200)
            #expect(try await send("GET", url + "/liveness").status == 200)
        }
    }

    @Test("A node that does not do its work is 503 with the reason in one line, everywhere but at liveness")
    func failing() async throws {
        let node = TestNode(role: .primary)
        await node.set { $0.failure = "The lease has run out:\r\n the store is away." }
        try await withServer(node) { url in
            for path in ["/health", "/primary", "/readiness", "/replica"] {
                let answer = try await send("GET", url + path)
                #expect(answer.status == 503 && answer.body == "The lease has run out:  the store is away.", "\(path)")
            }
            #expect(try await send("GET", url + "/liveness").status == 200)
            await node.set { $0.failure = nil }
            try await eventually("well again") { try await send("GET", url + "/health").status == 200 }
        }
    }

    @Test("A database that cannot be read makes health 503; it is well again by itself")
    func unreadable() async throws {
        let node = TestNode()
        await node.setReadFault("disk I/O error")
        try await withServer(node) { url in
            let answer = try await send("GET", url + "/health")
            #expect(answer.status == 503 && answer.body == "disk I/O error")
            #expect(try await send("GET", url + "/replica").status == 503)
            await node.setReadFault(nil)
            try await eventually("well again") { try await send("GET", url + "/health").status == 200 }
        }
    }

    @Test("What is degraded is told in a header, and is no failure")
    func degraded() async throws {
        let node = TestNode(role: .primary)
        await node.set { $0.degradations = ["store away since 12 s", "tail 1 is not ack\u{2019}ed\r\nX-Evil: 1"] }
        try await withServer(node) { url in
            let answer = try await send("GET", url + "/health")
            #expect(answer.status == 200 && answer.body == "OK")
            #expect(answer.header("x-degraded") == "store away since 12 s; tail 1 is not ack?ed X-Evil: 1")
            #expect(answer.header("x-evil") == nil)
        }
    }

    @Test("HEAD answers as GET does, without a body", arguments: ["/health", "/primary", "/status", "/metrics"])
    func head(path: String) async throws {
        try await withServer(TestNode(role: .standby)) { url in
            let (get, head) = (try await send("GET", url + path), try await send("HEAD", url + path))
            #expect(head.status == get.status && head.body.isEmpty && !get.body.isEmpty)
            #expect(head.header("content-type") == get.header("content-type"))
            #expect(head.header("content-length") == get.header("content-length"))
        }
    }

    @Test("Unknown paths are 404, other methods 405 with the right one; a query changes nothing")
    func unknown() async throws {
        try await withServer(TestNode()) { url in
            for path in [
                "/", "/healthz", "/health/", "/cluster", "/cluster/fence", "/HEALTH", "//health", "/../health",
            ] {
                #expect(try await send("GET", url + path).status == 404, "\(path)")
            }
            let post = try await send("POST", url + "/health")
            #expect(post.status == 405 && post.header("allow") == "GET, HEAD")
            let get = try await send("GET", url + "/cluster/demote")
            #expect(get.status == 405 && get.header("allow") == "POST")
            #expect(try await send("DELETE", url + "/status").status == 405)
            #expect(try await send("GET", url + "/health?verbose=1").body == "OK")
        }
    }

    @Test("Without a cluster it is a plain health endpoint of an application")
    func plain() async throws {
        let fault = Fault()
        let server = HealthServer(HealthServerSettings(port: 0), logger: .silent) { await fault.words }
        try await withServer(server) { url in
            #expect(try await send("GET", url + "/health").body == "OK")
            #expect(try await send("GET", url + "/readiness").body == "OK")
            let primary = try await send("GET", url + "/primary")
            #expect(primary.status == 503 && primary.body == "This process is no node of a cluster.")
            for command in ["promise", "hint", "promote", "switchover", "demote"] {
                #expect(try await send("POST", url + "/cluster/\(command)", body: "{}").status == 404)
            }
            await fault.set("The cache is cold.")
            try await eventually("503") { try await send("GET", url + "/health").status == 503 }
            #expect(try await send("GET", url + "/readiness").body == "The cache is cold.")
        }
    }

    private actor Fault {
        var words: String?
        func set(_ words: String?) { self.words = words }
    }
}
