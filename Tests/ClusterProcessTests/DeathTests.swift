import Foundation
import TestDatabases
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// The suites of real processes: they run after one another.
@Suite(.serialized, .enabled(if: Servers.areExpected && Litestream.isExpected)) enum ProcessTests {}

extension ProcessTests {
    @Suite("Primaries that die, or end", .timeLimit(.minutes(60))) struct DeathTests {
        @Test("kill -9 of the primary: the other one takes over, and the killed one comes back as its standby")
        func killed() async throws {
            try await ProcessCluster.run("killed") { cluster in
                var figures = Figures("kill -9 to the first write, ttl \(ProcessCluster.ttl)")
                for round in 1...ProcessCluster.rounds {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    let start = BootClock.now
                    try await primary.kill()
                    let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    figures.add(nanoseconds: write.time - start)
                    print("round \(round): \(primary.name) killed, \((write.time - start) / 1_000_000) ms")
                    try primary.start()
                }
                figures.report()
                #expect(figures.seconds.count == ProcessCluster.rounds)
                // A candidate waits for 1.1 times to live, and then has bounded work to do.
                let ttl = Double(milliseconds(cluster.ttl)) / 1000
                figures.expect(0.5, within: ttl * 1.25)
                figures.expect(1, within: ttl * 5 / 3)
            }
        }

        @Test("SIGTERM of the primary: it ships everything and hands over")
        func terminated() async throws {
            try await ProcessCluster.run("terminated") { cluster in
                var figures = Figures("SIGTERM to the first write, ttl \(ProcessCluster.ttl)")
                for _ in 1...ProcessCluster.rounds {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    let start = BootClock.now
                    primary.signal(SIGTERM)
                    let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    figures.add(nanoseconds: write.time - start)
                    let exit = try await primary.process?.waitForExit(within: .seconds(30))
                    #expect(exit?.isSuccess == true, "\(String(describing: exit))")
                    try primary.start()
                }
                figures.report()
                figures.expect(1, within: 1.5)
                let check = try await cluster.prove()
                #expect(check.tails.isEmpty, "an orderly end loses nothing: \(check)")
            }
        }

        @Test("Switchover: nothing is lost, and writing pauses for a moment")
        func switchover() async throws {
            try await ProcessCluster.run("switchover") { cluster in
                var figures = Figures("switchover, pause of writing, ttl \(ProcessCluster.ttl)")
                for _ in 1...ProcessCluster.rounds {
                    let (primary, standby) = try await cluster.settle()
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    let answer = try await primary.command("switchover \(standby.name)")
                    #expect(answer.text.hasPrefix("switchover done"), "\(answer)")
                    try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    let commits = try cluster.journals.flatMap(\.commits)
                    let last = commits.filter { $0.epoch <= epoch }.map(\.done).max() ?? 0
                    let first = commits.filter { $0.epoch > epoch }.map(\.done).min() ?? 0
                    figures.add(nanoseconds: first - last)
                }
                figures.report()
                figures.expect(0.99, within: 2)
                let check = try await cluster.prove()
                #expect(check.tails.isEmpty, "a switchover loses nothing: \(check)")
            }
        }
    }
}

/// Waits until a node has written some rows more, and some of them were acknowledged.
func work(on node: HostedNode, rows: Int64 = 50) async throws {
    let before = try await node.status()
    try await node.waitForStatus("it writes") { status in
        status.number("commits") >= before.number("commits") + rows
            && status.number("acknowledged") > before.number("acknowledged")
    }
}

/// Has a node write a little now and then: in each pause its log is made ready to begin anew, though no store takes what was
/// captured.
func writeNowAndThen(on node: HostedNode) async throws {
    for _ in 0..<4 {
        _ = try await node.command("write off")
        // The pause is what is tested: it is longer than the engine waits.
        try await Task.sleep(for: .milliseconds(1600))
        let before = try await node.status()
        _ = try await node.command("write on")
        try await node.waitForStatus("it goes on writing") { $0.number("commits") >= before.number("commits") + 3 }
    }
}
