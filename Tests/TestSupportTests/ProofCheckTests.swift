import SystemPackage
import TestDatabases
import TestSupport
import Testing

@Suite("The proof that nothing is lost and nothing forked") struct ProofCheckTests {
    /// Rows 1 to 10: six of a in epoch 1, four of b in epoch 2.
    private static let rows: [ProofRow] = {
        var rows: [ProofRow] = []
        for n in 1...10 {
            let last = rows.last.map { (n: $0.n, sum: $0.sum) }
            rows.append(
                ProofRow(after: last, node: n <= 6 ? "a" : "b", epoch: n <= 6 ? 1 : 2, at: Int64(n) * 1000)
            )
        }
        return rows
    }()

    private static func lines(_ rows: [ProofRow], late: Int64 = 0) -> String {
        rows.map {
            "committed \($0.n) \($0.hexadecimalSum) \($0.node) \($0.epoch) \($0.at + late) \($0.at + 1 + late)\n"
        }
        .joined()
    }

    private static func acknowledged(_ rows: [ProofRow]) -> String {
        rows.map { "replicated \($0.n) \($0.hexadecimalSum) 1 2\n" }.joined()
    }

    private static func check(_ rows: [ProofRow], _ a: String, _ b: String) throws -> ProofCheck {
        ProofCheck(rows: rows, journals: [try ProofJournal(name: "a", text: a), try ProofJournal(name: "b", text: b)])
    }

    /// Two rows that a committed after the sixth, which b never got.
    private static func tail(at: Int64 = 6100) -> [ProofRow] {
        let seventh = ProofRow(after: (6, rows[5].sum), node: "a", epoch: 1, at: at)
        return [seventh, ProofRow(after: (7, seventh.sum), node: "a", epoch: 1, at: at + 100)]
    }

    @Test("Whole histories are proven, with their tails and what nobody noted")
    func proven() throws {
        let (a, b) = (Array(Self.rows[..<6]), Array(Self.rows[6...]))
        let torn = "committed 9 ab"
        let plain = try Self.check(Self.rows, Self.lines(a) + Self.acknowledged(a), Self.lines(Array(b[1...])) + torn)
        #expect(plain.isProven && plain.rows == 10 && plain.epochs == [1, 2] && plain.acknowledged == 6, "\(plain)")
        #expect(plain.unwitnessed == 1 && plain.tails.isEmpty && plain.late == 0)

        let behind = try Self.check(Self.rows, Self.lines(a + Self.tail()) + Self.acknowledged(a), Self.lines(b))
        #expect(behind.isProven)
        #expect(behind.tails.map { [$0.epoch, $0.first, $0.last, Int64($0.count)] } == [[1, 7, 8, 2]])
    }

    @Test("What was acknowledged and is missing, or is another row, is a loss")
    func losses() throws {
        let (a, b) = (Array(Self.rows[..<6]), Array(Self.rows[6...]))
        let missing = try Self.check(Array(Self.rows[..<9]), Self.lines(a), Self.lines(b) + Self.acknowledged([b[3]]))
        #expect(missing.failures.contains { $0.contains("row 10") && $0.contains("missing") }, "\(missing)")
        let other = try Self.check(
            Self.rows,
            Self.lines(a + Self.tail()) + Self.acknowledged(Self.tail()),
            Self.lines(b) + Self.acknowledged(b)
        )
        #expect(other.failures.contains { $0.contains("row 7") && $0.contains("another") }, "\(other)")
        #expect(other.failures.contains { $0.contains("two rows 7") }, "\(other)")
    }

    @Test("A row that does not continue the one before it, a gap, and an older epoch above a newer one are seen")
    func chains() throws {
        var changed = Self.rows
        changed[4].at += 1
        #expect(try !Self.check(changed, "", "").isProven)
        #expect(try !Self.check(Self.rows.filter { $0.n != 5 }, "", "").isProven)
        let above = Self.rows + [ProofRow(after: (10, Self.rows[9].sum), node: "a", epoch: 1, at: 20_000)]
        #expect(try Self.check(above, "", "").failures.contains { $0.contains("lies above") })
        let two = Self.rows + [ProofRow(after: (10, Self.rows[9].sum), node: "a", epoch: 2, at: 20_000)]
        #expect(try Self.check(two, "", "").failures.contains { $0.contains("both wrote") })
    }

    @Test("A missing row below one that is there, and two writers at an instant, are seen; a commit under way is late")
    func writers() throws {
        let (a, b) = (Array(Self.rows[..<6]), Array(Self.rows[6...]))
        var hole = a
        hole[2].sum[0] ^= 1
        #expect(try Self.check(Self.rows, Self.lines(hole), Self.lines(b)).failures.contains { $0.contains("row 3") })
        // b began at 7,000; a was let write at 7,500.
        let two = try Self.check(Self.rows, Self.lines(a + Self.tail(at: 7500)), Self.lines(b))
        #expect(two.failures.contains { $0.contains("two writers") }, "\(two)")
        let row = Self.tail()[0]
        let late = "committed \(row.n) \(row.hexadecimalSum) a 1 6990 7010\n"
        let under = try Self.check(Self.rows, Self.lines(a) + late, Self.lines(b))
        #expect(under.isProven && under.late == 1 && under.tails.count == 1, "\(under)")
    }

    @Test("A database is checked as SQLite has it")
    func database() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("proof.db")
            let file = try SQLiteFile(path)
            try file.execute(ProofRow.table)
            for row in Self.rows {
                try file.query(
                    ProofRow.insertion,
                    [.integer(row.n), .text(row.node), .integer(row.epoch), .integer(row.at), .blob(row.sum)]
                )
            }
            #expect(try ProofCheck(path, journals: []).isProven)
            try file.execute("UPDATE proof SET at = at + 1 WHERE n = 3")
            #expect(try !ProofCheck(path, journals: []).isProven)
            file.close()
        }
    }
}
