import Foundation
import TestDatabases
import TestSupport
import Testing

extension ProcessTests {
    @Suite("The store is away", .timeLimit(.minutes(60))) struct StoreAwayTests {
        /// For how long; `FAILOVER_AWAY_MS`.
        private static var time: Duration {
            .milliseconds(
                Environment.number("FAILOVER_AWAY_MS").map { Int64($0) } ?? milliseconds(ProcessCluster.ttl) * 5
            )
        }

        @Test("Both nodes alive: writing goes on, nothing is acknowledged meanwhile, the same primary catches up")
        func bothAlive() async throws {
            // Promises are asked for, given, written down and answered within a time to live: one that a busy machine bears.
            try await ProcessCluster.run("away", ttl: max(ProcessCluster.ttl, .seconds(3))) { cluster in
                let (primary, _) = try await cluster.settle()
                try await work(on: primary)
                let epoch = try await primary.status().number("epoch")
                for node in cluster.nodes { node.store.cut(.refused) }
                let cutAt = BootClock.now
                // What was accepted before the cut may still be told.
                try await Task.sleep(for: .milliseconds(300))
                let before = try await primary.status()
                try await Task.sleep(for: Self.time)
                let during = try await primary.status()
                #expect(during.number("writable") == 1, "\(during)")
                let written = during.number("commits") - before.number("commits")
                let expected = milliseconds(Self.time) / 10
                #expect(written > expected / 2, "\(written) commits in \(Self.time)")
                #expect(during.number("acknowledged") == before.number("acknowledged"))
                #expect(during.text.contains("store"), "\(during)")
                for node in cluster.nodes { node.store.cut(.none) }
                let start = BootClock.now
                try await work(on: primary)
                var figures = Figures("store back to acknowledged again, after \(Self.time)")
                figures.add(nanoseconds: BootClock.now - start)
                figures.report("\(written) commits meanwhile")
                let after = try await primary.status()
                #expect(after.number("epoch") == epoch && after["role"] == "primary", "\(after)")
                let refused = primary.lines.filter { $0.kind == "write-refused" && $0.time > cutAt }
                #expect(refused.isEmpty, "\(refused)")
                for journal in try cluster.journals {
                    let wrong = journal.acknowledgements.filter { $0.done > cutAt + 300_000_000 && $0.done < start }
                    #expect(wrong.isEmpty, "acknowledged while the store was away: \(wrong)")
                }
            }
        }

        @Test("The standby is dead as well: the gate closes at the deadline, and opens when the store is back")
        func alone() async throws {
            try await ProcessCluster.run("alone") { cluster in
                let (primary, standby) = try await cluster.settle()
                try await work(on: primary)
                let epoch = try await primary.status().number("epoch")
                try await standby.kill()
                let mark = primary.mark
                let cutAt = BootClock.now
                for node in cluster.nodes { node.store.cut(.refused) }
                let refused = try await primary.wait(for: "its writes are refused", after: mark) {
                    $0.kind == "write-refused"
                }
                var closing = Figures("store away to the gate closed, ttl \(ProcessCluster.ttl)")
                closing.add(nanoseconds: refused.time - cutAt)
                closing.report()
                // The last renewal was sent before the cut.
                #expect(refused.time - cutAt <= nanoseconds(cluster.ttl) * 2 / 3 + 100_000_000, "\(refused)")
                try await Task.sleep(for: cluster.ttl)
                let (closed, again) = (try await primary.status(), primary.mark)
                #expect(closed.number("writable") == 0 && closed["role"] == "primary", "\(closed)")
                let start = BootClock.now
                for node in cluster.nodes { node.store.cut(.none) }
                let write = try await primary.wait(for: "it writes again", after: again) { $0.kind == "first-write" }
                var opening = Figures("store back to the first write, ttl \(ProcessCluster.ttl)")
                opening.add(nanoseconds: write.time - start)
                opening.report()
                #expect(write.number("epoch") == epoch, "closed is not fenced: \(write)")
                try standby.start()
            }
        }
    }
}
