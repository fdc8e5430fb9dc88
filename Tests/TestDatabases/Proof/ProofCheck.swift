public import SystemPackage
import TestSupport

/// What a final database and the journals of all nodes prove together.
public struct ProofCheck: Sendable, CustomStringConvertible {
    /// Commits that are not in the final database: the last ones of an epoch.
    public struct Tail: Hashable, Sendable {
        public var node: String
        public var epoch: Int64
        public var first: Int64
        public var last: Int64
        public var count: Int
    }

    /// The rows of the database.
    public private(set) var rows = 0
    /// The epochs in which they were written, ascending.
    public private(set) var epochs: [Int64] = []
    /// The commits that nodes noted.
    public private(set) var commits = 0
    /// The rows that were acknowledged as replicated.
    public private(set) var acknowledged = 0
    /// What was committed and is not in the database.
    public private(set) var tails: [Tail] = []
    /// The sums of the rows that were committed and are not in the database: they must be in tails that were kept.
    public private(set) var missingSums: Set<String> = []
    /// Rows that no node noted, because it died just then.
    public private(set) var unwitnessed = 0
    /// Commits whose gate was asked in time, and which returned after a newer epoch had begun to write.
    public private(set) var late = 0
    /// What must not be, in words.
    public private(set) var failures: [String] = []

    /// Whether nothing is wrong.
    public var isProven: Bool { failures.isEmpty }

    /// Checks a database.
    ///
    /// - Parameters:
    ///   - database: The newest primary's, or a restored one.
    ///   - journals: Those of all nodes.
    public init(_ database: FilePath, journals: [ProofJournal]) throws {
        let file = try SQLiteFile(database, .init(creates: false))
        defer { file.close() }
        var rows: [ProofRow] = []
        let columns = "SELECT n, node, epoch, at, sum FROM proof ORDER BY n"
        try file.run(columns) { row in
            guard let n = row[0].integer, let node = row[1].text, let epoch = row[2].integer, let at = row[3].integer,
                let sum = row[4].blob
            else { return }
            rows.append(ProofRow(n: n, node: node, epoch: epoch, at: at, sum: sum))
        }
        let count = try file.integer("SELECT count(*) FROM proof")
        self.init(rows: rows, journals: journals)
        if count != Int64(rows.count) { fail("\(count - Int64(rows.count)) rows do not hold what a row must") }
        let integrity = try file.integrityCheck()
        if integrity != "ok" { fail("integrity_check: \(integrity)") }
    }

    /// Checks rows in their order.
    public init(rows: [ProofRow], journals: [ProofJournal]) {
        checkChain(rows)
        let sums = Dictionary(rows.map { ($0.n, $0.hexadecimalSum) }) { first, _ in first }
        checkAcknowledgements(journals, sums)
        checkTails(journals, sums)
        checkWriters(journals)
        let noted = Set(journals.flatMap(\.commits).map(\.sum))
        unwitnessed = rows.count { !noted.contains($0.hexadecimalSum) }
    }

    private mutating func fail(_ text: String) {
        // The first ones tell; a broken chain would give thousands.
        if failures.count < 20 { failures.append(text) }
    }

    private mutating func checkChain(_ rows: [ProofRow]) {
        self.rows = rows.count
        var (previous, writers): (ProofRow?, [Int64: String]) = (nil, [:])
        for row in rows {
            if row.n != (previous?.n ?? 0) + 1 { fail("row \(row.n) follows row \(previous?.n ?? 0)") }
            if row.sum != row.expectedSum(after: previous?.sum) {
                fail("row \(row.n) of \(row.node) in epoch \(row.epoch) does not continue the row before it")
            }
            if let previous, row.epoch < previous.epoch {
                fail("row \(row.n) of epoch \(row.epoch) lies above one of epoch \(previous.epoch)")
            }
            if let writer = writers[row.epoch], writer != row.node {
                fail("\(writer) and \(row.node) both wrote in epoch \(row.epoch)")
            }
            writers[row.epoch] = row.node
            previous = row
        }
        epochs = writers.keys.sorted()
    }

    private mutating func checkAcknowledgements(_ journals: [ProofJournal], _ sums: [Int64: String]) {
        var seen: [Int64: (sum: String, journal: String)] = [:]
        for journal in journals {
            acknowledged += journal.acknowledgements.count
            for acknowledgement in journal.acknowledgements {
                let n = acknowledgement.n
                if sums[n] != acknowledgement.sum {
                    let what = sums[n] == nil ? "is missing" : "is another one"
                    fail("row \(n), acknowledged as replicated in \(journal.name), \(what) in the database")
                }
                if let other = seen[n], other.sum != acknowledgement.sum {
                    fail("two rows \(n) were acknowledged as replicated, in \(other.journal) and \(journal.name)")
                }
                seen[n] = (acknowledgement.sum, journal.name)
            }
        }
    }

    /// What is missing must be the end of its epoch: nothing of it may lie in the database above.
    private mutating func checkTails(_ journals: [ProofJournal], _ sums: [Int64: String]) {
        for (epoch, commits) in Dictionary(grouping: journals.flatMap(\.commits), by: \.epoch).sorted(by: {
            $0.key < $1.key
        }) {
            self.commits += commits.count
            var tail: Tail?
            for commit in commits.sorted(by: { ($0.n, $0.done) < ($1.n, $1.done) }) {
                if sums[commit.n] == commit.sum {
                    if let tail {
                        fail("row \(commit.n) of epoch \(epoch) is there, row \(tail.first) before it is not")
                    }
                    continue
                }
                missingSums.insert(commit.sum)
                if var begun = tail {
                    (begun.last, begun.count) = (commit.n, begun.count + 1)
                    tail = begun
                } else {
                    tail = Tail(node: commit.node, epoch: epoch, first: commit.n, last: commit.n, count: 1)
                }
            }
            if let tail { tails.append(tail) }
        }
    }

    /// Once a newer epoch writes, the gate of an older one must have refused.
    private mutating func checkWriters(_ journals: [ProofJournal]) {
        let commits = journals.flatMap(\.commits)
        let byEpoch = Dictionary(grouping: commits, by: \.epoch)
        // From the newest epoch down: the first commit of all that are newer.
        var first = Int64.max
        for epoch in byEpoch.keys.sorted(by: >) {
            let mine = byEpoch[epoch] ?? []
            for commit in mine where commit.asked > first {
                let milliseconds = (commit.asked - first) / 1_000_000
                fail(
                    "two writers: \(commit.node) was let commit row \(commit.n) in epoch \(epoch) "
                        + "\(milliseconds) ms after a newer epoch had begun to write"
                )
            }
            late += mine.count { $0.asked <= first && $0.done > first }
            first = min(first, mine.map(\.asked).min() ?? .max)
            if Set(mine.map(\.node)).count > 1 { fail("several nodes committed in epoch \(epoch)") }
        }
    }

    public var description: String {
        let tails = tails.map { "\($0.node)/\($0.epoch):\($0.first)-\($0.last)" }.joined(separator: " ")
        let text = """
            rows=\(rows) epochs=\(epochs.count) commits=\(commits) acknowledged=\(acknowledged) \
            unwitnessed=\(unwitnessed) late=\(late) tails=[\(tails)]
            """
        return failures.isEmpty ? text : "\(text)\nNOT PROVEN:\n- \(failures.joined(separator: "\n- "))"
    }
}
