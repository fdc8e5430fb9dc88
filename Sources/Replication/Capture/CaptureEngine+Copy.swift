import LTX
import ObjectStorage
import SQLiteFormat
import SystemPackage

/// A difference or whole copy that has to be made.
struct CopyRequest {
    let kind: CopyKind
    let cause: Discontinuity
    /// Whether continuity was lost although the engine was attached.
    let isUnexpected: Bool

    init(_ kind: CopyKind, _ cause: Discontinuity, isUnexpected: Bool = false) {
        (self.kind, self.cause, self.isUnexpected) = (kind, cause, isUnexpected)
    }
}

/// A difference or whole copy under way. Until it is published nothing else is numbered.
struct RunningCopy {
    let request: CopyRequest
    let scan: ImageScan
    /// For a page table: checksums of pages whose newest version was in the log and not in the file when the scan began.
    let overlay: [UInt32: UInt64]
    /// What was captured during the scan, once it is being merged into the copy; and where it ends.
    var sealed: (capture: OpenCapture, position: WALPosition)?

    var kind: CopyKind { request.kind }
}

extension CaptureEngine {
    /// Begins a read of the database as it stands now: E8 for a whole copy, E9 for a difference.
    ///
    /// If this throws, the copy stays due, and is tried again by a later turn.
    func beginCopy(_ kind: CopyKind, cause: Discontinuity, unexpected: Bool = false) throws {
        abandonCopy()
        let kind = kind == .difference && table == nil ? .whole : kind
        let request = CopyRequest(kind, cause, isUnexpected: unexpected)
        copyDue = request
        if kind == .table { try finishClosing() } else { dropCaptures() }
        let look = try index()
        let size = try look.lastFrame > 0 ? look.pageCount : databaseFilePageCount()
        let scan = try ImageScan(
            kind: kind,
            connection: connect(),
            pageSize: pageSize,
            pageCount: size,
            known: table,
            forcedPage: forcedPage(of: look, kind),
            path: kind == .table ? nil : folder.temporaryFile("image"),
            mode: folder.fileMode
        )
        var overlay: [UInt32: UInt64] = [:]
        do {
            // Backfilled: the file alone is the database; the log may begin anew at any moment and is not looked at.
            if !look.isBackfilled {
                if kind == .table { overlay = try checksums(of: look) } else { try captureLog(of: look, scan) }
            }
        } catch {
            scan.discard()
            if kind != .table { dropOpenCapture() }
            throw error
        }
        copyDue = nil
        if kind != .table { take(look, size: size, for: request) }
        copy = RunningCopy(request: request, scan: scan, overlay: overlay)
        onEvent(.copyBegan(kind: kind, cause: cause, unexpected: unexpected))
        reached(.copying)
        CopyLanes.shared.submit { [self] in
            let result = Result { try scan.run() }
            executor.async { self.assumeIsolated { $0.scanEnded(scan, result) } }
        }
    }

    /// Everything that exists is captured or in the file that is being read: the copy's position.
    private func take(_ look: WALIndexHeader, size: UInt32, for request: CopyRequest) {
        position = WALPosition(salts: look.salts, frame: look.lastFrame, checksum: look.checksum)
        databaseSize = size
        if open == nil { open = OpenCapture(pageSize: pageSize, baseSize: size) }
        counters.unexpectedCopies += request.isUnexpected ? 1 : 0
        if request.kind == .whole { counters.wholeCopies += 1 } else { counters.differences += 1 }
        mayRestart = true
        (rotatedAt, backfill) = (nil, nil)
    }

    /// The page of the log's last frame, which Litestream wants to find in the newest file.
    private func forcedPage(of look: WALIndexHeader, _ kind: CopyKind) throws -> UInt32? {
        guard kind == .difference, look.isBackfilled, look.lastFrame > 0 else { return nil }
        let header = try walFile().frameHeader(look.lastFrame, geometry: WALGeometry(pageSize: pageSize))
        guard let header, header.salts == look.salts else { return nil }
        return header.pageNumber
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

    /// Captures frames 1 … C, which cannot go away while they are not all backfilled.
    private func captureLog(of look: WALIndexHeader, _ scan: ImageScan) throws {
        let size = scan.pageCount
        let start = WALPosition.start(of: look.salts)
        let lockPage = pageSize.lockPage
        let capture = OpenCapture(pageSize: pageSize, baseSize: size)
        open = capture
        let now = Timestamp.now
        var lastPage: UInt32 = 0
        let reader = try WALReader(file: walFile(), buffer: buffer)
        let (end, _) = try reader.frames(after: start, through: look.lastFrame, pageSize: pageSize) {
            (_, header, page) in
            lastPage = header.pageNumber
            if lastPage != lockPage { try store(lastPage, page, in: capture) }
        }
        guard end.checksum == look.checksum else { throw Discontinuity(.damagedFrame, "frame \(end.frame)") }
        capture.note(from: start, size: size, at: now)
        if let table, scan.kind == .difference {
            scan.leaveOut(capture.dropPages(knownTo: table, except: lastPage))
        }
    }

    /// The checksums of the newest versions of the pages in frames 1 … C.
    private func checksums(of look: WALIndexHeader) throws -> [UInt32: UInt64] {
        let (pageSize, lockPage) = (pageSize, pageSize.lockPage)
        var checksums: [UInt32: UInt64] = [:]
        let reader = try WALReader(file: walFile(), buffer: buffer)
        let start = WALPosition.start(of: look.salts)
        let (end, size) = try reader.frames(after: start, through: look.lastFrame, pageSize: pageSize) {
            (_, header, page) in
            let number = header.pageNumber
            guard number != lockPage else { return }
            checksums[number] = DatabaseChecksum.page(
                number: number,
                remainder: CRC64.remainder(of: page),
                pageSize: pageSize.byteCount
            )
        }
        guard end.checksum == look.checksum else { throw Discontinuity(.damagedFrame, "frame \(end.frame)") }
        return checksums.filter { $0.key <= size }
    }

    /// The database's size by its file, for a log without a frame.
    private func databaseFilePageCount() throws -> UInt32 {
        let file = try reader(0).databaseFile()
        var bytes = [UInt8](repeating: 0, count: DatabaseHeader.byteCount)
        _ = unsafe try bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0, at: 0) }
        let byFile = UInt32(clamping: try file.byteCount() / Int64(pageSize.byteCount))
        guard let header = unsafe DatabaseHeader(parsing: bytes.span.bytes), header.pageCount > 0,
            header.pageCount <= byFile
        else { return byFile }
        return header.pageCount
    }
}
