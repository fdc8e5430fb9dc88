import GRDBSQLite

extension SQLiteValue {
    /// Reads a column of the row that `statement` stands on.
    init(column: Int32, of statement: OpaquePointer?) {
        // SAFETY: the statement stands on a row that has this column. Pointers live until the next call on it; the bytes
        // are copied at once, and `sqlite3_column_bytes` is asked after the pointer, as SQLite wants it.
        switch unsafe sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: self = unsafe .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: self = unsafe .real(sqlite3_column_double(statement, column))
        case SQLITE_NULL: self = .null
        case SQLITE_TEXT:
            let start = unsafe sqlite3_column_text(statement, column)
            let count = unsafe Int(sqlite3_column_bytes(statement, column))
            self = unsafe .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        default:
            let start = unsafe sqlite3_column_blob(statement, column)
            let count = unsafe Int(sqlite3_column_bytes(statement, column))
            self = unsafe .blob([UInt8](UnsafeRawBufferPointer(start: start, count: count)))
        }
    }

    /// Binds the value to a parameter, counted from one, and returns SQLite's result code.
    func bind(to statement: OpaquePointer?, at index: Int32) -> Int32 {
        // SAFETY: a prepared statement; SQLITE_TRANSIENT (-1) has SQLite copy the bytes before the call returns.
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch self {
        case .null: return unsafe sqlite3_bind_null(statement, index)
        case .integer(let value): return unsafe sqlite3_bind_int64(statement, index, value)
        case .real(let value): return unsafe sqlite3_bind_double(statement, index, value)
        case .text(let value): return unsafe sqlite3_bind_text(statement, index, value, -1, transient)
        case .blob(let value):
            guard !value.isEmpty else { return unsafe sqlite3_bind_zeroblob(statement, index, 0) }
            return unsafe value.withUnsafeBytes { bytes in
                unsafe sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(bytes.count), transient)
            }
        }
    }
}
