import LTX
import ObjectStorage
import TestSupport
import Testing

@testable import Replication

@Suite struct RetentionPlanTests {
    /// One row of the table of plans; snapshots are kept 1000 s, level 0 100 s, three levels.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [ReplicaFile]
        var local: [UInt64] = []
        var now: Int64 = 5000
        var settings = RetentionSettings(snapshots: .seconds(1000), level0: .seconds(100))
        var levelCount = 3
        /// Which files were read back; `nil`: all.
        var verified: [ReplicaFile]?
        var licence = DeletionLicence(below: TransactionID(rawValue: 1000))
        /// What goes, as level and range.
        var gone: [(level: Int, range: ClosedRange<UInt64>)] = []
        var goneLocal: [UInt64] = []
        /// What is to be read back, as level and range.
        var unverified: [(level: Int, range: ClosedRange<UInt64>)] = []
        /// Milliseconds; `nil`: never.
        var nextDue: Int64?

        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "an empty replica", files: []),
        Row(name: "the newest snapshot stays, however old it is", files: [file(9, 1...3, at: 1)]),
        Row(
            name: "older snapshots go",
            files: [file(9, 1...3, at: 10), file(9, 1...5, at: 20), file(9, 1...9, at: 4500)],
            gone: [(9, 1...3), (9, 1...5)]
        ),
        Row(
            name: "a snapshot comes of age a moment after its retention",
            files: [file(9, 1...3, at: 4500), file(9, 1...5, at: 4600)],
            nextDue: 5_500_001
        ),
        Row(
            name: "what ends before the last expired snapshot goes with it, what has not gone up stays",
            files: [
                file(9, 1...4, at: 10), file(9, 1...8, at: 20), file(9, 1...12, at: 4500),
                file(1, 2...4, at: 10), file(1, 5...7, at: 11), file(1, 8...9, at: 12), file(1, 10...12, at: 4500),
                file(2, 2...7, at: 11), file(2, 8...9, at: 12), file(3, 2...4, at: 10),
            ],
            gone: [(1, 2...4), (1, 5...7), (9, 1...4), (9, 1...8)]
        ),
        Row(
            name: "level 0 loses what level 1 has, up to the first that is too young",
            files: [
                file(9, 1...1, at: 10), file(0, 1...1, at: 10), file(0, 2...2, at: 11), file(0, 3...3, at: 4950),
                file(0, 4...4, at: 4951), file(1, 2...3, at: 4950),
            ],
            gone: [(0, 1...1), (0, 2...2)],
            nextDue: 5_055_001
        ),
        Row(
            name: "what level 1 does not have stays, and nothing is due for it",
            files: [
                file(9, 1...1, at: 10), file(0, 2...2, at: 11), file(0, 3...3, at: 12), file(0, 4...4, at: 13),
                file(1, 2...2, at: 11),
            ],
            gone: [(0, 2...2)]
        ),
        Row(
            name: "the newest of level 0 stays",
            files: [file(9, 1...1, at: 1), file(0, 2...2, at: 2), file(1, 2...2, at: 2)]
        ),
        Row(
            name: "nothing goes before what holds it was read back",
            files: [
                file(9, 1...1, at: 10), file(0, 1...1, at: 10), file(0, 2...2, at: 11), file(0, 3...3, at: 12),
                file(1, 2...3, at: 12),
            ],
            verified: [],
            unverified: [(9, 1...1), (1, 2...3)]
        ),
        Row(
            name: "an expired snapshot stays until the newest one was read back",
            files: [file(9, 1...3, at: 10), file(9, 1...5, at: 20)],
            verified: [file(9, 1...3)],
            unverified: [(9, 1...5)]
        ),
        Row(
            name: "N6: without a licence nothing goes",
            files: [
                file(9, 1...3, at: 10), file(9, 1...5, at: 20), file(0, 4...4, at: 10), file(0, 5...5, at: 20),
                file(1, 4...5, at: 20),
            ],
            local: [3, 4, 5],
            licence: .none
        ),
        Row(
            name: "N6: only what lies below the head goes",
            files: [
                file(9, 1...1, at: 1), file(0, 2...2, at: 2), file(0, 3...3, at: 3), file(0, 4...4, at: 4),
                file(1, 2...4, at: 4),
            ],
            licence: DeletionLicence(below: TransactionID(rawValue: 3)),
            gone: [(0, 2...2)]
        ),
        Row(
            name: "N7: contested transactions stay at level 0",
            files: [
                file(9, 1...1, at: 1), file(0, 2...2, at: 2), file(0, 3...3, at: 3), file(0, 4...4, at: 4),
                file(0, 5...5, at: 5), file(1, 2...5, at: 5),
            ],
            licence: DeletionLicence(
                below: TransactionID(rawValue: 9),
                contested: [TransactionID(rawValue: 3)...TransactionID(rawValue: 4)]
            ),
            gone: [(0, 2...2)]
        ),
        Row(
            name: "retention that is off leaves the store alone, and drops local files",
            files: [
                file(9, 1...1, at: 1), file(9, 1...3, at: 3), file(0, 2...2, at: 2), file(0, 3...3, at: 3),
                file(1, 2...3, at: 3),
            ],
            local: [1, 2, 3],
            settings: RetentionSettings(isEnabled: false, snapshots: .seconds(1), level0: .seconds(100)),
            goneLocal: [1, 2]
        ),
        Row(
            name: "a retention of zero keeps level 0 for ever, here as there",
            files: [file(9, 1...1, at: 1), file(0, 2...2, at: 2), file(0, 3...3, at: 3), file(1, 2...3, at: 3)],
            local: [1, 2, 3],
            settings: RetentionSettings(snapshots: .seconds(1000), level0: .zero)
        ),
        Row(
            name: "local files go when level 1 has them, whether or not level 0 still does",
            files: [file(9, 1...1, at: 1), file(0, 4...4, at: 4), file(1, 2...3, at: 3)],
            local: [1, 2, 3, 4],
            goneLocal: [1, 2, 3]
        ),
        Row(
            name: "without levels local files go when they lie at the store, and the store's with their snapshots",
            files: [
                file(9, 1...3, at: 10), file(9, 1...4, at: 4500), file(0, 1...1, at: 1), file(0, 2...2, at: 2),
                file(0, 3...3, at: 10),
                file(0, 4...4, at: 4500),
            ],
            local: [2, 3, 4],
            levelCount: 0,
            gone: [(0, 1...1), (0, 2...2), (9, 1...3)],
            goneLocal: [2, 3]
        ),
    ]

    @Test("The plan is the one expected", arguments: rows)
    func row(_ row: Row) {
        let listing = ReplicaListing(row.files)
        let plan = RetentionPlan(
            listing: listing,
            localFiles: row.local.map {
                LocalFile(transaction: TransactionID(rawValue: $0), created: Timestamp(rawValue: Int64($0) * 1000))
            },
            settings: row.settings,
            levelCount: row.levelCount,
            verified: Set((row.verified ?? row.files).map(\.key)),
            licence: row.licence,
            now: Timestamp(rawValue: row.now * 1000)
        )
        #expect(
            plan.deletions
                == row.gone.map { file($0.level, $0.range) }.map {
                    listing.file(level: $0.level, min: $0.min, max: $0.max)
                }
        )
        #expect(plan.localDeletions.map(\.rawValue) == row.goneLocal)
        #expect(Set(plan.unverified.map(\.key)) == Set(row.unverified.map { file($0.level, $0.range).key }))
        if row.gone.isEmpty || row.nextDue != nil { #expect(plan.nextDue?.rawValue == row.nextDue) }
    }

    @Test("A local file that is still in use stays, and all behind it")
    func localInUse() {
        let plan = RetentionPlan(
            listing: ReplicaListing([file(9, 1...1, at: 1), file(1, 2...6, at: 6), file(0, 6...6, at: 6)]),
            localFiles: (1...6).map {
                LocalFile(transaction: TransactionID(rawValue: $0), created: Timestamp(rawValue: 0))
            },
            settings: RetentionSettings(level0: .seconds(100)),
            levelCount: 1,
            verified: [file(9, 1...1).key, file(1, 2...6).key],
            licence: DeletionLicence(below: TransactionID(rawValue: 100)),
            keepLocalFrom: TransactionID(rawValue: 4),
            now: Timestamp(rawValue: 5_000_000)
        )
        #expect(plan.localDeletions.map(\.rawValue) == [1, 2, 3])
    }
}
