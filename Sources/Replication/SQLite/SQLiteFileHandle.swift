import CSQLite
import Synchronization

/// SQLite's own handle of an open database file, for reading pages and the wal-index past its pager.
///
/// POSIX drops all of a process's locks on a file when any descriptor of it is closed, so the engine opens none of
/// its own on a database or its `-shm` (capture-review, break 2).
///
/// `@unchecked Sendable`: from other threads than the owner's only ``read(into:at:)`` and ``sync()`` are called: `pread`,
/// one call at a time under ``lock``, and `fsync`, on a descriptor that stays open since `owner` does.
@safe final class SQLiteFileHandle: @unchecked Sendable {
    private let file: UnsafeMutablePointer<sqlite3_file>
    private let owner: EngineConnection
    private let lock = Mutex(())

    init(file: UnsafeMutablePointer<sqlite3_file>, owner: EngineConnection) {
        unsafe self.file = unsafe file
        self.owner = owner
    }

    /// Fills `buffer` from `offset`; what lies behind the end of the file reads as zeros.
    ///
    /// - Returns: `false` where the file ended within the buffer.
    @discardableResult
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SQLiteFailure) -> Bool {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return true }
        // SAFETY: SQLite's method table lives as long as the file; the buffer is ours for the call.
        let code = lock.withLock { _ in
            unsafe file.pointee.pMethods.pointee.xRead(file, base, Int32(buffer.count), offset)
        }
        if code == csqlite_ioerr_short_read { return false }
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, text: "reading at byte \(offset)", action: "reading \(owner.path)")
        }
        return true
    }

    /// The size of the database file in bytes.
    func byteCount() throws(SQLiteFailure) -> Int64 {
        var size: sqlite3_int64 = 0
        let code = unsafe file.pointee.pMethods.pointee.xFileSize(file, &size)
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, text: "file size", action: "reading \(owner.path)")
        }
        return size
    }

    /// Makes the database file durable.
    func sync() throws(SQLiteFailure) {
        let code = unsafe file.pointee.pMethods.pointee.xSync(file, SQLITE_SYNC_NORMAL)
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, text: "fsync", action: "syncing \(owner.path)")
        }
    }

    /// The start of the wal-index, mapped and shared with every other connection.
    ///
    /// Valid as long as the owner is open in WAL mode; call it only after a read transaction began.
    func sharedMemory() throws(SQLiteFailure) -> UnsafeRawPointer {
        var region: UnsafeMutableRawPointer?
        let code = unsafe file.pointee.pMethods.pointee.xShmMap(file, 0, 32768, 0, &region)
        guard code == SQLITE_OK, let region = unsafe region else {
            throw SQLiteFailure(code: code, text: "the wal-index is not mapped", action: "reading \(owner.path)-shm")
        }
        return UnsafeRawPointer(region)
    }

    /// A block of the wal-index, 32 KiB, mapped and shared with every other connection; made where there is none yet.
    ///
    /// Valid as long as the owner is open in WAL mode.
    func sharedMemory(region: Int) throws(SQLiteFailure) -> UnsafeMutableRawPointer {
        var memory: UnsafeMutableRawPointer?
        let code = unsafe file.pointee.pMethods.pointee.xShmMap(file, Int32(region), 32768, 1, &memory)
        guard code == SQLITE_OK, let memory = unsafe memory else {
            throw SQLiteFailure(code: code, text: "the wal-index is not mapped", action: "opening \(owner.path)-shm")
        }
        return unsafe UnsafeMutableRawPointer(mutating: UnsafeRawPointer(memory))
    }

    /// Takes the wal-index's write lock, lock 0 of those in SQLite's "WAL-mode file format", without waiting.
    ///
    /// The owner must have the wal-index open, and must not be in a transaction.
    ///
    /// - Returns: `false` where another connection holds it.
    func lockWriters() throws(SQLiteFailure) -> Bool {
        let flags = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE
        let code = unsafe file.pointee.pMethods.pointee.xShmLock(file, 0, 1, flags)
        if code & 0xff == SQLITE_BUSY { return false }
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, text: "locking", action: "locking writers of \(owner.path)")
        }
        return true
    }

    /// Gives the write lock back.
    func unlockWriters() throws(SQLiteFailure) {
        let code = unsafe file.pointee.pMethods.pointee.xShmLock(file, 0, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, text: "unlocking", action: "unlocking writers of \(owner.path)")
        }
    }
}
