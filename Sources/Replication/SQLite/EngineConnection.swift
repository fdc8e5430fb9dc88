import CSQLite
import SQLiteFormat
import Synchronization

/// One connection of the capture engine to the application's database.
///
/// It never writes, checkpoints only when told, never waits for a lock by itself, and its close leaves the
/// write-ahead log alone (capture-review C1). It belongs to one thread at a time; only ``interrupt()`` may be called
/// from another.
final class EngineConnection {
    /// The database's path.
    let path: String
    private let handle: OpaquePointer
    private let readStatement: OpaquePointer

    /// Whether a read transaction of ours is open.
    private(set) var isReading = false

    /// Opens an existing database.
    init(path: String) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let failure = Self.failure(code, handle, "opening \(path)")
            sqlite3_close_v2(handle)
            throw failure
        }
        sqlite3_extended_result_codes(handle, 1)
        var statement: OpaquePointer?
        do {
            try Self.check(csqlite_disable_lookaside(handle), handle, "configuring \(path)")
            try Self.check(csqlite_disable_checkpoint_on_close(handle), handle, "configuring \(path)")
            try Self.run("PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=8", handle, path)
            // Reads a page, hence takes the read lock, and needs no schema.
            let code = unsafe sqlite3_prepare_v3(
                handle,
                "PRAGMA user_version",
                -1,
                UInt32(SQLITE_PREPARE_PERSISTENT),
                &statement,
                nil
            )
            try Self.check(code, handle, "reading \(path)")
        } catch {
            sqlite3_close_v2(handle)
            throw error
        }
        guard let statement else {
            sqlite3_close_v2(handle)
            throw SQLiteFailure(code: SQLITE_MISUSE, text: "no statement", action: "reading \(path)")
        }
        (self.path, self.handle, readStatement) = (path, handle, statement)
    }

    deinit {
        sqlite3_finalize(readStatement)
        sqlite3_close_v2(handle)
    }

    /// Begins a read transaction that sees the newest commit, and takes its lock on the wal-index.
    ///
    /// On any error the transaction is rolled back: nothing is held.
    func beginRead() throws(SQLiteFailure) {
        if isReading { endRead() }
        try Self.run("BEGIN", handle, path)
        let code = sqlite3_step(readStatement)
        let reset = sqlite3_reset(readStatement)
        guard code == SQLITE_ROW, reset == SQLITE_OK else {
            let failure = Self.failure(code == SQLITE_ROW ? reset : code, handle, "reading \(path)")
            sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw failure
        }
        isReading = true
    }

    /// Ends the read transaction, if one is open; its lock is gone afterwards.
    func endRead() {
        guard isReading else { return }
        // Ending a read transaction cannot fail: there is nothing to write.
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
        isReading = false
    }

    /// Takes the write lock without waiting: nobody else can commit until ``rollback()``.
    func beginImmediate() throws(SQLiteFailure) {
        try Self.run("BEGIN IMMEDIATE", handle, path)
    }

    /// Ends a write transaction that wrote nothing.
    func rollback() {
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }

    /// Copies frames into the database as far as readers allow; waits for nobody.
    ///
    /// - Returns: `false` where another connection is checkpointing.
    @discardableResult
    func checkpointPassive() throws(SQLiteFailure) -> Bool {
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        guard code != SQLITE_BUSY, code & 0xff != SQLITE_LOCKED else { return false }
        try Self.check(code, handle, "checkpointing \(path)")
        return true
    }

    /// Runs a RESTART checkpoint, which takes the write lock and waits for readers at most until `deadline`.
    ///
    /// - Returns: `false` where the readers did not leave in time, or another connection is checkpointing.
    func checkpointRestart(until deadline: ContinuousClock.Instant) throws(SQLiteFailure) -> Bool {
        let patience = Patience(deadline: deadline)
        // SAFETY: the handler is taken off below, before `patience` can go; SQLite calls it on this thread only.
        let context = Unmanaged.passUnretained(patience).toOpaque()
        unsafe sqlite3_busy_handler(
            handle,
            { context, _ in
                guard let context = unsafe context else { return 0 }
                let patience = unsafe Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue()
                guard ContinuousClock.now < patience.deadline else { return 0 }
                Blocking.sleep(.microseconds(500))
                return 1
            },
            context
        )
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
        unsafe sqlite3_busy_handler(handle, nil, nil)
        withExtendedLifetime(patience) {}
        if code == SQLITE_BUSY || code & 0xff == SQLITE_LOCKED || code & 0xff == SQLITE_INTERRUPT { return false }
        try Self.check(code, handle, "checkpointing \(path)")
        return true
    }

    /// Ends a running checkpoint of this connection soon; safe from any thread while the connection lives.
    func interrupt() { sqlite3_interrupt(handle) }

    /// Runs SQL and returns the first column of its first row as text.
    func scalar(_ sql: String) throws(SQLiteFailure) -> String? {
        var statement: OpaquePointer?
        try Self.check(unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil), handle, "running \(sql)")
        defer { sqlite3_finalize(statement) }
        switch sqlite3_step(statement) {
        case SQLITE_ROW:
            guard let text = unsafe sqlite3_column_text(statement, 0) else { return nil }
            // SAFETY: SQLite's text ends in a zero byte and lives until the statement is stepped or finalized.
            return unsafe String(cString: text)
        case SQLITE_DONE: return nil
        case let code: throw Self.failure(code, handle, "running \(sql)")
        }
    }

    /// The name of the VFS that serves the database file.
    func vfsName() -> String? {
        var name: UnsafeMutablePointer<CChar>?
        guard unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_VFSNAME, &name) == SQLITE_OK,
            let name = unsafe name
        else { return nil }
        defer { unsafe sqlite3_free(name) }
        // SAFETY: SQLite allocated the name as a C string.
        return unsafe String(cString: name)
    }

    /// SQLite's own handle of the database file.
    ///
    /// Reading through it opens no descriptor: closing one would drop the locks of every connection in this process.
    /// It lives as long as the connection.
    func databaseFile() throws(SQLiteFailure) -> SQLiteFileHandle {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        guard code == SQLITE_OK, let file = unsafe file else {
            throw Self.failure(code, handle, "finding the file handle of \(path)")
        }
        return unsafe SQLiteFileHandle(file: file, owner: self)
    }

    private static func run(_ sql: String, _ handle: OpaquePointer, _ path: String) throws(SQLiteFailure) {
        try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil), handle, "\(sql) on \(path)")
    }

    private static func check(_ code: Int32, _ handle: OpaquePointer, _ action: String) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw failure(code, handle, action) }
    }

    private static func failure(_ code: Int32, _ handle: OpaquePointer?, _ action: String) -> SQLiteFailure {
        // SAFETY: both functions return C strings that live until the connection's next call.
        let text =
            if let handle { unsafe String(cString: sqlite3_errmsg(handle)) } else {
                unsafe String(cString: sqlite3_errstr(code))
            }
        let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
        return SQLiteFailure(code: extended & 0xff == code & 0xff ? extended : code, text: text, action: action)
    }
}

/// Until when a busy handler lets SQLite wait.
private final class Patience {
    let deadline: ContinuousClock.Instant
    init(deadline: ContinuousClock.Instant) { self.deadline = deadline }
}
