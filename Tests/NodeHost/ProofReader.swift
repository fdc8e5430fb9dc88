import Foundation
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Reads the rows again and again while the node follows, takes over and is rewound: what it sees must always be whole.
final class ProofReader: Sendable {
    private let database: FilePath
    private let state = Mutex((isStopping: false, hasEnded: false, reads: 0, lastRow: Int64(0)))

    init(_ database: FilePath) { self.database = database }

    /// How often it read, and the last row it saw.
    var counts: (reads: Int, lastRow: Int64) { state.withLock { ($0.reads, $0.lastRow) } }

    func start() {
        let thread = Thread { [self] in
            run()
            state.withLock { $0.hasEnded = true }
        }
        thread.name = "proof reader"
        thread.start()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        while !state.withLock(\.hasEnded) { usleep(1000) }
    }

    private func run() {
        var file: SQLiteFile?
        var (known, lastTrouble): (ProofRow?, String) = (nil, "")
        while !state.withLock(\.isStopping) {
            do {
                if file == nil {
                    // A node that joins may not have restored it yet.
                    guard FileManager.default.fileExists(atPath: database.string) else {
                        usleep(5000)
                        continue
                    }
                    file = try SQLiteFile(database, .init(creates: false, busyTimeout: .seconds(5), autocheckpoint: 0))
                }
                if let file { known = try read(file, known) }
                lastTrouble = ""
            } catch {
                let trouble = "\(error)"
                if trouble != lastTrouble { say("read-failed t=\(BootClock.now) \(trouble)") }
                lastTrouble = trouble
                if let file, file.isInTransaction { try? file.execute("ROLLBACK") }  // Told already.
            }
            usleep(20_000)
        }
    }

    /// Reads what has been added; all of it again where what it knew is gone.
    private func read(_ file: SQLiteFile, _ known: ProofRow?) throws -> ProofRow? {
        try file.execute("BEGIN")
        defer { try? file.execute("COMMIT") }  // It only read.
        guard try file.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'proof'") == 1 else { return nil }
        var start = known
        if let known {
            let sum = try file.scalar("SELECT sum FROM proof WHERE n = ?", [.integer(known.n)])?.blob
            if sum != known.sum {
                say("rewound below=\(known.n) t=\(BootClock.now)")
                start = nil
            }
        }
        var last = start
        let columns = "SELECT n, node, epoch, at, sum FROM proof WHERE n > ? ORDER BY n"
        try file.run(columns, [.integer(start?.n ?? 0)]) { values in
            guard let n = values[0].integer, let node = values[1].text, let epoch = values[2].integer,
                let at = values[3].integer, let sum = values[4].blob
            else { return say("reader-fault a row holds \(values)") }
            let row = ProofRow(n: n, node: node, epoch: epoch, at: at, sum: sum)
            if n != (last?.n ?? 0) + 1 || row.expectedSum(after: last?.sum) != sum {
                say("reader-fault row \(n) does not continue row \(last?.n ?? 0) t=\(BootClock.now)")
            }
            last = row
        }
        state.withLock { state in
            state.reads += 1
            state.lastRow = last?.n ?? 0
        }
        return last
    }
}
