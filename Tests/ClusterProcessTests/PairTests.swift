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
    /// Two hosts without a witness (failover-review W): never two writers without a wrong word, and after one the older
    /// one's excess is a tail.
    @Suite("Two hosts with a store each, and no witness", .timeLimit(.minutes(90))) struct PairTests {
        /// How often each thing is done; `TWO_HOSTS_ROUNDS`.
        private var rounds: Int { Environment.number("TWO_HOSTS_ROUNDS") ?? 1 }
        private let allAnswers = "promote-down peer-is-stopped,peer-has-no-right,peer-stays-off"

        private func run(
            _ name: String,
            options: [String] = [],
            proves: Bool = true,
            _ body: (ProcessCluster) async throws -> Void
        ) async throws {
            try await ProcessCluster.run(
                "pair-\(name)",
                hasTwoHosts: true,
                hasWitness: false,
                options: options,
                proves: proves,
                body
            )
        }

        @Test("W8 A planned switchover, there and back: nothing is lost, and writing pauses for a moment")
        func switchover() async throws {
            var figures = Figures("two hosts without a witness, switchover, pause of writing")
            try await run("switchover") { cluster in
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

        @Test("W3 A primary that dies is waited for, and goes on by itself; W8 one that ends in order hands over")
        func restarts() async throws {
            try await run("restarts") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), primary.mark)
                    try await primary.kill()
                    try await Task.sleep(for: cluster.ttl * 2)
                    #expect(try await standby.status()["role"] == "standby", "silence is no reason")
                    try primary.start()
                    try await cluster.waitForWrite(on: primary, above: epoch, after: mark)
                }
            }
        }

        /// Makes sure that a primary goes on, and that what it accepts from now on counts as replicated for nobody.
        private func expectAlone(_ primary: HostedNode, epoch: Int64) async throws {
            try await primary.waitForStatus("it sees that it is alone") { $0.text.contains("the peer's store is away") }
            let before = try await primary.status()
            try await primary.waitForStatus("it goes on writing") {
                $0.number("commits") >= before.number("commits") + 50 && $0.number("writable") == 1
            }
            let after = try await primary.status()
            #expect(after.number("acknowledged") == before.number("acknowledged"))
            #expect(after.number("epoch") == epoch)
        }

        @Test("N9 A primary that is killed while it is alone goes on with all that it has committed")
        func killedAlone() async throws {
            try await run("killed-alone") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    try await cluster.take(away: standby)
                    try await expectAlone(primary, epoch: epoch)
                    try await writeNowAndThen(on: primary)
                    let mark = primary.mark
                    try await primary.kill()
                    try primary.start()
                    try cluster.giveBack(standby)
                    try await cluster.waitForWrite(on: primary, above: epoch, after: mark)
                    #expect(try await primary.status().number("tails") == 0, "it knows its database")
                }
            }
        }

        @Test("W The standby's host goes with the store that is shipped to: the primary goes on by itself")
        func standbyHostGone() async throws {
            try await run("standby-gone") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    try await cluster.take(away: standby)
                    try await expectAlone(primary, epoch: epoch)
                    try cluster.giveBack(standby)
                    try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
                }
            }
        }

        @Test("W The hosts are cut off from each other: the primary goes on, and the other one stays a standby")
        func linkCut() async throws {
            try await run("link") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    cluster.cutLink(.silent)
                    try await expectAlone(primary, epoch: epoch)
                    try await Task.sleep(for: cluster.ttl * 2)
                    #expect(try await standby.status()["role"] == "standby")
                    cluster.cutLink(.none)
                    try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
                }
            }
        }

        @Test("G6 The store that is shipped to goes back to an older copy: it gets a whole copy")
        func rolledBack() async throws {
            try await run("rolled-back") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let epoch = try await primary.status().number("epoch")
                    try await cluster.keepStore(of: standby, as: "kept")
                    try await work(on: primary, rows: 100)
                    try await cluster.take(away: standby)
                    try await expectAlone(primary, epoch: epoch)
                    cluster.server(of: standby).process.signal(SIGCONT)
                    try await cluster.rollBack(standby, to: "kept")
                    try cluster.giveBack(standby)
                    try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    #expect(try await primary.status().number("epoch") == epoch, "nobody took over")
                    // The word.
                    let mark = standby.mark
                    try await primary.kill()
                    let answer = try await standby.command(allAnswers, within: .seconds(100))
                    #expect(answer.text.hasPrefix("promote-down done"), "\(answer)")
                    try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    try primary.start()
                }
            }
        }

        @Test("W9 The primary's host is gone, and an operator says so: the other one takes over")
        func rightWord() async throws {
            try await run("word") { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    try await cluster.take(away: primary)
                    try await Task.sleep(for: cluster.ttl)
                    #expect(try await standby.status()["role"] == "standby")
                    let asked = try await standby.command("promote-down")
                    #expect(asked.text.contains("peer-is-stopped"), "\(asked)")
                    let answer = try await standby.command(allAnswers, within: .seconds(100))
                    #expect(answer.text.hasPrefix("promote-down done"), "\(answer)")
                    try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    let before = try await standby.status().number("acknowledged")
                    try await Task.sleep(for: cluster.ttl)
                    #expect(try await standby.status().number("acknowledged") == before)
                    try cluster.giveBack(primary)
                    try await cluster.settle(within: .seconds(90))
                    try await work(on: standby)
                }
            }
        }

        @Test("G With unsafe-auto-promote the clear word is spoken by the node itself, and its status says so")
        func unsafely() async throws {
            try await run("unsafe", options: ["unsafe=1"]) { cluster in
                let (primary, standby) = try await cluster.settle(within: .seconds(90))
                try await work(on: primary)
                let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                for node in cluster.nodes {
                    #expect(try await node.status().text.contains("'unsafe-auto-promote' is on"))
                }
                // Health alone is no reason: the peer's store answers.
                _ = try await standby.command("peer-unwell")
                try await Task.sleep(for: cluster.ttl * 2)
                #expect(try await standby.status()["role"] == "standby")
                try await cluster.take(away: primary)
                try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                try cluster.giveBack(primary)
                try await cluster.settle(within: .seconds(90))
                try await work(on: standby)
            }
        }

        @Test("W9 A wrong word lets both write; once they see each other the older one's excess is a tail")
        func wrongWord() async throws {
            try await run("wrong", proves: false) { cluster in
                for _ in 1...rounds {
                    let (primary, standby) = try await cluster.settle(within: .seconds(90))
                    try await work(on: primary)
                    let (epoch, mark) = (try await primary.status().number("epoch"), standby.mark)
                    cluster.cutLink(.refused)
                    try await Task.sleep(for: cluster.ttl)
                    let answer = try await standby.command(allAnswers, within: .seconds(100))
                    #expect(answer.text.hasPrefix("promote-down done"), "\(answer)")
                    try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    try await Task.sleep(for: cluster.ttl)
                    cluster.cutLink(.none)
                    let (writer, follower) = try await cluster.settle(within: .seconds(90))
                    #expect(writer === standby, "the newer epoch counts")
                    try await follower.waitForStatus("its excess is a tail") { $0.number("tails") > 0 }
                    try await work(on: writer)
                }
                let check = try await cluster.prove(hadTwoWriters: true)
                #expect(!check.tails.isEmpty)
            }
        }
    }
}
