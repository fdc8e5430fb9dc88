import GRDBSQLite
public import SystemPackage

/// One connection to a database, through SQLite's C interface and nothing else.
///
/// Use it from one task at a time. It closes with this object. The pointer it keeps is used by its own methods alone.
@safe public final class SQLiteFile {
    /// The database's path.
    public let path: FilePath
    private var connection: OpaquePointer?

    /// How a connection is opened.
    public struct Options: Sendable {
        /// Whether the file is made where there is none.
        public var creates = true
        /// Whether the connection only reads.
        public var isReadOnly = false
        /// How long a statement waits for other connections; zero: not at all.
        public var busyTimeout: Duration = .seconds(5)
        /// After how many frames of the WAL a commit checkpoints; 0: never; `nil`: SQLite's default.
        public var autocheckpoint: Int?

        /// Creates the default options: read, write and create, 5 s busy timeout, SQLite's auto-checkpoint.
        public init(
            creates: Bool = true,
            isReadOnly: Bool = false,
            busyTimeout: Duration = .seconds(5),
            autocheckpoint: Int? = nil
        ) {
            (self.creates, self.isReadOnly, self.busyTimeout) = (creates, isReadOnly, busyTimeout)
            self.autocheckpoint = autocheckpoint
        }
    }

    /// Opens a database.
    public init(_ path: FilePath, _ options: Options = Options()) throws(SQLiteFailure) {
        self.path = path
        let create = options.creates ? SQLITE_OPEN_CREATE : 0
        let flags = options.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | create
        // SAFETY: `connection` outlives the call; a connection that was opened is closed by `close`, also after errors.
        let code = unsafe sqlite3_open_v2(path.string, &connection, flags | SQLITE_OPEN_FULLMUTEX, nil)
        guard code == SQLITE_OK else {
            let failure = failure(code, "open \(path)")
            close()
            throw failure
        }
        try setBusyTimeout(options.busyTimeout)
        // SAFETY: an open connection.
        unsafe sqlite3_extended_result_codes(connection, 1)
        if let frames = options.autocheckpoint { try execute("PRAGMA wal_autocheckpoint = \(frames)") }
    }

    deinit { close() }

    /// Closes the connection; statements after this fail.
    public func close() {
        // SAFETY: closed once; statements are all finalised at the end of `run`.
        unsafe sqlite3_close_v2(connection)
        unsafe connection = nil
    }

    /// Sets how long a statement waits for other connections.
    public func setBusyTimeout(_ timeout: Duration) throws(SQLiteFailure) {
        let (seconds, attoseconds) = timeout.components
        // SAFETY: an open connection.
        let code = unsafe sqlite3_busy_timeout(connection, Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
        guard code == SQLITE_OK else { throw failure(code, "busy_timeout") }
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool {
        // SAFETY: an open connection.
        unsafe sqlite3_get_autocommit(connection) == 0
    }

    /// Runs one or more statements without values; rows are left aside.
    public func execute(_ sql: String) throws(SQLiteFailure) {
        // SAFETY: an open connection, a C string that lives for the call.
        let code = unsafe sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    /// Runs one statement and gives all its rows.
    @discardableResult
    public func query(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteFailure) -> [[SQLiteValue]] {
        var rows: [[SQLiteValue]] = []
        try run(sql, values) { rows.append($0) }
        return rows
    }

    /// The first value of the first row; `nil` where there is no row.
    public func scalar(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteFailure) -> SQLiteValue? {
        try query(sql, values).first?.first
    }

    /// The first value of the first row, which must be an integer.
    public func integer(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteFailure) -> Int64 {
        guard let number = try scalar(sql, values)?.integer else { throw failure(SQLITE_MISMATCH, sql) }
        return number
    }

    /// Runs one statement and calls `row` with each of its rows.
    public func run(
        _ sql: String,
        _ values: [SQLiteValue] = [],
        row: ([SQLiteValue]) -> Void
    ) throws(SQLiteFailure) {
        var statement: OpaquePointer?
        // SAFETY: an open connection; the statement is finalised below, on every way out.
        let prepared = unsafe sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard prepared == SQLITE_OK else { throw failure(prepared, sql) }
        defer { unsafe sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            let code = unsafe value.bind(to: statement, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw failure(code, sql) }
        }
        while true {
            let code = unsafe sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw failure(code, sql) }
            let columns = unsafe sqlite3_column_count(statement)
            row((0..<columns).map { unsafe SQLiteValue(column: $0, of: statement) })
        }
    }

    /// Runs `body` in a transaction that takes the write lock at once; rolls back if it throws.
    public func transaction(_ body: () throws -> Void) throws {
        try execute("BEGIN IMMEDIATE")
        do {
            try body()
            try execute("COMMIT")
        } catch {
            // SQLite may have rolled back by itself, on a full disk for example.
            if isInTransaction { try execute("ROLLBACK") }
            throw error
        }
    }

    private func failure(_ code: Int32, _ attempt: String) -> SQLiteFailure {
        // SAFETY: SQLite gives a C string that lives until the next call on this connection, and accepts nil.
        let message = unsafe String(cString: sqlite3_errmsg(connection))
        let extended = unsafe connection == nil ? code : sqlite3_extended_errcode(connection)
        return SQLiteFailure(code: extended & 0xff == code & 0xff ? extended : code, message: message, attempt: attempt)
    }
}

extension SQLiteFile {
    /// The modes of a checkpoint.
    public enum CheckpointMode: String, CaseIterable, Sendable {
        case passive, full, restart, truncate
    }

    /// Runs a checkpoint.
    ///
    /// - Returns: Whether it was kept from its end by others, the frames in the WAL, and those of them that are in the
    ///   database; -1 where SQLite does not say.
    @discardableResult
    public func checkpoint(_ mode: CheckpointMode) throws(SQLiteFailure) -> (isBusy: Bool, frames: Int, done: Int) {
        let row = try query("PRAGMA wal_checkpoint(\(mode.rawValue))").first ?? []
        let numbers = row.map { Int($0.integer ?? -1) }
        guard numbers.count == 3 else { throw failure(SQLITE_MISMATCH, "wal_checkpoint") }
        return (numbers[0] != 0, numbers[1], numbers[2])
    }

    /// What `PRAGMA integrity_check` says: `ok`, or up to 100 lines.
    public func integrityCheck() throws(SQLiteFailure) -> String {
        try query("PRAGMA integrity_check").compactMap { $0.first?.text }.joined(separator: "\n")
    }

    /// The database as this connection sees it now, WAL included; the file it would be after a whole checkpoint.
    ///
    /// In memory: for databases of a few megabytes.
    public func image() throws(SQLiteFailure) -> DatabaseImage {
        let pageSize = try integer("PRAGMA page_size")
        var size: sqlite3_int64 = 0
        // SAFETY: SQLite hands over `size` bytes that it allocated, which are copied and freed here.
        guard let bytes = unsafe sqlite3_serialize(connection, "main", &size, 0) else {
            throw failure(SQLITE_NOMEM, "serialize")
        }
        defer { unsafe sqlite3_free(bytes) }
        let copy = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: Int(size)))
        return DatabaseImage(pageSize: Int(pageSize), bytes: copy)
    }
}
