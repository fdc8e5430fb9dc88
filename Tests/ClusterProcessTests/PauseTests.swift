import Foundation
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

extension ProcessTests {
    @Suite("Primaries that sleep, or are cut off", .timeLimit(.minutes(60))) struct PauseTests {
        @Test(
            "SIGSTOP for longer than the lease stands: never two writers, and the sleeper fences itself",
            arguments: [1.5, 10]
        )
        func stopped(factor: Double) async throws {
            try await ProcessCluster.run("stopped-\(Int(factor * 10))") { cluster in
                var figures = Figures("SIGSTOP for \(factor) × ttl to the first write, ttl \(ProcessCluster.ttl)")
                var takeovers = 0
                let rounds = factor > 2 && ProcessCluster.rounds < 10 ? 1 : min(ProcessCluster.rounds, 10)
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    let (mark, sleeper) = (standby.mark, primary.mark)
                    let start = BootClock.now
                    primary.signal(SIGSTOP)
                    try await Task.sleep(for: cluster.ttl * factor)
                    primary.signal(SIGCONT)
                    // Within 1.5 times to live the other one may just not have been in time.
                    if factor < 2, try await keeps(primary, standby, epoch, mark) { continue }
                    let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    figures.add(nanoseconds: write.time - start)
                    takeovers += 1
                    try await primary.wait(for: "it stands by", after: sleeper) { $0.role == "standby" }
                    let refused = primary.lines.dropFirst(sleeper).filter { $0.kind == "first-write" }
                    #expect(refused.isEmpty, "the sleeper wrote: \(refused)")
                }
                figures.report("\(takeovers) takeovers")
                if factor > 2 { #expect(takeovers == rounds) }
            }
        }

        /// Whether the sleeper has stayed the primary.
        private func keeps(_ primary: HostedNode, _ standby: HostedNode, _ epoch: Int64, _ mark: Int) async throws
            -> Bool
        {
            var isKept = false
            try await eventually("somebody is the primary") {
                let (mine, other) = (try await primary.status(), try await standby.status())
                isKept = mine["role"] == "primary" && mine.number("epoch") == epoch && mine.number("writable") == 1
                return isKept && other["role"] == "standby" || other.number("writable") == 1
            }
            return isKept
        }

        @Test("The way between the primary and the store is cut, both ways and one way: the other one takes over")
        func cutOff() async throws {
            try await ProcessCluster.run("cut-off", options: ["failsafe=0"]) { cluster in
                var figures = Figures("cut to the first write, ttl \(ProcessCluster.ttl)")
                for cut in [FaultProxy.Cut.silent, .oneWay, .refused] {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    let (mark, old) = (standby.mark, primary.mark)
                    let start = BootClock.now
                    primary.store.cut(cut)
                    let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    figures.add(nanoseconds: write.time - start)
                    try await primary.wait(for: "its writes are refused", after: old) { $0.kind == "write-refused" }
                    primary.store.cut(.none)
                    try await primary.wait(for: "it stands by", after: old) { $0.role == "standby" }
                }
                figures.report()
            }
        }

        @Test("The primary is cut off from the store, and the standby is not: with promises writing goes on")
        func promised() async throws {
            try await ProcessCluster.run("promised") { cluster in
                let (primary, standby) = try await cluster.settle()
                try await work(on: primary)
                let epoch = try await primary.status().number("epoch")
                let before = try await primary.status()
                primary.store.cut(.silent)
                try await Task.sleep(for: cluster.ttl * 4)
                let during = try await primary.status()
                #expect(during.number("commits") > before.number("commits") + 100, "\(during)")
                #expect(during.number("writable") == 1 && during.text.contains("promises"), "\(during)")
                let follower = try await standby.status()
                #expect(follower["role"] == "standby" && follower.number("epoch") == epoch, "\(follower)")
                primary.store.cut(.none)
                try await work(on: primary)
                let after = try await primary.status()
                #expect(after.number("epoch") == epoch)
                let refused = primary.lines.filter { $0.kind == "write-refused" }
                #expect(refused.isEmpty, "\(refused)")
            }
        }
    }
}
