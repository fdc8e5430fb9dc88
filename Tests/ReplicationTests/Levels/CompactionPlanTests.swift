import LTX
import ObjectStorage
import TestSupport
import Testing

@testable import Replication

/// A moment, in seconds since 1970-01-01.
private func second(_ second: Int64) -> Timestamp { Timestamp(rawValue: second * 1000) }

private func id(_ number: UInt64) -> TransactionID { TransactionID(rawValue: number) }

@Suite struct CompactionPlanTests {
    /// One row of the table of plans; levels are due each 30 s, 300 s and 3600 s, snapshots each day.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [ReplicaFile]
        let now: Int64
        var accepted: UInt64 = 1000
        /// The steps, as level and range.
        var steps: [(level: Int, range: ClosedRange<UInt64>)] = []
        /// Seconds; `nil`: never.
        var nextDue: Int64?

        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "R-50: an empty replica is never due", files: [], now: 100),
        Row(
            name: "before the first boundary nothing is due",
            files: [file(0, 1...1, at: 5), file(0, 2...2, at: 6)],
            now: 29,
            nextDue: 30
        ),
        Row(
            name: "at the boundary level 1 takes in what follows the first copy, which becomes a snapshot",
            files: [file(0, 1...1, at: 5), file(0, 2...2, at: 6), file(0, 3...3, at: 7)],
            now: 30,
            steps: [(1, 2...3), (9, 1...1)]
        ),
        Row(
            name: "R-53: the first copy alone is published as a snapshot, and no level takes it in",
            files: [file(0, 1...1, at: 5)],
            now: 31,
            steps: [(9, 1...1)]
        ),
        Row(
            name: "R-50: a database that is idle behind its last merges is due for the next level only",
            files: [file(9, 1...1, at: 5), file(0, 3...3, at: 7), file(1, 2...3, at: 7)],
            now: 40,
            nextDue: 300
        ),
        Row(
            name: "R-50: with everything merged a snapshot is due, and after it nothing",
            files: [
                file(9, 1...1, at: 5), file(0, 3...3, at: 7), file(1, 2...3, at: 7), file(2, 2...3, at: 7),
                file(3, 2...3, at: 7),
            ],
            now: 4000,
            nextDue: 86400
        ),
        Row(
            name: "R-50: with a snapshot of the newest state nothing is ever due",
            files: [
                file(9, 1...3, at: 7), file(0, 3...3, at: 7), file(1, 2...3, at: 7), file(2, 2...3, at: 7),
                file(3, 2...3, at: 7),
            ],
            now: 400_000
        ),
        Row(
            name: "a level goes on where it ended",
            files: [
                file(9, 1...1, at: 5), file(1, 2...4, at: 8), file(0, 4...4, at: 8), file(0, 5...5, at: 33),
                file(0, 6...6, at: 61),
            ],
            now: 62,
            steps: [(1, 5...6)],
            nextDue: 300
        ),
        Row(
            name: "N8: what was not accepted is not merged",
            files: [file(9, 1...1, at: 5), file(0, 2...2, at: 6), file(0, 3...3, at: 7), file(0, 4...4, at: 8)],
            now: 30,
            accepted: 3,
            steps: [(1, 2...3)],
            nextDue: 86400
        ),
        Row(
            name: "R-14: a level ends before a hole, and does not skip it",
            files: [file(9, 1...1, at: 5), file(0, 2...2, at: 6), file(0, 4...4, at: 8)],
            now: 30,
            steps: [(1, 2...2)],
            nextDue: 86400
        ),
        Row(
            name: "R-14: a snapshot bridges a hole for the levels",
            files: [
                file(9, 1...1, at: 5), file(1, 2...3, at: 6), file(9, 1...9, at: 8), file(0, 9...9, at: 8),
                file(0, 10...10, at: 9),
            ],
            now: 30,
            steps: [(1, 10...10)],
            nextDue: 300
        ),
        Row(
            name: "levels that begin late keep all of history that is there",
            files: [
                file(9, 1...1, at: 5), file(9, 1...4, at: 5), file(0, 2...2, at: 6), file(0, 3...3, at: 6),
                file(0, 4...4, at: 6), file(0, 5...5, at: 7),
            ],
            now: 30,
            steps: [(1, 2...5)],
            nextDue: 86400
        ),
        Row(
            name: "R-53: a whole copy at level 1, as Litestream makes it, stays there",
            files: [file(1, 1...4, at: 5), file(1, 5...8, at: 9), file(9, 1...4, at: 5)],
            now: 300,
            steps: [(2, 5...8)],
            nextDue: 86400
        ),
        Row(
            name: "a file dated in the future by more than an interval is due at once",
            files: [file(9, 1...1, at: 5), file(0, 2...2, at: 1000)],
            now: 10,
            steps: [(1, 2...2)],
            nextDue: 86400
        ),
        Row(
            name: "a snapshot is due at midnight in UTC",
            files: [
                file(9, 1...1, at: 5), file(1, 2...3, at: 86399), file(2, 2...3, at: 86399), file(3, 2...3, at: 86399),
            ],
            now: 86400,
            steps: [(9, 1...3)]
        ),
    ]

    @Test("The plan is the one expected", arguments: rows)
    func row(_ row: Row) {
        let plan = CompactionPlan(
            listing: ReplicaListing(row.files),
            settings: LevelSettings(),
            now: second(row.now),
            acceptedThrough: id(row.accepted)
        )
        #expect(plan.steps.map(\.level) == row.steps.map(\.level))
        #expect(plan.steps.map { $0.min.rawValue...$0.max.rawValue } == row.steps.map(\.range))
        if row.steps.isEmpty || row.nextDue != nil { #expect(plan.nextDue?.rawValue == row.nextDue.map { $0 * 1000 }) }
    }

    @Test("Boundaries are multiples of the interval since the year 1, as in Litestream")
    func boundaries() {
        // 7 days do not divide the days between the years 1 and 1970: 1970-01-05 was a Monday, as 0001-01-01 was.
        let week = Boundaries(every: .seconds(7 * 86400))
        #expect(week.first(after: second(0)) == second(4 * 86400))
        #expect(week.first(after: second(4 * 86400)) == second(11 * 86400))
        #expect(Boundaries(every: .seconds(30)).first(after: Timestamp(rawValue: 29_999)) == second(30))
        #expect(Boundaries(every: .seconds(30)).first(after: second(-1)) == second(0))
        #expect(Boundaries(every: .nanoseconds(1)).first(after: second(1)) == Timestamp(rawValue: 1001))
        #expect(Boundaries(every: .seconds(Int64.max / 1000)).first(after: Timestamp(rawValue: .max)) > second(0))
    }

    @Test("R-14: A hole that is known to be lost is bridged by a snapshot of the live database")
    func bridge() {
        let listing = ReplicaListing([file(9, 1...1, at: 5), file(0, 2...2, at: 6), file(0, 5...5, at: 8)])
        let plan = CompactionPlan(
            listing: listing,
            settings: LevelSettings(),
            now: second(9),
            acceptedThrough: id(5),
            bridgesHoles: true
        )
        #expect(plan.steps.map(\.level) == [9] && plan.steps[0].sources.isEmpty)
        #expect(plan.steps[0].min == id(1) && plan.steps[0].max == id(5))
        #expect(listing.missing == [id(3)...id(4)] && listing.highestContiguous == id(2))
    }
}
