import CSQLite

/// A result code of SQLite with its words, as the engine's connections throw it.
struct SQLiteFailure: Error, Sendable, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    /// What SQLite says of it.
    let text: String
    /// What was being done.
    let action: String

    /// Whether trying again soon is the answer: another connection holds a lock, or is rebuilding the wal-index.
    var isBusy: Bool {
        let primary = code & 0xff
        return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL
    }

    /// Whether the file is not a database that this library can read.
    var isNotADatabase: Bool { code & 0xff == SQLITE_NOTADB }

    var description: String { "\(action): \(text) (SQLite \(code))" }
}
