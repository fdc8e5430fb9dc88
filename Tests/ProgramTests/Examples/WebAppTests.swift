import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SystemPackage
import TestSupport
import Testing

/// The example of a web application that is a node itself.
@Suite("The example: a web application on two hosts", .timeLimit(.minutes(2)))
struct WebAppTests {
    /// An answer: its status and its text.
    private struct Answer: Equatable {
        var status: Int
        var text: String
    }

    private func send(_ method: HTTPMethod, _ port: Int, _ text: String = "") async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/entries")
        request.method = method
        if method == .POST { request.body = .bytes(ByteBuffer(string: text)) }
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let body = try await answer.body.collect(upTo: 1 << 20)
        return Answer(status: Int(answer.status.code), text: String(buffer: body))
    }

    private func start(_ name: String, in folder: FilePath) async throws -> (process: ChildProcess, port: Int) {
        let text = """
            dbs: [{path: \(folder)/\(name).db, replica: {path: \(folder)/store, sync-interval: 100ms}}]
            cluster: {name: \(name), listen: "127.0.0.1:\(try await freePort())", ttl: 1s, follow-interval: 50ms}
            """
        let file = folder.appending("node-\(name).yml")
        try text.write(toFile: file.string, atomically: true, encoding: .utf8)
        let port = try await freePort()
        let program = try BuiltProduct.path(of: "example-web-app")
        return (try ChildProcess(program, [file.string, "\(port)"]), port)
    }

    @Test("It answers 201 once a commit outlives the host, reads on both, writes on one, and is taken over")
    func life() async throws {
        try await withTemporaryFolder { folder in
            let a = try await start("a", in: folder)
            try await eventually("a takes an entry\(a.process.outputForMessages)", within: .seconds(30)) {
                guard let answer = try? await send(.POST, a.port, "one") else { return false }
                return answer.status == 201
            }
            let b = try await start("b", in: folder)
            try await eventually("b has it\(b.process.outputForMessages)", within: .seconds(30)) {
                (try? await send(.GET, b.port)) == Answer(status: 200, text: "one\n")
            }
            #expect(try await send(.POST, b.port, "no") == Answer(status: 503, text: "This node does not write.\n"))
            try await eventually("b may take over", within: .seconds(30)) {
                let text = try? String(
                    contentsOfFile: folder.appending("store/cluster/lease.json").string,
                    encoding: .utf8
                )
                return text?.contains(#/"eligible":\["[0-9a-f]+","[0-9a-f]+"\]/#) == true
            }
            #expect(try await send(.POST, a.port, "two").status == 201)
            try await a.process.kill()
            try await eventually("b takes an entry\(b.process.outputForMessages)", within: .seconds(30)) {
                try await send(.POST, b.port, "three").status == 201
            }
            #expect(try await send(.GET, b.port).text == "one\ntwo\nthree\n")
            #expect(try await b.process.terminate().isSuccess, "\(b.process.outputForMessages)")
        }
    }
}
