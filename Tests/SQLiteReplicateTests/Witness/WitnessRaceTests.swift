import Cluster
import ObjectStorage
import SQLiteReplicate
import TestSupport
import Testing

/// Many who write at once.
@Suite(.timeLimit(.minutes(2))) struct WitnessRaceTests {
    private func outcome(_ cell: WitnessCell, _ body: String, _ version: LeaseVersion?) async -> LeaseVersion?? {
        do throws(ObjectStoreError) {
            return .some(try await cell.put(Array(body.utf8), replacing: version))
        } catch {
            #expect(error.code == .conditionFailed, "\(error)")
            return nil
        }
    }

    @Test("Of two who swap at once exactly one wins, 200 times, and what is there is the winner's")
    func swaps() async throws {
        var random = SeededGenerator.announced(for: "two swappers")
        try await withWitness { url in
            let cell = WitnessClient(url: url).cell(of: .watched)
            var version = try await cell.put(Array("begin".utf8), replacing: nil)
            var wins = [0, 0]
            for round in 0..<200 {
                let bodies = ["a", "b"].map { "\($0) \(round) \(random.next())" }
                let present = version
                async let first = outcome(cell, bodies[0], present)
                async let second = outcome(cell, bodies[1], present)
                let outcomes = await [first, second]
                let winners = outcomes.indices.filter { outcomes[$0] != nil }
                #expect(winners.count == 1, "round \(round): \(winners)")
                let winner = try #require(winners.first)
                wins[winner] += 1
                let there = try await cell.read()
                #expect(String(decoding: there.bytes, as: UTF8.self) == bodies[winner], "round \(round)")
                #expect(there.version == outcomes[winner] ?? nil, "round \(round)")
                version = there.version
            }
            print("two swappers: \(wins[0]) and \(wins[1]) rounds won")
        }
    }

    @Test("Of 16 who create at once exactly one wins")
    func creates() async throws {
        try await withWitness { url in
            for round in 1...10 as ClosedRange<UInt64> {
                let cell = WitnessClient(url: url).cell(of: ClusterID(rawValue: round))
                let winners = await withTaskGroup(of: Int?.self) { group in
                    for racer in 0..<16 {
                        group.addTask { await outcome(cell, "\(round) \(racer)", nil) == nil ? nil : racer }
                    }
                    return await group.reduce(into: [Int]()) { if let racer = $1 { $0.append(racer) } }
                }
                #expect(winners.count == 1, "round \(round): \(winners)")
                let there = String(decoding: try await cell.read().bytes, as: UTF8.self)
                #expect(there == "\(round) \(winners.first ?? -1)")
            }
        }
    }
}
