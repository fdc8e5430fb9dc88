import Foundation
import Synchronization
import TestDatabases
import TestSupport

/// What a database was after each of its commits, and when.
final class History: Sendable {
    /// One commit.
    struct Commit: Sendable {
        let digest: String
        /// A moment at which it had not begun, in milliseconds since 1970.
        let began: Int64
        /// A moment at which it was over.
        let ended: Int64
    }

    private let commits = Mutex<[Int64: Commit]>([:])

    /// Makes steps of a workload until `isDue`, at a pace, and notes every commit.
    func record(_ workload: RandomWorkload, pace: Duration, until isDue: () -> Bool) async throws {
        if commits.withLock(\.isEmpty) { try note(workload, began: Self.now) }
        while !isDue() {
            let began = Self.now
            let step = try workload.step()
            if step.committed { try note(workload, began: began) }
            try await Task.sleep(for: pace)  // The application's pace.
        }
    }

    private func note(_ workload: RandomWorkload, began: Int64) throws {
        let commit = Commit(digest: try workload.contentDigest(), began: began, ended: Self.now)
        let number = workload.commitNumber
        // What follows without a new number, such as VACUUM, changes no content.
        commits.withLock { $0[number] = $0[number] ?? commit }
    }

    /// A commit; waits for one that another task is about to note.
    func commit(_ number: Int64) async throws -> Commit {
        try await eventually("commit \(number) is noted") { commits.withLock { $0[number] } != nil }
        guard let commit = commits.withLock({ $0[number] }) else {
            throw TestSupportError("There is no commit \(number).")
        }
        return commit
    }

    /// The times of the commits so far.
    var span: ClosedRange<Int64> {
        let times = commits.withLock { $0.values.map(\.ended) }
        return (times.min() ?? 0)...(times.max() ?? 0)
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
