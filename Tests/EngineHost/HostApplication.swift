import Foundation
import Synchronization
import SystemPackage
import TestDatabases
import TestSupport

/// An application that uses the database in the engine's own process.
final class HostApplication: Sendable {
    private struct State {
        var isStopping = false
        var hasEnded = false
        var commits = 0
        var failures: [String] = []
        var worst = Duration.zero
        var reader: SQLiteFile?
        /// For what happens at fault points: only the engine's thread uses it, under this lock.
        var actor: SQLiteFile?
    }

    private let database: FilePath
    private let seed: UInt64
    private let state: Mutex<State>

    init(_ database: FilePath, seed: UInt64) throws {
        (self.database, self.seed) = (database, seed)
        let connection = try SQLiteFile(database, .init(busyTimeout: .seconds(10)))
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB)")
        state = Mutex(State(actor: connection))
    }

    /// What it did.
    var summary: String {
        state.withLock { state in
            "commits=\(state.commits) failures=\(state.failures.count) worst_ms=\(state.worst.components.attoseconds / 1_000_000_000_000_000 + state.worst.components.seconds * 1000) \(state.failures.prefix(3))"
        }
    }

    /// Begins to write, on a thread of its own.
    func start() {
        let thread = Thread { [self] in
            write()
            state.withLock { $0.hasEnded = true }
        }
        thread.name = "application"
        thread.start()
    }

    /// Ends writing.
    func stop() {
        state.withLock { $0.isStopping = true }
        while !state.withLock(\.hasEnded) { usleep(1000) }
    }

    /// Whether a write transaction can begin now.
    func canWrite() -> Bool {
        state.withLock { state in
            guard let actor = state.actor else { return false }
            do {
                try actor.setBusyTimeout(.zero)
                defer { try? actor.setBusyTimeout(.seconds(10)) }  // The next use tells.
                try actor.execute("BEGIN IMMEDIATE; ROLLBACK")
                return true
            } catch {
                return false
            }
        }
    }

    /// One commit (`w`), a TRUNCATE checkpoint (`t`), or the beginning or end of a read transaction (`r`), on the
    /// engine's thread. What finds locks in its way is left.
    func act(_ kind: Character) {
        state.withLock { state in
            guard let actor = state.actor else { return }
            do {
                try actor.setBusyTimeout(.milliseconds(20))
                switch kind {
                case "w": try actor.execute("BEGIN IMMEDIATE; INSERT INTO item(body) VALUES (randomblob(300)); COMMIT")
                case "t": try actor.checkpoint(.truncate)
                default:
                    if let reader = state.reader {
                        reader.close()
                        state.reader = nil
                    } else {
                        let reader = try SQLiteFile(database, .init(creates: false))
                        try reader.execute("BEGIN; SELECT count(*) FROM item")
                        state.reader = reader
                    }
                }
            } catch {
                if actor.isInTransaction { try? actor.execute("ROLLBACK") }  // It is over in any case.
            }
        }
    }

    private func write() {
        var random = SeededGenerator(seed: seed)
        do {
            let connection = try SQLiteFile(
                database,
                .init(busyTimeout: .seconds(10), autocheckpoint: random.pick([(1, 0), (1, 30), (1, 1000)]))
            )
            try connection.execute("PRAGMA synchronous = NORMAL")
            while !state.withLock(\.isStopping) {
                let start = ContinuousClock.now
                do {
                    try round(connection, &random)
                } catch {
                    state.withLock { $0.failures.append("\(error)") }
                    say("application-failed \(error)")
                    if connection.isInTransaction { try? connection.execute("ROLLBACK") }  // Told already.
                }
                let time = start.duration(to: .now)
                state.withLock { $0.worst = max($0.worst, time) }
                usleep(.random(in: 0..<4000, using: &random))
            }
        } catch {
            say("application-failed \(error)")
        }
    }

    private func round(_ connection: SQLiteFile, _ random: inout SeededGenerator) throws {
        if random.happens(0.03) {
            try connection.setBusyTimeout(.milliseconds(20))
            let mode = SQLiteFile.CheckpointMode.allCases.randomElement(using: &random) ?? .passive
            do { try connection.checkpoint(mode) } catch { guard error.isBusy else { throw error } }
            return try connection.setBusyTimeout(.seconds(10))
        }
        let rows = random.happens(0.05) ? 40 : Int.random(in: 1...3, using: &random)
        try connection.transaction {
            for _ in 0..<rows {
                let body = random.bytes(.random(in: 0..<900, using: &random))
                try connection.query("INSERT INTO item(owner, body) VALUES (1, ?)", [.blob(body)])
            }
            try connection.execute("DELETE FROM item WHERE id < (SELECT max(id) - 400 FROM item)")
        }
        state.withLock { $0.commits += 1 }
    }
}
