import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// The id of the next transaction file.
    var nextTransaction: TransactionID { lastTransaction?.next ?? .first }

    /// Makes what is captured a transaction file, durable in the local folder. Does nothing if there is nothing.
    ///
    /// If this throws, nothing that was captured is lost, and nothing was numbered.
    @discardableResult
    func closeCapture() throws -> TransactionID? {
        try finishClosing()
        guard let writing = try prepareClosing() else { return nil }
        try publish(try writing.run(), at: position, size: databaseSize)
        dropOpenCapture()
        closedAt = .now
        return lastTransaction
    }

    /// Makes the open capture a transaction file on a thread aside, while this one goes on capturing.
    func closeAside() throws {
        guard closing == nil, let writing = try prepareClosing() else { return }
        let new = ClosingCapture(writing, position: position)
        (closing, open) = (new, nil)
        closedAt = .now
        CopyLanes.closing.submit { [self] in
            new.run()
            executor.async { self.assumeIsolated { $0.closingEnded(new) } }
        }
    }

    /// The thread aside is done; on the engine's thread.
    private func closingEnded(_ ended: ClosingCapture) {
        guard closing === ended else { return }
        if let failure = ended.failure {
            failed(failure)
            closeAfter = .now + backoff
        } else {
            do {
                try postponing { try finishClosing() }
            } catch {
                discontinued(error)
            }
        }
        turn()
    }

    /// Waits for the capture that is closed aside, and gives it its number.
    ///
    /// If this throws, the capture is still there, to be written anew.
    func finishClosing() throws {
        guard let closing else { return }
        do {
            let written = try closing.takeFile()
            try publish(written, at: closing.position, size: closing.writing.capture.commitSize)
        } catch {
            closing.failed(error)
            throw error
        }
        self.closing = nil
        closing.removeSpills()
    }

    /// All that is needed to make the open capture the next transaction's file; `nil` if nothing can be closed.
    private func prepareClosing() throws -> CaptureWriting? {
        guard copy == nil, copyDue == nil, let capture = open, !capture.isEmpty, let table else { return nil }
        if let missing = capture.missingPage(lockPage: pageSize.lockPage) {
            throw Discontinuity(.pageMissing, "page \(missing) of \(capture.commitSize)")
        }
        try checkForForeignFiles()
        if !isLogFolderSynced {
            try Disk.syncFolder(settings.database.removingLastComponent())
            isLogFolderSynced = true
        }
        if !capture.spills.isEmpty { try spill(capture) }
        let fields = capture.walFields(upTo: position, pageSize: pageSize)
        return CaptureWriting(
            capture: capture,
            log: try walFile(),
            output: folder.temporaryFile("transaction"),
            mode: folder.fileMode,
            header: header(commit: capture.commitSize, time: capture.timestamp, fields: fields, checksum: 0),
            unchanged: table.checksum(of: capture.commitSize, without: capture.pageNumbers)
        )
    }

    /// The header of the next transaction's file.
    func header(commit: UInt32, time: Timestamp, fields: WALFields, checksum: UInt64) -> LTXHeader {
        lastTimestamp = max(lastTimestamp, time)
        var header = LTXHeader(
            pageSize: pageSize.byteCount,
            commit: commit,
            minTXID: nextTransaction,
            maxTXID: nextTransaction,
            timestampMilliseconds: lastTimestamp.rawValue,
            walOffset: fields.offset,
            walByteCount: fields.byteCount,
            walSalt1: fields.salts.first,
            walSalt2: fields.salts.second,
            sourceMark: SourceMark(checksum: checksum, epoch: settings.epoch)
        )
        header.nodeID = settings.node
        return header
    }

    /// Gives a written file its name, and makes it the position.
    ///
    /// If this throws, the file has no name and nothing has changed.
    func publish(_ written: WrittenFile, at position: WALPosition, size: UInt32) throws {
        let id = nextTransaction
        do {
            try folder.publish(written.path, as: id)
        } catch {
            try? Disk.remove(written.path)  // else the next start removes it
            guard (error as? FileFailure)?.errno == .fileExists else { throw error }
            throw foreignFile(id)
        }
        folderModified = try? FileStatus(path: folder.transactions)?.modified  // else it is listed next time
        reached(.fileWritten)
        lastTransaction = id
        lastFileChecksum = written.summary.fileChecksum
        switch written.change {
        case .replaced(let new): table = new
        case .changed(let pages):
            table?.resize(to: size)
            for (page, checksum) in pages { table?.set(page, checksum) }
        }
        spooledByteCount += written.summary.byteCount
        closedFiles.add(
            ClosedFile(
                header: written.summary.header,
                trailer: LTXTrailer(fileChecksum: written.summary.fileChecksum),
                byteCount: written.summary.byteCount
            )
        )
        books.isUnsettled = true
        note(position, size: size, quiet: nil)
        keepBooks()
        onEvent(.closed(transaction: id.rawValue, byteCount: written.summary.byteCount))
    }

    /// Looks whether somebody else has written a transaction file into our folder; it is listed only if it has changed
    /// since this engine's last file, for there may be hundreds in it.
    private func checkForForeignFiles() throws {
        let modified = try FileStatus(path: folder.transactions)?.modified
        if let modified, modified == folderModified { return }
        if let newest = try folder.transactionIDs().last, newest >= nextTransaction { throw foreignFile(newest) }
    }

    /// Somebody else has written a transaction file into our folder (H7).
    func foreignFile(_ id: TransactionID) -> CaptureError {
        CaptureError(
            .secondWriter,
            "\(folder.transactionFile(id)) was written by somebody else: stop the other replicator, then start again."
        )
    }

    /// What is still to be written about files that have their names. Nothing is lost if it fails: it is tried again,
    /// and a process that dies before costs a proof of continuity at most.
    struct Books {
        /// Whether the newest file's name is to be made durable.
        var isUnsettled = false
        var record: PositionRecord?
        var isTableDue = false

        var areDone: Bool { !isUnsettled && record == nil && !isTableDue }
    }

    /// Writes what is due.
    func keepBooks() {
        do {
            if books.isUnsettled {
                try folder.settle()
                books.isUnsettled = false
                onClosed()
            }
            if let record = books.record {
                // Not synced: a file without its record is derived again from the file itself.
                try Disk.overwrite(folder.positionFile, with: record.encoded(), mode: folder.fileMode)
                books.record = nil
                recorded = (record.transaction, record.position)
                quietRecorded = record.quiet != nil
                reached(.recordWritten)
            }
            if books.isTableDue { try storePageTable() }
            booksAfter = nil
        } catch {
            booksAfter = .now + backoff
            failed(error)
        }
    }

    /// Prepares the record of the newest transaction file.
    func note(_ position: WALPosition, size: UInt32, quiet: QuietMark?) {
        if let record = record(at: position, size: size, quiet: quiet) { books.record = record }
    }

    /// What is to be written down of a place of the log behind the newest transaction file; `nil` where there is no such file.
    func record(at position: WALPosition, size: UInt32, quiet: QuietMark? = nil) -> PositionRecord? {
        guard let lastTransaction, let databaseIdentity, let table else { return nil }
        return PositionRecord(
            transaction: lastTransaction,
            fileChecksum: lastFileChecksum,
            position: position,
            databaseSize: size,
            pageSize: pageSize,
            database: databaseIdentity,
            bootID: BootID.current,
            quiet: quiet,
            checksum: table.checksum
        )
    }

    /// Writes the page table, stamped with the newest transaction.
    package func storePageTable() throws {
        books.isTableDue = false
        guard let lastTransaction, let table, tableStamp != lastTransaction, copy == nil, copyDue == nil else { return }
        books.isTableDue = true
        let stored = StoredPageTable(
            transaction: lastTransaction,
            fileChecksum: lastFileChecksum,
            pageSize: pageSize,
            table: table
        )
        try Disk.replace(folder.pageTableFile, with: stored.encoded(), mode: folder.fileMode, durable: true)
        tableStamp = lastTransaction
        books.isTableDue = false
        reached(.pageTableWritten)
    }

    /// Writes down that everything is captured, closed and backfilled, once the file's time tells changes apart.
    ///
    /// Returns whether nothing more is to be done for that.
    func recordQuiet() throws -> Bool {
        guard !quietRecorded, lastTransaction != nil, copy == nil, copyDue == nil, mayRestart, hasNothingOpen
        else { return true }
        let look = try index()
        guard look.isBackfilled,
            look.lastFrame == 0 || look.salts == position.salts && look.lastFrame == position.frame,
            let status = try FileStatus(path: settings.database)
        else { return true }
        let now = Timestamp.now.rawValue * 1_000_000
        guard now - max(status.modified, status.changed) > 20_000_000 else { return false }
        note(position, size: databaseSize, quiet: QuietMark(status))
        keepBooks()
        return books.record == nil
    }
}
