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
    /// Each fault and its way back, as failover-review G judges them: who goes on, who must not, and what that loses.
    @Suite("Two hosts with a store each, and a witness", .timeLimit(.minutes(90))) struct TwoHostsTests {
        /// How often each fault is met; `TWO_HOSTS_ROUNDS`.
        private var rounds: Int { Environment.number("TWO_HOSTS_ROUNDS") ?? 1 }

        /// Calls `body` so many times, each time with nodes that have settled and written.
        private func repeated(
            _ name: String,
            _ body: (ProcessCluster, _ primary: HostedNode, _ standby: HostedNode) async throws -> Void
        ) async throws {
            try await ProcessCluster.run("hosts-\(name)", hasTwoHosts: true) { cluster in
                for round in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let start = ContinuousClock.now
                    try await body(cluster, primary, standby)
                    print(
                        "hosts-\(name), round \(round): \(primary.name) was the primary, \(ContinuousClock.now - start)"
                    )
                }
            }
        }

        /// Waits until nobody but the primary may take over, and makes sure that what it accepts from then on counts as
        /// replicated for nobody.
        private func expectAlone(_ primary: HostedNode, epoch: Int64) async throws {
            try await primary.waitForStatus("it is alone on the list") { $0.number("members") == 1 }
            let before = try await primary.status()
            try await primary.waitForStatus("it goes on writing") {
                $0.number("commits") >= before.number("commits") + 50 && $0.number("writable") == 1
            }
            let after = try await primary.status()
            #expect(after.number("acknowledged") == before.number("acknowledged"))
            #expect(after.number("epoch") == epoch)
        }

        @Test("G The primary's process dies: the other one takes over from its own store")
        func killed() async throws {
            var figures = Figures("two hosts, kill -9 to the first write, ttl \(ProcessCluster.ttl)")
            try await repeated("killed") { cluster, primary, standby in
                let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                let start = BootClock.now
                try await primary.kill()
                let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                figures.add(nanoseconds: write.time - start)
                try primary.start()
            }
            figures.report()
            figures.expect(0.5, within: Double(milliseconds(ProcessCluster.ttl)) / 1000 * 1.25)
        }

        @Test("G2 The primary's host goes with its store: the other one takes over, alone until the host is back")
        func primaryHostGone() async throws {
            var figures = Figures("two hosts, the primary's host gone to the first write, ttl \(ProcessCluster.ttl)")
            try await repeated("gone") { cluster, primary, standby in
                let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                let start = BootClock.now
                try await cluster.take(away: primary)
                let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                figures.add(nanoseconds: write.time - start)
                try await expectAlone(standby, epoch: write.number("epoch"))
                try cluster.giveBack(primary)
            }
            figures.report()
            figures.expect(0.5, within: Double(milliseconds(ProcessCluster.ttl)) / 1000 * 1.25)
        }

        @Test("G4 The standby's host goes with the store that is shipped to: the primary goes on alone")
        func standbyHostGone() async throws {
            try await repeated("standby-gone") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                try await cluster.take(away: standby)
                try await expectAlone(primary, epoch: epoch)
                try cluster.giveBack(standby)
                try await cluster.settle(within: .seconds(90))
                #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
            }
        }

        @Test("N9 A primary that is killed while it is alone goes on with all that it has committed")
        func killedAlone() async throws {
            try await repeated("killed-alone") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                try await cluster.take(away: standby)
                try await expectAlone(primary, epoch: epoch)
                try await writeNowAndThen(on: primary)
                let mark = primary.mark
                try await primary.kill()
                try primary.start()
                try await cluster.waitForWrite(on: primary, above: epoch, after: mark)
                #expect(try await primary.status().number("tails") == 0, "it knows its database")
                try cluster.giveBack(standby)
            }
        }

        @Test("G4 The hosts are cut off from each other: the primary goes on alone, the other one never takes over")
        func linkCut() async throws {
            try await repeated("link") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                cluster.cutLink(.silent)
                try await expectAlone(primary, epoch: epoch)
                try await Task.sleep(for: cluster.ttl * 2)
                #expect(try await standby.status()["role"] == "standby")
                cluster.cutLink(.none)
                try await cluster.settle(within: .seconds(90))
                #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
            }
        }

        @Test("G5 The witness goes: by the other one's promise the primary goes on, and nobody takes over")
        func witnessGone() async throws {
            try await repeated("witness") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                cluster.cutWitness(.silent)
                try await Task.sleep(for: cluster.ttl * 2)
                let before = try await primary.status()
                try await primary.waitForStatus("it goes on writing") {
                    $0.number("commits") >= before.number("commits") + 50 && $0.number("writable") == 1
                }
                #expect(try await standby.status()["role"] == "standby")
                cluster.cutWitness(.none)
                try await cluster.settle(within: .seconds(90))
                #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
            }
        }

        @Test("G5 Witness and link go: the primary stops before anybody could take over, and nobody does")
        func witnessAndLinkGone() async throws {
            try await repeated("both") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                cluster.cutWitness(.silent)
                cluster.cutLink(.silent)
                try await primary.waitForStatus("it takes no commits", within: cluster.ttl * 2) {
                    $0.number("writable") == 0
                }
                let stopped = try await primary.status().number("commits")
                try await Task.sleep(for: cluster.ttl * 2)
                #expect(try await primary.status().number("commits") == stopped)
                #expect(try await standby.status()["role"] != "primary")
                cluster.cutWitness(.none)
                cluster.cutLink(.none)
                let (writer, _) = try await cluster.settle(within: .seconds(90))
                let now = try await writer.status().number("epoch")
                #expect(now == epoch && writer === primary, "epoch \(epoch) became \(now)")
            }
        }

        @Test("G6 The store that is shipped to goes back to an older copy: it gets a whole copy before anything counts")
        func rolledBack() async throws {
            try await repeated("rolled-back") { cluster, primary, standby in
                let epoch = try await primary.status().number("epoch")
                try await cluster.keepStore(of: standby, as: "kept")
                try await work(on: primary, rows: 100)
                try await cluster.take(away: standby)
                try await workAlone(primary)
                cluster.server(of: standby).process.signal(SIGCONT)
                try await cluster.rollBack(standby, to: "kept")
                try cluster.giveBack(standby)
                try await cluster.settle(within: .seconds(90))
                try await work(on: primary)
                // Before it was looked at again the other one was still on the list.
                try await cluster.settle(within: .seconds(90))
                #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
                // What it holds is enough to go on from.
                let mark = standby.mark
                try await primary.kill()
                try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                try primary.start()
            }
        }

        private func workAlone(_ node: HostedNode) async throws {
            let before = try await node.status()
            try await node.waitForStatus("it goes on writing") {
                $0.number("commits") >= before.number("commits") + 50
            }
        }

        @Test("A planned switchover, there and back: nothing is lost, and writing pauses for a moment")
        func switchover() async throws {
            var figures = Figures("two hosts, switchover, pause of writing, ttl \(ProcessCluster.ttl)")
            try await ProcessCluster.run("hosts-switchover", hasTwoHosts: true) { cluster in
                for _ in 1...rounds * 2 {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
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
                let check = try await cluster.prove()
                #expect(check.tails.isEmpty, "a switchover loses nothing: \(check)")
            }
            figures.report()
            figures.expect(0.99, within: 3)
        }
    }
}
