import TestDatabases
import TestSupport
import Testing

extension ProcessTests {
    @Suite("The way between the nodes is cut", .timeLimit(.minutes(60))) struct PeersTests {
        static let cuts = [FaultProxy.Cut.silent, .oneWay, .refused]

        @Test("While the store answers nodes need not hear of each other; a switchover goes through the lease alone")
        func alone() async throws {
            try await ProcessCluster.run("peers") { cluster in
                var figures = Figures("switchover, nodes cut off from each other, ttl \(ProcessCluster.ttl)")
                for cut in Self.cuts {
                    let (primary, standby) = try await cluster.settle()
                    let epoch = try await primary.status().number("epoch")
                    for node in cluster.nodes { node.entrance.cut(cut) }
                    let mark = standby.mark
                    try await work(on: primary, rows: 200)
                    let status = try await primary.status()
                    #expect(status["role"] == "primary" && status.number("epoch") == epoch, "\(status)")
                    let start = BootClock.now
                    let answer = try await primary.command("switchover \(standby.name)")
                    #expect(answer.text.hasPrefix("switchover done"), "\(answer)")
                    let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                    figures.add(nanoseconds: write.time - start)
                    for node in cluster.nodes { node.entrance.cut(.none) }
                }
                figures.report()
                let refused = cluster.nodes.flatMap(\.lines).filter { $0.kind == "write-refused" }
                #expect(refused.count <= Self.cuts.count, "none but those of the switchovers: \(refused)")
            }
        }

        /// The standby may have promised, where only its answers are lost: then it waits for as long as it has promised.
        @Test(
            "No way to the store, and none to the other node: the gate closes, the other one takes over",
            arguments: cuts
        )
        func both(cut: FaultProxy.Cut) async throws {
            try await ProcessCluster.run("peers-and-store-\(cut)") { cluster in
                var figures = Figures("store and peer away (\(cut)) to the first write, ttl \(ProcessCluster.ttl)")
                let (primary, standby) = try await cluster.settle()
                try await work(on: primary)
                let epoch = try await primary.status().number("epoch")
                let (mark, old) = (standby.mark, primary.mark)
                let start = BootClock.now
                standby.entrance.cut(cut)
                primary.store.cut(.silent)
                let refused = try await primary.wait(for: "its writes are refused", after: old) {
                    $0.kind == "write-refused"
                }
                let write = try await cluster.waitForWrite(on: standby, above: epoch, after: mark)
                figures.add(nanoseconds: write.time - start)
                figures.report()
                #expect(refused.time < write.time, "two writers")
                // What the gate let through by then was asked for before it closed.
                let late = try cluster.journals.flatMap(\.commits).filter { $0.epoch == epoch && $0.done > write.time }
                #expect(late.isEmpty, "two writers: \(late)")
                primary.store.cut(.none)
                standby.entrance.cut(.none)
                try await primary.wait(for: "it stands by", after: old) { $0.role == "standby" }
            }
        }
    }
}
