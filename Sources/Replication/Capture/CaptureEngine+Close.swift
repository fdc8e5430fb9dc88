import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// The id of the next transaction file.
    var nextTransaction: TransactionID { lastTransaction?.next ?? .first }

    /// Makes the open capture a transaction file, durable in the local folder. Does nothing if there is none.
    ///
    /// If this throws, the capture stays open, and nothing was numbered.
    @discardableResult
    func closeCapture() throws -> TransactionID? {
        guard copy == nil, copyDue == nil, let capture = open, !capture.isEmpty, table != nil else { return nil }
        if let missing = capture.missingPage(lockPage: pageSize.lockPage) {
            throw Discontinuity(.pageMissing, "page \(missing) of \(capture.commitSize)")
        }
        if let newest = try folder.transactionIDs().last, newest >= nextTransaction { throw foreignFile(newest) }
        // The database must not be behind what leaves the host (B11).
        try walFile().sync()
        if !isLogFolderSynced {
            try Disk.syncFolder(settings.database.removingLastComponent())
            isLogFolderSynced = true
        }
        let written = try write(capture)
        try publish(written, at: position, size: databaseSize)
        dropOpenCapture()
        return lastTransaction
    }

    /// A transaction file that is complete but has no name yet.
    struct WrittenFile {
        var path: FilePath
        var summary: LTXFileSummary
        var table: PageTable
    }

    /// Writes the images of `capture` as the next transaction.
    func write(_ capture: OpenCapture) throws -> WrittenFile {
        guard var table else { throw Discontinuity(.noPosition) }
        if !capture.spills.isEmpty {
            try spill(capture)
            return try mergeSpills(of: capture, over: table)
        }
        let path = folder.temporaryFile("transaction")
        var writer = try LTXWriter(
            pageSize: pageSize.byteCount,
            sink: TransactionFileSink(path: path, mode: folder.fileMode)
        )
        do {
            var block = FrameBlock(pageSize: pageSize.byteCount)
            table.resize(to: capture.commitSize)
            for page in capture.pages.pageNumbers {
                capture.pages.withImage(of: page) { image in
                    let remainder = block.append(pageNumber: page, page: image)
                    let checksum = DatabaseChecksum.page(
                        number: page,
                        remainder: remainder,
                        pageSize: pageSize.byteCount
                    )
                    table.set(page, checksum)
                }
                if block.byteCount >= 512 << 10 {
                    try writer.append(block)
                    block.removeAll()
                }
            }
            try writer.append(block)
            let summary = try writer.finish(header: header(of: capture, checksum: table.checksum))
            try writer.sink.complete()
            return WrittenFile(path: path, summary: summary, table: table)
        } catch {
            writer.sink.discard()
            throw error
        }
    }

    /// The header of the next transaction's file.
    func header(of capture: OpenCapture, checksum: UInt64) -> LTXHeader {
        let fields = capture.walFields(upTo: position, pageSize: pageSize)
        return header(commit: capture.commitSize, time: capture.timestamp, fields: fields, checksum: checksum)
    }

    func header(commit: UInt32, time: Timestamp, fields: WALFields, checksum: UInt64) -> LTXHeader {
        lastTimestamp = max(lastTimestamp, time)
        return LTXHeader(
            pageSize: pageSize.byteCount,
            commit: commit,
            minTXID: nextTransaction,
            maxTXID: nextTransaction,
            timestampMilliseconds: lastTimestamp.rawValue,
            walOffset: fields.offset,
            walByteCount: fields.byteCount,
            walSalt1: fields.salts.first,
            walSalt2: fields.salts.second,
            sourceMark: SourceMark(checksum: checksum)
        )
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
        reached(.fileWritten)
        lastTransaction = id
        lastFileChecksum = written.summary.fileChecksum
        table = written.table
        spooledByteCount += written.summary.byteCount
        books.unsettled = written.path
        note(position, size: size, quiet: nil)
        keepBooks()
        onEvent(.closed(transaction: id.rawValue, byteCount: written.summary.byteCount))
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
        /// The temporary name of the newest file, to be removed, and its folder to be synced.
        var unsettled: FilePath?
        var record: PositionRecord?
        var isTableDue = false

        var areDone: Bool { unsettled == nil && record == nil && !isTableDue }
    }

    /// Writes what is due.
    func keepBooks() {
        do {
            if let path = books.unsettled {
                try folder.settle(path)
                books.unsettled = nil
                onClosed()
            }
            if let record = books.record {
                // Not synced: a file without its record is derived again from the file itself.
                try Disk.overwrite(folder.positionFile, with: record.encoded(), mode: folder.fileMode)
                books.record = nil
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
        guard let lastTransaction, let databaseIdentity, let table else { return }
        books.record = PositionRecord(
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
        guard !quietRecorded, lastTransaction != nil, copy == nil, copyDue == nil, mayRestart, open?.isEmpty ?? true
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

extension CaptureEngine {
    /// A capture that outgrew its memory: its spill files, all of its images among them, become one file.
    func mergeSpills(of capture: OpenCapture, over old: PageTable) throws -> WrittenFile {
        var table = old
        for (page, checksum) in capture.spilledChecksums { table.set(page, checksum) }
        table.resize(to: capture.commitSize)
        let merge = SpillMerge(
            inputs: capture.spills,
            output: folder.temporaryFile("transaction"),
            mode: folder.fileMode,
            header: header(of: capture, checksum: table.checksum)
        )
        return WrittenFile(path: merge.output, summary: try merge.run(), table: table)
    }
}
