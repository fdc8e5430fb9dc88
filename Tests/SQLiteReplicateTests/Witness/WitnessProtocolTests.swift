import Cluster
import Foundation
import SQLiteReplicate
import ServiceLifecycle
import SystemPackage
import TestSupport
import Testing

/// Every answer of a witness.
@Suite(.timeLimit(.minutes(2))) struct WitnessProtocolTests {
    @Test("A cell is absent, is created once, and is replaced by whoever names its present tag")
    func life() async throws {
        try await withWitness { url in
            let absent = try await send("GET", cell(url))
            #expect(absent.status == 404 && absent.body.contains("\"absent\":\"\(ClusterID.watched)\""))
            let early = try await put(cell(url), "x", replacing: "\"1-2-3\"")
            #expect(early.status == 412 && early.body.contains("is not there"))

            let first = try await written(cell(url), "one")
            let again = try await put(cell(url), "two")
            #expect(again.status == 412 && again.body.contains(first.dropFirst().dropLast()))
            let read = try await send("GET", cell(url))
            #expect(read.status == 200 && read.body == "one" && read.header("etag") == first)
            #expect(read.header("cache-control") == "no-store")
            #expect(read.header("content-type") == "application/octet-stream")

            let second = try await written(cell(url), "two", replacing: first)
            #expect(second != first)
            #expect(try await put(cell(url), "three", replacing: first).status == 412)
            for tag in ["\"\"", "\"another\"", "W/\(second)", "\"*\""] {
                #expect(try await put(cell(url), "three", replacing: tag).status == 412, "\(tag)")
            }
            let head = try await send("HEAD", cell(url))
            #expect(head.status == 200 && head.header("etag") == second && head.body.isEmpty)
            // The name is the cluster's number, in either case.
            #expect(try await send("GET", cell(url, "00000000000000C1?x=1")).body == "two")
        }
    }

    @Test("A write without a condition is 428, with one that is none 400; nothing is written")
    func conditions() async throws {
        try await withWitness { url in
            let tag = try await written(cell(url), "one")
            let none = try await send("PUT", cell(url), body: "two")
            #expect(none.status == 428 && none.body.contains("If-Match"))
            for headers in [
                [("If-Match", tag), ("If-None-Match", "*")], [("If-None-Match", tag)], [("If-Match", "*")],
                [("If-Match", "\(tag), \"other\"")], [("If-Match", tag), ("If-Match", tag)],
                [("If-Match", String(tag.dropFirst()))], [("If-Match", "\"")], [("If-Match", "")],
            ] {
                let answer = try await send("PUT", cell(url), headers: headers, body: "two")
                #expect(answer.status == 400, "\(headers): \(answer.status)")
            }
            #expect(try await put(cell(url), "", replacing: tag).status == 400)
            let read = try await send("GET", cell(url))
            #expect(read.body == "one" && read.header("etag") == tag)
        }
    }

    @Test("Only the id of a cluster is a name, only GET, HEAD and PUT are methods, and all else is not there")
    func names() async throws {
        try await withWitness { url in
            for name in ["", "app", "00000000000000c", "00000000000000c11", "00000000000000g1", "%300000000000000c1"] {
                for method in ["GET", "PUT", "DELETE"] {
                    let answer = try await send(method, cell(url, name), headers: [("If-None-Match", "*")], body: "x")
                    #expect(answer.status == 400 && answer.body.contains("16 hexadecimal digits"), "\(method) \(name)")
                }
            }
            for method in ["DELETE", "POST", "PATCH"] {
                let answer = try await send(method, cell(url), body: "x")
                #expect(answer.status == 405 && answer.header("allow") == "GET, HEAD, PUT", "\(method)")
            }
            #expect(try await send("DELETE", cell(url)).body.contains("never deleted"))
            #expect(try await send("PUT", url + "/v1/cells", body: "x").header("allow") == "GET, HEAD")
            #expect(try await send("POST", url + "/health").status == 405)
            for path in ["/", "/v1", "/v2/cells", "/v1/cells/00000000000000c1/x", "/status"] {
                #expect(try await send("GET", url + path).status == 404, "\(path)")
            }
            #expect(try await send("GET", url + "/v1/cells").body.contains("\"cells\":[]"))
        }
    }

    @Test("Cells of many clusters lie beside each other, and are listed")
    func list() async throws {
        try await withTemporaryFolder { folder in
            var settings = WitnessSettings.at(folder)
            settings.version = "9.9"
            let start = Date.now.addingTimeInterval(-1)
            try await withWitness(settings) { url in
                let client = WitnessClient(url: url + "/")
                let empty = try await client.list()
                #expect(empty.cells.isEmpty && empty.version == "9.9" && SessionID(empty.witness) != nil)
                var tags: [String: String] = [:]
                for number in (1...20 as ClosedRange<UInt64>).shuffled() {
                    let name = ClusterID(rawValue: number).description
                    tags[name] = try await written(cell(url, name), String(repeating: "x", count: Int(number)))
                }
                let listed = try await client.list()
                #expect(listed.witness == empty.witness)
                #expect(listed.cells.map(\.name) == tags.keys.sorted())
                #expect(listed.cells.map(\.size) == Array(1...20))
                for cell in listed.cells {
                    #expect("\"\(cell.revision)\"" == tags[cell.name])
                    let changed = try Date(cell.changed, strategy: .iso8601WithFraction)
                    #expect(changed >= start && changed <= .now && cell.changed.hasSuffix("Z"))
                }
                #expect(try await client.trouble() == nil)
            }
        }
    }

    @Test("With a token only the health goes without it, and no token is ever logged or shown")
    func token() async throws {
        try await withTemporaryFolder { folder in
            let notes = LogNotes()
            let token = Secret("c0rrect-horse")
            try await withWitness(.at(folder, token: token), logger: .noting(notes)) { url in
                let bearer = ("Authorization", "Bearer c0rrect-horse")
                let create = ("If-None-Match", "*")
                #expect(try await send("GET", url + "/health").body == "OK")
                for value in [nil, "", "Bearer", "Bearer c0rrect-hors", "Bearer c0rrect-horse1", "Basic c0rrect-horse"]
                {
                    let headers = value.map { [("Authorization", $0), create] } ?? [create]
                    for (method, path) in [("GET", "/v1/cells"), ("GET", "/v1/cells/1"), ("GET", ""), ("PUT", "")] {
                        let address = path.isEmpty ? cell(url) : url + path
                        let body = method == "PUT" ? "x" : nil
                        let answer = try await send(method, address, headers: headers, body: body)
                        #expect(answer.status == 401, "\(method) \(path) \(value ?? "none")")
                        #expect(answer.header("www-authenticate") == "Bearer realm=\"sqlite-replicate\"")
                    }
                }
                #expect(try await send("GET", cell(url), headers: [bearer]).status == 404)
                #expect(try await send("PUT", cell(url), headers: [bearer, create], body: "one").status == 200)
                // A page in a browser does not have the token.
                let page = [bearer, ("Origin", "https://app.example"), create]
                #expect(try await send("PUT", cell(url, "00000000000000c2"), headers: page, body: "x").status == 200)
                for text in ["c0rrect-horse", "wr0ng-battery"] {
                    let client = WitnessClient(url: url, token: Secret(text))
                    #expect(!"\(client)".contains(text) && !"\(client.cell(of: .watched))".contains(text))
                    if text.hasPrefix("c") { continue }
                    let error = await #expect(throws: (any Error).self) { try await client.list() }
                    #expect(error.map { "\($0)" }?.contains("does not take the token") == true)
                    #expect(error.map { "\($0)".contains(text) } == false)
                }
            }
            #expect(notes.all.contains { $0.contains("Witness listens") } && notes.all.contains { $0.contains("401") })
            for line in notes.all { #expect(!line.contains("c0rrect-horse") && !line.contains("wr0ng-battery")) }
        }
    }

    @Test("Without a token the loopback may write, but no page in a browser there")
    func browser() async throws {
        try await withWitness { (url) async throws -> Void in
            let page = [("Origin", "https://evil.example"), ("If-None-Match", "*")]
            #expect(try await send("PUT", cell(url), headers: page, body: "x").status == 403)
            #expect(try await send("GET", cell(url)).status == 404)
        }
    }

    @Test("It ends with its service group, answers what it was asked, and leaves the file free")
    func graceful() async throws {
        try await withTemporaryFolder { folder in
            let settings = WitnessSettings.at(folder)
            let server = WitnessServer(settings, logger: .silent)
            let group = ServiceGroup(services: [server], logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let port = try await server.port
                let idle = try await RawConnection(port: port)
                try await idle.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually("an answer") { idle.text.hasSuffix("OK") }
                let busy = try await RawConnection(port: port)
                try await busy.send(
                    "PUT /v1/cells/00000000000000c1 HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nContent-Length: 3\r\n\r\non"
                )
                // The two connections are on event loops of their own: until the second one's head was read.
                try await eventually("it is served") {
                    try await send("GET", "http://127.0.0.1:\(port)/health").status == 200
                }
                await group.triggerGracefulShutdown()
                try await idle.closed()
                _ = try? await busy.send("e")
                try await busy.closed()
                #expect(busy.text.isEmpty || busy.text.hasPrefix("HTTP/1.1 200"))
                try await tasks.waitForAll()
                try await withWitness(settings) { url in
                    // What was answered is there; what was not may be.
                    let read = try await send("GET", cell(url))
                    #expect(read.body == "one" || busy.text.isEmpty, "\(busy.text)")
                }
            }
        }
    }
}

extension ParseStrategy where Self == Date.ISO8601FormatStyle {
    /// RFC 3339 with a fraction of a second.
    fileprivate static var iso8601WithFraction: Self { Date.ISO8601FormatStyle(includingFractionalSeconds: true) }
}
