import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// The scan's thread is done; on the engine's thread.
    func scanEnded(_ scan: ImageScan, _ result: Result<Void, any Error>) {
        guard let copy, copy.scan === scan else { return scan.discard() }
        do {
            try result.get()
            reached(.copied)
            try complete(copy)
        } catch {
            scan.discard()
            fail(error, retrying: copy)
        }
        turn()
    }

    /// Makes a file of the scan and of what was captured meanwhile.
    private func complete(_ copy: RunningCopy) throws {
        let scan = copy.scan
        var table = PageTable(entries: scan.takeEntries())
        for (page, checksum) in copy.overlay { table.set(page, checksum) }
        if copy.kind == .table { return try adoptTable(table, copy) }
        // All that is published by now belongs to the copy.
        try capture()
        guard let capture = open, !capture.isEmpty else {
            try requireAllPages(of: scan, captured: nil)
            guard copy.kind == .whole || scan.differingPages > 0 || table != self.table else {
                // Nothing differs: the position was lost, the state was not.
                scan.discard()
                return copyEnded(copy, transaction: nil)
            }
            let fields = WALFields(from: 0, upTo: position, pageSize: pageSize)
            let header = header(commit: scan.pageCount, time: .now, fields: fields, checksum: table.checksum)
            let (path, summary) = try scan.finish(header: header)
            // The database must not be behind what leaves the host (capture-review B11).
            try wal?.sync()
            try publish(
                WrittenFile(path: path, summary: summary, change: .replaced(table)),
                at: position,
                size: databaseSize
            )
            return copyEnded(copy, transaction: lastTransaction)
        }
        try requireAllPages(of: scan, captured: capture)
        try merge(copy, capture, over: table)
    }

    /// Lays what was captured over the scan. That may take long: it runs aside, and what is captured from here on
    /// belongs to the next file.
    private func merge(_ copy: RunningCopy, _ capture: OpenCapture, over scanned: PageTable) throws {
        var table = scanned
        try spill(capture)
        let (path, _) = try copy.scan.finish(header: imageHeader(pageCount: copy.scan.pageCount))
        self.copy?.sealed = (capture, position)
        open = OpenCapture(pageSize: pageSize, baseSize: databaseSize)
        for (page, checksum) in capture.spilledChecksums { table.set(page, checksum) }
        table.resize(to: capture.commitSize)
        let fields = WALFields(from: 0, upTo: position, pageSize: pageSize)
        let merge = SpillMerge(
            inputs: [path] + capture.spills,
            output: folder.temporaryFile("copy"),
            mode: folder.fileMode,
            header: header(
                commit: capture.commitSize,
                time: capture.timestamp,
                fields: fields,
                checksum: table.checksum
            )
        )
        let whole = table
        let scan = copy.scan
        let log = wal
        reached(.merging)
        CopyLanes.shared.submit { [self] in
            let result = Result {
                // The same (capture-review B11).
                try log?.sync()
                return try merge.run()
            }
            executor.async { self.assumeIsolated { $0.mergeEnded(scan, merge, whole, result) } }
        }
    }

    /// The merge's thread is done; on the engine's thread.
    private func mergeEnded(
        _ scan: ImageScan,
        _ merge: SpillMerge,
        _ table: PageTable,
        _ result: Result<LTXFileSummary, any Error>
    ) {
        for path in merge.inputs {
            try? Disk.remove(path)  // else the next start removes it
        }
        guard let copy, copy.scan === scan, let sealed = copy.sealed else { return merge.discard() }
        do {
            let written = WrittenFile(path: merge.output, summary: try result.get(), change: .replaced(table))
            try publish(written, at: sealed.position, size: sealed.capture.commitSize)
            copyEnded(copy, transaction: lastTransaction)
        } catch {
            merge.discard()
            fail(error, retrying: copy)
        }
        turn()
    }

    /// Every page must be in the file or in the log; one that is in neither was lost before us.
    private func requireAllPages(of scan: ImageScan, captured: OpenCapture?) throws {
        if let captured, let missing = captured.missingPage(lockPage: pageSize.lockPage) {
            throw Discontinuity(.pageMissing, "page \(missing) of \(captured.commitSize)")
        }
        guard let first = scan.firstPageBeyondFile else { return }
        let size = min(scan.pageCount, captured?.commitSize ?? scan.pageCount)
        guard first <= size else { return }
        for page in first...size where page != pageSize.lockPage && captured?.holds(page) != true {
            throw CaptureError(
                .damagedDatabase,
                "Page \(page) of \(size) is neither in \(settings.database) nor in its -wal: the database is damaged. "
                    + "Run PRAGMA integrity_check, and restore it if that fails."
            )
        }
    }

    /// The header of a scan's pages on their way into a merge; the number only keeps the order.
    private func imageHeader(pageCount: UInt32) -> LTXHeader {
        let id = TransactionID(rawValue: 2)
        return LTXHeader(
            pageSize: pageSize.byteCount,
            commit: pageCount,
            minTXID: id,
            maxTXID: id,
            timestampMilliseconds: 0
        )
    }

    /// The page table was made anew; what was captured meanwhile is set into it when it is closed.
    private func adoptTable(_ scanned: PageTable, _ copy: RunningCopy) throws {
        guard let head = adoptable else {
            var table = scanned
            // A page that is captured and not in a file yet: what the newest file has of it is not known.
            for page in open?.pageNumbers ?? [] where page <= table.count { table.set(page, 0) }
            self.table = table
            return copyEnded(copy, transaction: nil)
        }
        guard open?.isEmpty ?? true, try !capture(), head.mark?.checksum == scanned.checksum else {
            adoptable = nil
            try Disk.remove(head.file)
            return try beginCopy(.whole, cause: copy.request.cause)
        }
        try folder.publish(head.file, as: head.transaction)
        adoptable = nil
        try folder.settle()
        guard let source = try TransactionFileSource(path: folder.transactionFile(head.transaction)) else {
            throw Discontinuity(.localFilesLost)
        }
        (lastTransaction, shipped, table) = (head.transaction, head.transaction, scanned)
        lastFileChecksum = try source.trailer().fileChecksum
        copyEnded(copy, transaction: nil)
        onEvent(.continued(proof: "checksum", position: "\(position.frame)"))
    }

    private func copyEnded(_ copy: RunningCopy, transaction: TransactionID?) {
        self.copy = nil
        copyAfter = nil
        if copy.kind == .whole, let transaction { unshippedCopy = (transaction, spooledByteCount) }
        onEvent(
            .copyEnded(kind: copy.kind, transaction: transaction?.rawValue, pages: copy.scan.shippedPages)
        )
        if transaction == nil, open?.isEmpty ?? true { note(position, size: databaseSize, quiet: nil) }
        books.isTableDue = books.isTableDue || copy.kind != .table
        keepBooks()
    }

    /// A copy did not succeed: it begins anew after a while.
    private func fail(_ error: any Error, retrying copy: RunningCopy) {
        abandonCopy()
        if let error = error as? CaptureError, error.code == .secondWriter { return stop(error) }
        copyDue = copy.request
        failed(error)
        // Reading a damaged database again and again helps nobody.
        if (error as? CaptureError)?.code == .damagedDatabase { copyAfter = .now + .seconds(60) }
    }
}
