import Dispatch
import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

/// A difference or whole copy under way. Until it is published nothing else is numbered.
struct RunningCopy {
    let kind: CopyKind
    let cause: Discontinuity
    let isUnexpected: Bool
    let scan: ImageScan
    /// Checksums of pages whose newest version was in the log and not in the file when the scan began.
    let overlay: [UInt32: UInt64]
    /// What was captured during the scan, once it is being merged into the copy; and where it ends.
    var sealed: (capture: OpenCapture, position: WALPosition)?
}

extension CaptureEngine {
    /// Scans of all databases in this process: a few at a time, so that many databases found at once do not start as
    /// many copies at once.
    static let scans = DispatchQueue(label: "copies", attributes: .concurrent)
    static let scanSlots = DispatchSemaphore(value: 2)

    /// Begins a read of the database as it stands now: E8 for a whole copy, E9 for a difference.
    func beginCopy(_ kind: CopyKind, cause: Discontinuity, unexpected: Bool = false) throws {
        abandonCopy()
        let kind = kind == .difference && table == nil ? .whole : kind
        if kind != .table { dropOpenCapture() }
        let look = try index()
        var overlay: [UInt32: UInt64] = [:]
        var forcedPage: UInt32?
        let size = try look.lastFrame > 0 ? look.pageCount : databaseFilePageCount()
        let path = kind == .table ? nil : folder.temporaryFile("image")
        // Prepared first: if it throws, nothing has changed.
        if look.isBackfilled {
            // The file alone is the database; the log may begin anew at any moment and is not looked at, but for the
            // page of its last frame, which Litestream wants to find in the newest file.
            if look.lastFrame > 0, kind == .difference {
                let header = try walFile().frameHeader(look.lastFrame, geometry: WALGeometry(pageSize: pageSize))
                if let header, header.salts == look.salts { forcedPage = header.pageNumber }
            }
        }
        let scan = try ImageScan(
            kind: kind,
            database: settings.database,
            pageSize: pageSize,
            pageCount: size,
            known: table,
            forcedPage: forcedPage,
            path: path,
            mode: folder.fileMode
        )
        do {
            if !look.isBackfilled { overlay = try captureLog(of: look, for: kind, size: size) }
        } catch {
            scan.discard()
            dropOpenCapture()
            throw error
        }
        if kind != .table {
            position = WALPosition(salts: look.salts, frame: look.lastFrame, checksum: look.checksum)
            databaseSize = size
            if open == nil { open = OpenCapture(pageSize: pageSize, baseSize: size) }
            counters.unexpectedCopies += unexpected ? 1 : 0
            if kind == .whole { counters.wholeCopies += 1 } else { counters.differences += 1 }
            // Everything that existed is captured or in the file.
            mayRestart = true
        }
        copy = RunningCopy(kind: kind, cause: cause, isUnexpected: unexpected, scan: scan, overlay: overlay)
        onEvent(.copyBegan(kind: kind, cause: cause, unexpected: unexpected))
        reached(.copying)
        Self.scans.async { [self] in
            Self.scanSlots.wait()
            let result = Result { try scan.run() }
            Self.scanSlots.signal()
            executor.async { self.assumeIsolated { $0.scanEnded(scan, result) } }
        }
    }

    /// Forgets a copy under way.
    func abandonCopy() {
        guard let copy else { return }
        copy.scan.cancel()
        for path in copy.sealed?.capture.spills ?? [] {
            try? Disk.remove(path)  // else the next start removes it
        }
        self.copy = nil
    }

    /// Reads frames 1 … C, which cannot go away while they are not all backfilled: their images into the open capture
    /// unless only checksums are wanted, their checksums as the result.
    private func captureLog(
        of look: WALIndexHeader,
        for kind: CopyKind,
        size: UInt32
    ) throws -> [UInt32: UInt64] {
        var checksums: [UInt32: UInt64] = [:]
        let reader = try WALReader(file: walFile(), buffer: buffer)
        let start = WALPosition.start(of: look.salts)
        let pageSize = pageSize
        let lockPage = pageSize.lockPage
        let capture = OpenCapture(pageSize: pageSize, baseSize: size)
        if kind != .table { open = capture }
        let limit = settings.captureLimit
        let now = Timestamp.now
        let (end, _) = try reader.frames(after: start, through: look.lastFrame, pageSize: pageSize) {
            (_, header, page) in
            let number = header.pageNumber
            guard number != lockPage else { return }
            if kind == .table {
                checksums[number] = DatabaseChecksum.page(
                    number: number,
                    remainder: CRC64.remainder(of: page),
                    pageSize: pageSize.byteCount
                )
            } else {
                capture.store(number, page)
                if capture.pages.byteCount >= limit { try spill(capture) }
            }
        }
        guard end.checksum == look.checksum else { throw Discontinuity(.damagedFrame, "frame \(end.frame)") }
        if kind != .table { capture.note(from: start, size: size, at: now) }
        return checksums.filter { $0.key <= size }
    }

    /// The database's size by its file, for a log without a frame.
    private func databaseFilePageCount() throws -> UInt32 {
        let file = try reader(0).databaseFile()
        var bytes = [UInt8](repeating: 0, count: DatabaseHeader.byteCount)
        _ = try bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0, at: 0) }
        let byFile = UInt32(clamping: try file.byteCount() / Int64(pageSize.byteCount))
        guard let header = DatabaseHeader(parsing: bytes.span.bytes), header.pageCount > 0, header.pageCount <= byFile
        else { return byFile }
        return header.pageCount
    }

    /// The scan's thread is done; on the engine's thread.
    private func scanEnded(_ scan: ImageScan, _ result: Result<Void, any Error>) {
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
        var table = PageTable(entries: scan.entries)
        for (page, checksum) in copy.overlay { table.set(page, checksum) }
        if copy.kind == .table { return try adoptTable(table, copy) }
        // All that is published by now belongs to the copy.
        try capture()
        guard let capture = open, !capture.isEmpty else {
            guard copy.kind == .whole || scan.shippedPages > 0 || table != self.table else {
                // Nothing differs: the position was lost, the state was not.
                scan.discard()
                return try copyEnded(copy, transaction: nil)
            }
            let fields = WALFields(from: 0, upTo: position, pageSize: pageSize)
            let header = header(commit: scan.pageCount, time: .now, fields: fields, checksum: table.checksum)
            let (path, summary) = try scan.finish(header: header)
            try publish(WrittenFile(path: path, summary: summary, table: table), at: position, size: databaseSize)
            return try copyEnded(copy, transaction: lastTransaction)
        }
        // Merging may take long: it runs aside, and what is captured from here on belongs to the next file.
        try spill(capture)
        let (path, _) = try scan.finish(header: imageHeader(pageCount: scan.pageCount))
        self.copy?.sealed = (capture, position)
        open = OpenCapture(pageSize: pageSize, baseSize: databaseSize)
        for (page, checksum) in capture.spilledChecksums { table.set(page, checksum) }
        table.resize(to: capture.commitSize)
        let fields = WALFields(from: 0, upTo: position, pageSize: pageSize)
        let merge = SpillMerge(
            inputs: [path] + capture.spills,
            output: folder.temporaryFile("copy"),
            mode: folder.fileMode,
            header: header(commit: capture.commitSize, time: capture.timestamp, fields: fields, checksum: table.checksum)
        )
        let whole = table
        Self.scans.async { [self] in
            Self.scanSlots.wait()
            let result = Result { try merge.run() }
            Self.scanSlots.signal()
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
            let written = WrittenFile(path: merge.output, summary: try result.get(), table: table)
            try publish(written, at: sealed.position, size: sealed.capture.commitSize)
            try copyEnded(copy, transaction: lastTransaction)
        } catch {
            merge.discard()
            fail(error, retrying: copy)
        }
        turn()
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
    private func adoptTable(_ table: PageTable, _ copy: RunningCopy) throws {
        guard let head = adoptable else {
            self.table = table
            return try copyEnded(copy, transaction: nil)
        }
        adoptable = nil
        guard try open?.isEmpty ?? true, try !capture(), head.mark?.checksum == table.checksum else {
            try Disk.remove(head.file)
            return try beginCopy(.whole, cause: copy.cause)
        }
        try folder.publish(head.file, as: head.transaction)
        guard let source = try TransactionFileSource(path: folder.transactionFile(head.transaction)) else {
            throw Discontinuity(.localFilesLost)
        }
        (lastTransaction, shipped, self.table) = (head.transaction, head.transaction, table)
        lastFileChecksum = try source.trailer().fileChecksum
        try copyEnded(copy, transaction: nil)
        onEvent(.continued(proof: "checksum", position: "\(position.frame)"))
    }

    private func copyEnded(_ copy: RunningCopy, transaction: TransactionID?) throws {
        self.copy = nil
        onEvent(
            .copyEnded(kind: copy.kind, transaction: transaction?.rawValue, pages: copy.scan.shippedPages)
        )
        if transaction == nil, open?.isEmpty ?? true { try record(position, size: databaseSize, quiet: nil) }
        if copy.kind != .table { try storePageTable() }
    }

    /// A copy did not succeed: it begins anew after a while.
    private func fail(_ error: any Error, retrying copy: RunningCopy) {
        abandonCopy()
        failed(error)
        pendingCopy = (copy.kind, copy.cause, copy.isUnexpected)
    }
}
