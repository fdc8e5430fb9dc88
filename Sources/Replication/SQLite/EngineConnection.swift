import CSQLite
import SQLiteFormat
import Synchronization

/// One connection of the capture engine to the application's database.
///
/// It never writes, checkpoints only when told, never waits for a lock by itself, and its close leaves the
/// write-ahead log alone (capture-review C1). It belongs to one thread at a time; only ``interrupt()`` may be called
/// from another.
@safe final class EngineConnection {
    /// The database's path.
    let path: String
    private let handle: OpaquePointer
    private let readStatement: OpaquePointer

    /// Whether a read transaction of ours is open.
    private(set) var isReading = false

    private var hasOpenedLog = false

    /// Opens an existing database.
    init(path: String) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            let failure = unsafe Self.failure(code, handle, "opening \(path)")
            unsafe sqlite3_close_v2(handle)
            throw failure
        }
        unsafe sqlite3_extended_result_codes(handle, 1)
        var statement: OpaquePointer?
        do {
            unsafe try Self.check(csqlite_disable_lookaside(handle), handle, "configuring \(path)")
            unsafe try Self.check(csqlite_disable_checkpoint_on_close(handle), handle, "configuring \(path)")
            unsafe try Self.check(sqlite3_wal_autocheckpoint(handle, 0), handle, "configuring \(path)")
            // Reads a page, hence takes the read lock, and needs no schema.
            let code = unsafe sqlite3_prepare_v3(
                handle,
                "PRAGMA user_version",
                -1,
                UInt32(SQLITE_PREPARE_PERSISTENT),
                &statement,
                nil
            )
            unsafe try Self.check(code, handle, "reading \(path)")
        } catch {
            unsafe sqlite3_close_v2(handle)
            throw error
        }
        guard let statement = unsafe statement else {
            unsafe sqlite3_close_v2(handle)
            throw SQLiteFailure(code: SQLITE_MISUSE, text: "no statement", action: "reading \(path)")
        }
        unsafe (self.path, self.handle, readStatement) = (path, handle, statement)
    }

    deinit {
        unsafe sqlite3_finalize(readStatement)
        unsafe sqlite3_close_v2(handle)
    }

    /// Begins a read transaction that sees the newest commit, and takes its lock on the wal-index.
    ///
    /// On any error the transaction is rolled back: nothing is held.
    func beginRead() throws(SQLiteFailure) {
        if isReading { endRead() }
        unsafe try Self.run("BEGIN", handle, path)
        let code = unsafe sqlite3_step(readStatement)
        let reset = unsafe sqlite3_reset(readStatement)
        guard code == SQLITE_ROW, reset == SQLITE_OK else {
            let failure = unsafe Self.failure(code == SQLITE_ROW ? reset : code, handle, "reading \(path)")
            unsafe sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
            throw failure
        }
        isReading = true
    }

    /// Ends the read transaction, if one is open; its lock is gone afterwards.
    func endRead() {
        guard isReading else { return }
        // Ending a read transaction cannot fail: there is nothing to write.
        unsafe sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
        isReading = false
    }

    /// Takes the write lock without waiting: nobody else can commit until ``unlockWriters()``.
    ///
    /// Not by `BEGIN IMMEDIATE`: that reads a page first, and gives up if anybody commits between this and the lock,
    /// so a writer at full speed, who leaves gaps of microseconds, would hardly ever let it pass.
    ///
    /// - Returns: `false` where somebody else holds it.
    func lockWriters() throws(SQLiteFailure) -> Bool {
        guard try canOpenLog() else { return false }
        return try databaseFile().lockWriters()
    }

    /// Gives the write lock back.
    func unlockWriters() throws(SQLiteFailure) { try databaseFile().unlockWriters() }

    /// Copies frames into the database as far as readers allow; waits for nobody.
    ///
    /// - Returns: `false` where another connection is checkpointing.
    @discardableResult
    func checkpointPassive() throws(SQLiteFailure) -> Bool {
        guard try canOpenLog() else { return false }
        var frames: Int32 = -1
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, nil)
        guard code != SQLITE_BUSY, code & 0xff != SQLITE_LOCKED else { return false }
        try unsafe Self.check(code, handle, "checkpointing \(path)")
        return frames >= 0
    }

    /// Makes sure that this connection has the write-ahead log open.
    ///
    /// A checkpoint on a connection that has never read does nothing, takes no lock, and reports success: as a fence
    /// against other checkpointers it would be worth nothing.
    ///
    /// - Returns: `false` where a lock of others was in the way.
    private func canOpenLog() throws(SQLiteFailure) -> Bool {
        guard !hasOpenedLog, !isReading else { return true }
        do {
            try beginRead()
        } catch {
            guard error.isBusy else { throw error }
            return false
        }
        endRead()
        hasOpenedLog = true
        return true
    }

    /// Runs a RESTART checkpoint, which takes the write lock and waits for readers at most until `deadline`, or until
    /// `isOver` says that there is nothing to wait for.
    ///
    /// - Parameter truncates: Whether the log's file gives its room back, too (TRUNCATE).
    /// - Returns: `false` where the readers did not leave in time, or another connection is checkpointing.
    func checkpointRestart(
        until deadline: ContinuousClock.Instant,
        truncates: Bool = false,
        unless isOver: @escaping @Sendable () -> Bool
    ) throws(SQLiteFailure) -> Bool {
        guard try canOpenLog() else { return false }
        let patience = Patience(deadline: deadline, isOver: isOver)
        // SAFETY: the handler is taken off below, before `patience` can go; SQLite calls it on this thread only.
        let context = unsafe Unmanaged.passUnretained(patience).toOpaque()
        unsafe sqlite3_busy_handler(
            handle,
            { context, _ in
                guard let context = unsafe context else { return 0 }
                let patience = unsafe Unmanaged<Patience>.fromOpaque(context).takeUnretainedValue()
                guard ContinuousClock.now < patience.deadline, !patience.isOver() else { return 0 }
                Blocking.sleep(.microseconds(500))
                return 1
            },
            context
        )
        let mode = truncates ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        unsafe sqlite3_busy_handler(handle, nil, nil)
        withExtendedLifetime(patience) {}
        if code == SQLITE_BUSY || code & 0xff == SQLITE_LOCKED || code & 0xff == SQLITE_INTERRUPT { return false }
        unsafe try Self.check(code, handle, "checkpointing \(path)")
        return true
    }

    /// Ends a running checkpoint of this connection soon; safe from any thread while the connection lives.
    func interrupt() { unsafe sqlite3_interrupt(handle) }

    /// Runs SQL and returns the first column of its first row as text.
    func scalar(_ sql: String) throws(SQLiteFailure) -> String? {
        var statement: OpaquePointer?
        unsafe try Self.check(unsafe sqlite3_prepare_v2(handle, sql, -1, &statement, nil), handle, "running \(sql)")
        defer { unsafe sqlite3_finalize(statement) }
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW:
            guard let text = unsafe sqlite3_column_text(statement, 0) else { return nil }
            // SAFETY: SQLite's text ends in a zero byte and lives until the statement is stepped or finalized.
            return unsafe String(cString: text)
        case SQLITE_DONE: return nil
        case let code: throw unsafe Self.failure(code, handle, "running \(sql)")
        }
    }

    /// Whether the file, or its index, can only be read.
    var isReadOnly: Bool { unsafe sqlite3_db_readonly(handle, "main") != 0 }

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
            throw unsafe Self.failure(code, handle, "finding the file handle of \(path)")
        }
        return unsafe SQLiteFileHandle(file: file, owner: self)
    }

    private static func run(_ sql: String, _ handle: OpaquePointer, _ path: String) throws(SQLiteFailure) {
        unsafe try check(unsafe sqlite3_exec(handle, sql, nil, nil, nil), handle, "\(sql) on \(path)")
    }

    private static func check(_ code: Int32, _ handle: OpaquePointer, _ action: String) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw unsafe failure(code, handle, action) }
    }

    private static func failure(_ code: Int32, _ handle: OpaquePointer?, _ action: String) -> SQLiteFailure {
        // SAFETY: both functions return C strings that live until the connection's next call.
        let text =
            if let handle = unsafe handle { unsafe String(cString: sqlite3_errmsg(handle)) } else {
                unsafe String(cString: sqlite3_errstr(code))
            }
        let extended = unsafe handle.map { unsafe sqlite3_extended_errcode($0) } ?? code
        return SQLiteFailure(code: extended & 0xff == code & 0xff ? extended : code, text: text, action: action)
    }
}

/// Until when a busy handler lets SQLite wait.
private final class Patience {
    let deadline: ContinuousClock.Instant
    let isOver: @Sendable () -> Bool

    init(deadline: ContinuousClock.Instant, isOver: @escaping @Sendable () -> Bool) {
        (self.deadline, self.isOver) = (deadline, isOver)
    }
}
