import LTX
import ObjectStorage
import TestSupport
import Testing

@testable import Replication

/// A file of a made-up listing: level, range, size, and the second in which it was made.
func file(
    _ level: Int,
    _ range: ClosedRange<UInt64>,
    byteCount: Int64 = 1000,
    at second: Int64? = nil
) -> ReplicaFile {
    let (min, max) = (TransactionID(rawValue: range.lowerBound), TransactionID(rawValue: range.upperBound))
    return ReplicaFile(
        level: level,
        min: min,
        max: max,
        byteCount: byteCount,
        created: Timestamp(rawValue: (second ?? Int64(range.upperBound)) * 1000),
        key: ReplicaLayout.folder.key(level: level, min: min, max: max)
    )
}

@Suite struct RestorePlanTests {
    /// One row of the table of choices.
    struct Choice: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [ReplicaFile]
        var target = RestoreTarget.latest
        /// What is chosen, as level and range.
        let expected: [(level: Int, range: ClosedRange<UInt64>)]

        var testDescription: String { name }
    }

    static let choices = [
        Choice(name: "level 0 alone", files: [file(0, 1...1), file(0, 2...2)], expected: [(0, 1...1), (0, 2...2)]),
        Choice(
            name: "a snapshot and what follows it",
            files: [file(9, 1...5), file(9, 1...8), file(1, 5...8), file(1, 9...12), file(0, 13...13)],
            expected: [(9, 1...8), (1, 9...12), (0, 13...13)]
        ),
        Choice(
            name: "a lower level that covers more than the snapshot is read alone",
            files: [file(9, 1...8), file(2, 1...20), file(0, 20...20)],
            expected: [(2, 1...20)]
        ),
        Choice(
            name: "fewer bytes win over fewer files",
            files: [file(9, 1...8, byteCount: 1 << 30), file(2, 1...7, byteCount: 1 << 20), file(0, 8...8)],
            expected: [(2, 1...7), (0, 8...8)]
        ),
        Choice(
            name: "R-73: ranges that overlap within a level",
            files: [file(1, 1...4), file(1, 3...7), file(1, 6...9)],
            expected: [(1, 1...4), (1, 3...7), (1, 6...9)]
        ),
        Choice(
            name: "R-73: the same range at two levels is read once, from the higher one",
            files: [file(0, 1...1), file(0, 2...2), file(1, 2...2), file(2, 2...2), file(0, 3...3)],
            expected: [(0, 1...1), (2, 2...2), (0, 3...3)]
        ),
        Choice(
            name: "R-73: a hole of one level is filled by another",
            files: [file(1, 1...3), file(1, 7...9), file(0, 4...4), file(0, 5...5), file(2, 4...6)],
            expected: [(1, 1...3), (2, 4...6), (1, 7...9)]
        ),
        Choice(
            name: "a transaction inside a merged range that single files still reach",
            files: [file(1, 1...4), file(0, 1...1), file(0, 2...2), file(0, 3...3)],
            target: .transaction(TransactionID(rawValue: 3)),
            expected: [(0, 1...1), (0, 2...2), (0, 3...3)]
        ),
        Choice(
            name: "R-72: a moment is looked for at all levels",
            files: [file(9, 1...4), file(1, 5...8), file(2, 5...9), file(0, 9...9), file(0, 10...10)],
            target: .timestamp(Timestamp(rawValue: 9500)),
            expected: [(9, 1...4), (2, 5...9)]
        ),
        Choice(
            name: "a file dated at the very moment is not before it",
            files: [file(0, 1...1), file(0, 2...2)],
            target: .timestamp(Timestamp(rawValue: 2000)),
            expected: [(0, 1...1)]
        ),
        Choice(
            name: "a moment after the last file gives the newest state",
            files: [file(0, 1...1), file(0, 2...2)],
            target: .timestamp(Timestamp(rawValue: 1_000_000)),
            expected: [(0, 1...1), (0, 2...2)]
        ),
        Choice(
            name: "a moment inside a range whose single files are gone gives the state before it",
            files: [file(1, 1...3), file(1, 4...8), file(0, 6...6), file(0, 7...7), file(0, 8...8)],
            target: .timestamp(Timestamp(rawValue: 6500)),
            expected: [(1, 1...3)]
        ),
        Choice(
            name: "R-74: a file too short to be whole is avoided where another has what it had",
            files: [file(0, 1...1), file(0, 2...2, byteCount: 0), file(1, 1...2, byteCount: 1 << 30)],
            expected: [(1, 1...2)]
        ),
    ]

    @Test("The plan is the one expected", arguments: choices)
    func choice(_ choice: Choice) throws {
        let plan = try RestorePlan(listing: ReplicaListing(choice.files.shuffled()), target: choice.target)
        #expect(plan.files.map(\.level) == choice.expected.map(\.level))
        #expect(plan.files.map(\.range) == choice.expected.map { file(0, $0.range).range })
    }

    /// One row of the table of refusals.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [ReplicaFile]
        var target = RestoreTarget.latest
        let code: ReplicaError.Code
        /// What the message must say.
        let words: [String]

        var testDescription: String { name }
    }

    static let refusals = [
        Refusal(name: "an empty replica", files: [], code: .noBackup, words: ["No backup"]),
        Refusal(name: "no beginning", files: [file(0, 2...2), file(1, 2...3)], code: .noBackup, words: ["begins at"]),
        Refusal(
            name: "R-73: a hole",
            files: [file(0, 1...1), file(0, 3...3), file(0, 6...6)],
            code: .hole,
            words: [
                "0000000000000002, 0000000000000004 to 0000000000000005", "restore to transaction 0000000000000001",
            ]
        ),
        Refusal(
            name: "a hole before the moment asked for",
            files: [file(0, 1...1), file(0, 3...3), file(0, 4...4)],
            target: .timestamp(Timestamp(rawValue: 3500)),
            code: .hole,
            words: ["0000000000000002"]
        ),
        Refusal(
            name: "a merged transaction",
            files: [file(1, 1...4), file(1, 5...9)],
            target: .transaction(TransactionID(rawValue: 6)),
            code: .notRestorable,
            words: ["merged", "0000000000000004 and 0000000000000009"]
        ),
        Refusal(
            name: "a transaction beyond the last",
            files: [file(1, 1...4)],
            target: .transaction(TransactionID(rawValue: 5)),
            code: .notRestorable,
            words: ["newest is 0000000000000004"]
        ),
        Refusal(
            name: "a transaction beyond a hole",
            files: [file(0, 1...1), file(0, 3...3)],
            target: .transaction(TransactionID(rawValue: 3)),
            code: .notRestorable,
            words: ["lacks 0000000000000002"]
        ),
        Refusal(
            name: "R-72: a moment before the first state",
            files: [file(9, 1...4, at: 4), file(0, 5...5)],
            target: .timestamp(Timestamp(rawValue: 4000)),
            code: .tooEarly,
            words: ["1970-01-01T00:00:04.000Z", "0000000000000004"]
        ),
        Refusal(
            name: "R-74: an empty file that is needed",
            files: [file(0, 1...1), file(0, 2...2, byteCount: 0)],
            code: .damaged,
            words: ["ltx/0/0000000000000002-0000000000000002.ltx", "0 bytes"]
        ),
        Refusal(
            name: "the highest number that a name can have, and nothing before it",
            files: [file(0, 1...1), file(0, .max ... .max, at: 1)],
            code: .hole,
            words: ["0000000000000002 to fffffffffffffffe"]
        ),
    ]

    @Test("What cannot be restored is refused, with what is missing and what is possible", arguments: refusals)
    func refusal(_ refusal: Refusal) throws {
        let listing = ReplicaListing(refusal.files.shuffled())
        let error = #expect(throws: ReplicaError.self) { try RestorePlan(listing: listing, target: refusal.target) }
        #expect(error?.code == refusal.code)
        for words in refusal.words { #expect(error?.message.contains(words) == true, "\(error?.message ?? "")") }
    }
}

/// Plans against a model that tries everything.
@Suite struct RestorePlanPropertyTests {
    /// The least cost of each state, found by going on until nothing improves.
    private func bruteForce(_ files: [ReplicaFile]) -> [UInt64: Int64] {
        var costs: [UInt64: Int64] = [0: 0]
        var isStable = false
        while !isStable {
            isStable = true
            for file in files {
                for (end, cost) in costs where file.min.rawValue <= end + 1 && file.max.rawValue > end {
                    let total = cost + file.byteCount + 32 << 10
                    if total < costs[file.max.rawValue] ?? .max {
                        costs[file.max.rawValue] = total
                        isStable = false
                    }
                }
            }
        }
        costs[0] = nil
        return costs
    }

    static func randomFiles(_ random: inout SeededGenerator) -> [ReplicaFile] {
        (0..<Int.random(in: 1...30, using: &random)).map { _ in
            let level = Int.random(in: 0...9, using: &random)
            let min = level == 9 || random.happens(0.1) ? 1 : UInt64.random(in: 1...25, using: &random)
            let max = level == 0 && min > 1 ? min : min + UInt64.random(in: 0...8, using: &random)
            let size = Int64.random(in: 131...200_000, using: &random)
            return file(level, min...max, byteCount: size, at: Int64.random(in: 0...30, using: &random))
        }
    }

    @Test("Every state that some chain leads to is restorable, by the cheapest chain, and no other is")
    func allStates() throws {
        var random = SeededGenerator.announced(for: "restore plans")
        for round in 0..<500 {
            let files = Array(ReplicaListing(Self.randomFiles(&random)).files)
            let costs = bruteForce(files)
            let listing = ReplicaListing(files)
            for number in 1...(listing.highest?.rawValue ?? 0) + 1 {
                let target = RestoreTarget.transaction(TransactionID(rawValue: number))
                let plan = try? RestorePlan(listing: listing, target: target)
                #expect((plan != nil) == (costs[number] != nil), "round \(round), transaction \(number)")
                guard let plan, let cost = costs[number] else { continue }
                check(plan, endsWith: number, "round \(round)")
                #expect(
                    plan.byteCount + Int64(plan.files.count) * 32 << 10 == cost,
                    "round \(round), transaction \(number)"
                )
            }
            let latest = try? RestorePlan(listing: listing, target: .latest)
            let isWhole = costs.keys.max() == listing.highest?.rawValue
            #expect((latest?.max).map { $0 == listing.highest } ?? false == isWhole, "round \(round)")
            #expect(listing.highestContiguous?.rawValue == costs.keys.max(), "round \(round)")
        }
    }

    @Test("A moment gives the newest state that files before it lead to")
    func moments() throws {
        var random = SeededGenerator.announced(for: "restores by time")
        for round in 0..<500 {
            let listing = ReplicaListing(Self.randomFiles(&random))
            let moment = Timestamp(rawValue: Int64.random(in: 0...31, using: &random) * 1000)
            let before = bruteForce(listing.files.filter { $0.created < moment }).keys.max()
            do {
                let plan = try RestorePlan(listing: listing, target: .timestamp(moment))
                check(plan, endsWith: before ?? 0, "round \(round)")
                #expect(plan.files.allSatisfy { $0.created < moment })
            } catch {
                let reach = bruteForce(Array(listing.files)).keys.max() ?? 0
                let isHole = listing.files.contains { $0.created < moment && $0.min.rawValue > reach + 1 }
                #expect(isHole || before == nil, "round \(round): \(error)")
            }
        }
    }

    private func check(_ plan: RestorePlan, endsWith end: UInt64, _ comment: Comment) {
        var position: UInt64 = 0
        for file in plan.files {
            #expect(file.min.rawValue <= position + 1 && file.max.rawValue > position, comment)
            position = file.max.rawValue
        }
        #expect(position == end && plan.max.rawValue == end, comment)
    }
}
