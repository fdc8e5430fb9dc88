import Cluster
import NIOHTTP1
import SQLiteReplicate
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct HealthWatchTests {
    @Test("A hint comes at the threshold; a good answer begins anew, and each is logged once")
    func threshold() async throws {
        let isWell = Mutex(true)
        try await ScriptedHTTPServer.with({ _ in
            isWell.withLock(\.self) ? .respond(.ok, [], "OK") : .respond(.serviceUnavailable, [], "halted")
        }) { server in
            let node = TestNode()
            let notes = LogNotes()
            let watch = try HealthWatch(
                url: server.endpoint + "/health",
                interval: .milliseconds(20),
                threshold: 3,
                node: node,
                logger: .noting(notes)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await watch.run() }
                try await eventually("some answers") { server.requests.count >= 3 }
                #expect(watch.failedInARow == 0)
                #expect(await node.hintCount == 0)
                isWell.withLock { $0 = false }
                try await eventually("a hint") { await node.hintCount >= 1 }
                #expect(watch.failedInARow >= 3)
                isWell.withLock { $0 = true }
                try await eventually("well again") { watch.failedInARow == 0 }
                group.cancelAll()
            }
            #expect(notes.all.filter { $0.contains("health is not well") }.count == 1)
            #expect(notes.all.contains { $0.contains("503 halted") })
            #expect(notes.all.filter { $0.contains("well again") }.count == 1)
        }
    }

    @Test("Failures below the threshold are no advice, whatever kind they are")
    func below() async throws {
        // Two failures, then a good answer, again and again.
        try await ScriptedHTTPServer.with({ request in
            switch request.number % 3 {
            case 0: .respond(.serviceUnavailable, [], "halted")
            case 1: .close
            default: .respond(.ok, [], "OK")
            }
        }) { server in
            let node = TestNode()
            let watch = try HealthWatch(
                url: server.endpoint,
                // An answer is waited for no longer than this: a good one must not be late.
                interval: .milliseconds(250),
                threshold: 3,
                node: node,
                logger: .silent
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await watch.run() }
                try await eventually("three rounds") { server.requests.count >= 9 }
                group.cancelAll()
            }
            #expect(await node.hintCount == 0)
        }
    }

    @Test("Its count is in the status of the server that it is given to")
    func status() async throws {
        let node = TestNode()
        let watch = try HealthWatch(
            url: "http://127.0.0.1:1/health",
            interval: .milliseconds(5),
            threshold: 2,
            node: node,
            logger: .silent
        )
        let server = HealthServer(HealthServerSettings(port: 0), node: node, watch: watch, logger: .silent)
        try await withServer(server) { url in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await watch.run() }
                try await eventually("a count") {
                    try await NodeClient().status(of: url).failedHealthChecks ?? 0 >= 2
                }
                group.cancelAll()
            }
            try await eventually("a hint") { await node.hintCount >= 1 }
        }
    }

    @Test("An address that is none is refused")
    func address() {
        let error = #expect(throws: NodeClientError.self) {
            try HealthWatch(url: "127.0.0.1:3000/health", node: TestNode(), logger: .silent)
        }
        #expect(error?.code == .invalidAddress)
    }
}
