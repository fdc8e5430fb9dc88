import CSQLite
package import LTX
import ObjectStorage
import SQLiteFormat
package import SystemPackage

extension CaptureEngine {
    /// The newest level-0 file of a replica, brought here: what a database without local state may go on from.
    package struct ReplicaHead: Sendable {
        /// A copy of the file in a temporary place; removed or moved by the engine.
        package var file: FilePath
        /// Its transaction.
        package var transaction: TransactionID
        /// The checksum of the database at that transaction, where the file tells it.
        package var mark: SourceMark?

        package init(file: FilePath, transaction: TransactionID, mark: SourceMark?) {
            (self.file, self.transaction, self.mark) = (file, transaction, mark)
        }
    }

    /// Opens the database, proves that the recorded position leads to what is there or takes a copy, and starts to
    /// capture (E1). From here on the log cannot begin anew without this engine having captured it.
    ///
    /// - Parameters:
    ///   - head: For a database without local files: the replica's newest file, if it is known by now.
    ///   - highest: The highest transaction in the replica, if it is known: numbers go on above it.
    /// - Throws: ``CaptureError``; nothing is held afterwards.
    package func attach(head: ReplicaHead? = nil, highest: TransactionID? = nil) throws {
        guard phase != .attached else { return }
        if let stopped { throw stopped }
        do {
            // What was fetched from the replica for this very start is one of those files.
            try openFiles(sweeps: !hasSwept && head == nil)
            try resume(head: head, highest: highest)
            phase = .attached
            watchFiles()
            turn()
        } catch {
            closeFiles()
            throw describe(error)
        }
    }

    private func openFiles(sweeps: Bool) throws {
        locksAreLost = false
        guard let before = try FileStatus(path: settings.database) else {
            throw CaptureError(.noDatabase, "There is no database at \(settings.database).")
        }
        guard before.isRegularFile else {
            throw CaptureError(.notADatabase, "\(settings.database) is not a file: name the database file itself.")
        }
        guard before.byteCount > 0 else {
            throw CaptureError(.noDatabase, "\(settings.database) is empty: it holds no database yet.")
        }
        let parent = try FileStatus(path: settings.database.removingLastComponent())
        folder = MetadataFolder(
            root: folder.root,
            fileMode: before.mode & 0o666 | 0o600,
            folderMode: (parent?.mode ?? 0o700) & 0o777 | 0o700
        )
        try Disk.makeFolders(folder.own, mode: folder.folderMode)
        do {
            lock = try folder.lock()
        } catch let failure as FileFailure {
            guard failure.errno == .wouldBlock || failure.errno == .resourceTemporarilyUnavailable else {
                throw failure
            }
            throw CaptureError(
                .alreadyReplicated,
                "\(settings.database) is being replicated by another process: stop that one first."
            )
        }
        // Attached anew, this process has files under way: a whole copy that waits, pages of a store that is looked at.
        try folder.prepare(sweeps: sweeps)
        hasSwept = hasSwept || sweeps
        try openConnections(device: before.identity.device)
    }

    private func openConnections(device: UInt64?) throws {
        // A network's locks and shared memory reach one machine only, the files more than one (B8).
        if let device, let kind = SharedFileSystem.name(ofDevice: device) {
            throw unsupported("lies on \(kind), where SQLite's WAL mode does not work: move it to a local disk")
        }
        let connection = try waiting(settings.busyTimeout) { () throws(SQLiteFailure) in try reader(0) }
        if let vfs = connection.vfsName(), vfs != "unix" {
            throw unsupported("is served by SQLite's VFS '\(vfs)', whose locks cannot be shared: use 'unix'")
        }
        guard !connection.isReadOnly else {
            throw CaptureError(
                .notReadable,
                "\(settings.database) can only be read: checkpoints need the permission to write it too."
            )
        }
        // Checked before the journal mode: SQLite would make a database of a file of a few bytes.
        var header = [UInt8](repeating: 0, count: DatabaseHeader.byteCount)
        unsafe try header.withUnsafeMutableBytes { unsafe _ = try connection.databaseFile().read(into: $0, at: 0) }
        guard unsafe DatabaseHeader(parsing: header.span.bytes) != nil else { throw notADatabase(cause: nil) }
        try requireWALMode(connection)
        guard let size = try connection.scalar("PRAGMA page_size").flatMap(Int.init).flatMap(PageSize.init(byteCount:))
        else { throw CaptureError(.notADatabase, "\(settings.database) has no page size that SQLite knows.") }
        pageSize = size
        softLimit = settings.softLimitFrames ?? UInt32((16 << 20) / (size.byteCount + 24))
        warnOfVersion(sqlite3_libversion_number())
    }

    /// Versions 3.7.0 to 3.51.2 have the WAL-reset bug, but for those into which the repair was brought.
    private func warnOfVersion(_ version: Int32) {
        let isRepaired =
            version >= 3_051_003 || (3_050_007..<3_051_000).contains(version)
            || (3_044_006..<3_045_000).contains(version)
        // SAFETY: SQLite's version is a static C string.
        if !isRepaired { onEvent(.sqliteVersionWarning(unsafe String(cString: sqlite3_libversion()))) }
    }

    private func notADatabase(cause: (any Error)?) -> CaptureError {
        CaptureError(
            .notADatabase,
            "\(settings.database) is not a SQLite database, or it is encrypted: name another file.",
            cause: cause
        )
    }

    private func unsupported(_ why: String) -> CaptureError {
        CaptureError(.unsupported, "\(settings.database) \(why).")
    }

    private func requireWALMode(_ connection: EngineConnection) throws {
        let mode = try connection.scalar("PRAGMA journal_mode") ?? ""
        guard mode != "wal" else { return }
        guard settings.switchesToWAL else {
            throw CaptureError(
                .notInWALMode,
                "\(settings.database) is in journal mode '\(mode)': run PRAGMA journal_mode=WAL once, then attach again."
            )
        }
        let switched = try waiting(settings.busyTimeout) { () throws(SQLiteFailure) in
            try connection.scalar("PRAGMA journal_mode=WAL")
        }
        guard switched == "wal" else {
            throw CaptureError(.notInWALMode, "\(settings.database) cannot be switched to WAL mode now.")
        }
        onEvent(.switchedToWAL)
    }

    /// Takes the read lock and decides how to go on from what is recorded.
    private func resume(head: ReplicaHead?, highest: TransactionID?) throws {
        let before = try FileStatus(path: settings.database)
        try begin(0, patience: settings.busyTimeout)
        current = 0
        unsafe walIndex = WALIndex(memory: try reader(0).databaseFile().sharedMemory())
        wal = try WALFile(database: settings.database)
        indexIdentity = try FileStatus(path: FilePath(settings.database.string + "-shm"))?.identity
        databaseIdentity = before?.identity
        try requireOneLibrary()
        reached(.attached)
        let look = try index()
        let after = try FileStatus(path: settings.database)
        databaseIdentity = after?.identity
        mayRestart = false
        let state = try loadLocalState()
        lastTransaction = state.last
        lastTimestamp = Timestamp(rawValue: state.header?.timestampMilliseconds ?? 0)
        lastFileChecksum = state.fileChecksum
        table = state.table
        tableStamp = state.tableStamp
        spooledByteCount = unshippedByteCount()
        guard state.last != nil else {
            if let highest { lastTransaction = highest }
            if let head, try adopt(head) { return }
            position = .start(of: look.salts)
            return try beginFirstCopy(.whole, Discontinuity(.noPosition))
        }
        do {
            guard state.isReadable else {
                try setAside(state.last)
                throw Discontinuity(.localFilesLost, "the newest file is damaged")
            }
            guard state.header?.pageSize == pageSize.byteCount else {
                throw Discontinuity(.anotherFile, "the page size changed to \(pageSize.byteCount)")
            }
            let (proof, start) = try prove(state, look: look, before: before, after: after)
            reached(.continuityJudged)
            position = start
            databaseSize = state.databaseSize
            if settings.variant == .attachTrustsRestart { mayRestart = true }
            // Exactly what the look showed: on READ0 the log may begin anew at any moment, and then this fails.
            let fresh = start.salts != look.salts
            if look.lastFrame > 0, fresh || look.lastFrame > start.frame {
                do {
                    try capture(settings.variant == .attachTrustsRestart ? nil : look)
                } catch let error as Discontinuity {
                    throw Discontinuity(.overwritten, error.description)
                }
            }
            mayRestart = true
            onEvent(.continued(proof: proof, position: "\(position.frame)"))
            if table == nil {
                try beginCopy(.table, cause: Discontinuity(.noPosition, "no page table"))
            } else if let record = state.record, record.bootID != BootID.current {
                // The log is as it was, but the database file need not be: it is compared with the table once (E4).
                try beginFirstCopy(.difference, Discontinuity(.rebooted))
            }
        } catch let error as Discontinuity {
            reached(.continuityJudged)
            position = .start(of: look.salts)
            try beginFirstCopy(table == nil ? .whole : .difference, error)
        }
    }

    /// Begins a copy at attach; one that finds the log changing under it is tried again by a later turn.
    private func beginFirstCopy(_ kind: CopyKind, _ cause: Discontinuity) throws {
        do {
            try beginCopy(kind, cause: cause)
        } catch let error as Discontinuity {
            failed(error)
        }
    }

    /// Takes a damaged file out of the history, so that it is never shipped.
    private func setAside(_ id: TransactionID?) throws {
        guard let id else { return }
        let path = folder.transactionFile(id)
        try Disk.rename(path, to: FilePath(path.string + ".damaged"))
    }

    private func prove(
        _ state: LocalState,
        look: WALIndexHeader,
        before: FileStatus?,
        after: FileStatus?
    ) throws -> (proof: String, position: WALPosition) {
        let reader = try WALReader(file: walFile(), buffer: buffer)
        guard let record = state.record else {
            let takeover = TakeoverProof(header: state.header, source: state.source, look: look, pageSize: pageSize)
            return ("takeover", try takeover.prove(reader))
        }
        let continuity = Continuity(
            record: record,
            reader: reader,
            file: try walFile(),
            now: look,
            statusBefore: before,
            statusAfter: after,
            pageSize: pageSize,
            variant: settings.variant
        )
        let (proof, position) = try continuity.prove()
        return (proof.rawValue, position)
    }

    /// Goes on from the replica's newest file if the database is in that very state; otherwise copies it whole.
    private func adopt(_ head: ReplicaHead) throws -> Bool {
        guard head.mark != nil else {
            try Disk.remove(head.file)
            return false
        }
        adoptable = head
        try beginCopy(.table, cause: Discontinuity(.noPosition, "restored without its metadata"))
        let look = try index()
        position = WALPosition(salts: look.salts, frame: look.lastFrame, checksum: look.checksum)
        databaseSize = copy?.scan.pageCount ?? 0
        mayRestart = true
        return true
    }

    /// Frees everything; the database's own state stays as it is.
    func closeFiles() {
        abandonCopy()
        dropCaptures()
        for watch in watches + [logWatch].compactMap(\.self) { notifier?.remove(watch) }
        (watches, logWatch, isWatchingWAL) = ([], nil, false)
        walIndex = nil
        for reader in readers { reader?.endRead() }
        (readers, gate, checkpointer) = ([nil, nil], nil, nil)
        (wal, lock, databaseIdentity) = (nil, nil, nil)
        (table, tableStamp, adoptable, indexIdentity) = (nil, nil, nil, nil)
        (copyDue, copyAfter, closeAfter, unshippedCopy) = (nil, nil, nil, nil)
        (books, booksAfter) = (Books(), nil)
        (fenceSince, rotatedAt, backfill, eventAt, failures) = (nil, nil, nil, nil, 0)
        (needsRestart, isLogFolderSynced, shrinkAt) = (false, false, nil)
        buffer.release()
        phase = .detached
    }

    /// A failure in words that name the database and the next step.
    func describe(_ error: any Error) -> any Error {
        switch error {
        case let failure as SQLiteFailure:
            if failure.isNotADatabase {
                return notADatabase(cause: failure)
            }
            if failure.isBusy {
                return CaptureError(
                    .databaseBusy,
                    "\(settings.database) is locked by another process, perhaps with locking_mode=EXCLUSIVE.",
                    cause: failure
                )
            }
            if [SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH].contains(failure.code & 0xff) {
                return CaptureError(
                    .notReadable,
                    "\(settings.database) cannot be opened for reading and writing: check the permissions of the file, "
                        + "its -wal and -shm, and its folder.",
                    cause: failure
                )
            }
            if failure.code & 0xff == SQLITE_FULL {
                return CaptureError(
                    .diskFull,
                    "The disk that holds \(settings.database) is full: free some space.",
                    cause: failure
                )
            }
            return CaptureError(
                .fileSystem,
                "\(settings.database) cannot be used: check the disk and the permissions.",
                cause: failure
            )
        case let failure as FileFailure:
            let code: CaptureError.Code =
                failure.isDiskFull ? .diskFull : failure.isPermission ? .notReadable : .fileSystem
            let advice =
                failure.isDiskFull
                ? "The disk that holds \(failure.path) is full: free some space."
                : "\(settings.database) cannot be replicated: check \(failure.path)."
            return CaptureError(code, advice, cause: failure)
        case let failure as LTXError where failure.cause is FileFailure:
            // The writer only passes on what its file said.
            return failure.cause.map(describe) ?? failure
        case let failure as Errno:
            return CaptureError(
                .fileSystem,
                "A file of \(settings.database) cannot be read: check the disk and the permissions.",
                cause: failure
            )
        case let failure as Discontinuity:
            return CaptureError(
                .databaseBusy,
                "\(settings.database) changes in a way that cannot be followed; it is read anew.",
                cause: failure
            )
        default: return error
        }
    }
}
