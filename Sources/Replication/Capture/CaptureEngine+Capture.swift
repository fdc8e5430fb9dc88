import LTX
import ObjectStorage
import SQLiteFormat

extension CaptureEngine {
    /// One consistent look at the wal-index.
    ///
    /// A header whose copies stay different was left by a writer that died: any read makes SQLite rebuild it.
    func index() throws -> WALIndexHeader {
        guard let walIndex = walIndex else { throw Discontinuity(.reader, "not attached") }
        for _ in 0..<20 {
            for _ in 0..<50 {
                if let header = walIndex.look() { return header }
                Blocking.sleep(.microseconds(200))
            }
            let connection = try checkpointConnection()
            do {
                try connection.beginRead()
                connection.endRead()
            } catch {
                guard error.isBusy else { throw error }
            }
        }
        throw CaptureError(
            .databaseBusy,
            "The wal-index of \(settings.database) stays inconsistent: a process that uses the database hangs."
        )
    }

    /// Captures every frame that is published (E2). Returns whether there was one.
    @discardableResult
    func capture(_ seen: WALIndexHeader? = nil) throws -> Bool {
        let look = try seen ?? index()
        guard look.lastFrame > 0 else { return false }
        if let copyDue, copyDue.kind != .table { return passOver(look) }
        var start = position
        if look.salts != position.salts {
            let plusOne = look.salts.first &- position.salts.first == 1
            guard mayRestart, settings.variant != .saltPlusOne || plusOne else {
                throw Discontinuity(.lockLost, "salts changed after frame \(position.frame)")
            }
            start = .start(of: look.salts)
            reached(.newGenerationSeen)
        } else if look.lastFrame == position.frame {
            return false
        } else if look.lastFrame < position.frame {
            throw Discontinuity(.wentBack, "from frame \(position.frame) to \(look.lastFrame)")
        }
        let now = Timestamp.now
        let capture = try openCapture()
        let reader = try WALReader(file: walFile(), buffer: buffer)
        let lockPage = pageSize.lockPage
        var commits = 0
        let (end, size) = try reader.frames(after: start, through: look.lastFrame, pageSize: pageSize) {
            (_, header, page) in
            if header.pageNumber != lockPage { try store(header.pageNumber, page, in: capture) }
            if header.commitSize > 0 {
                capture.noteCommit(size: header.commitSize)
                commits += 1
            }
        }
        guard end.checksum == look.checksum else {
            throw Discontinuity(.damagedFrame, "the running checksum at frame \(end.frame) is not the index's")
        }
        if end.frame > softLimit { startWriting(from: start, to: end) }
        if start.salts != position.salts {
            counters.restarts += 1
            (needsRestart, rotatedAt) = (false, nil)
            rotationDelay = .milliseconds(5)
        } else if rotatedAt != nil {
            // All was backfilled, and yet the writer went on in the old generation: a reader above READ0 was there.
            (needsRestart, rotatedAt) = (true, nil)
        }
        capture.note(from: start, size: size, at: now)
        shrinkAt = .now + Self.settlingTime
        counters.captures += 1
        counters.commitsCaptured += commits
        counters.framesCaptured += Int(end.frame - start.frame)
        position = end
        databaseSize = size
        quietRecorded = false
        return true
    }

    /// A long log is going to be backfilled soon, which begins with a sync of it: its pages may as well be written now.
    private func startWriting(from start: WALPosition, to end: WALPosition) {
        let geometry = WALGeometry(pageSize: pageSize)
        let bytes = geometry.offset(ofFrame: start.frame + 1)..<geometry.offset(ofFrame: end.frame + 1)
        if bytes.count >= 256 << 10 { try? walFile().startWriting(bytes) }
    }

    /// A copy is due that will hold everything: the log is followed, but nothing of it is kept.
    private func passOver(_ look: WALIndexHeader) -> Bool {
        guard look.salts != position.salts || look.lastFrame != position.frame else { return false }
        position = WALPosition(salts: look.salts, frame: look.lastFrame, checksum: look.checksum)
        databaseSize = look.pageCount
        quietRecorded = false
        return true
    }

    /// Keeps an image in memory, or moves what is there to a spill file if that is too much.
    func store(_ page: UInt32, _ image: RawSpan, in capture: OpenCapture) throws {
        let byteCount = capture.pages.byteCount
        if byteCount >= settings.captureLimit || CaptureMemory.isExceeded && byteCount >= CaptureMemory.minimum {
            if !capture.pages.canTake(page) { try spill(capture) }
        }
        capture.store(page, image)
    }

    /// The capture that is open, or a new one.
    func openCapture() throws -> OpenCapture {
        if let open { return open }
        let new = OpenCapture(pageSize: pageSize, baseSize: databaseSize)
        open = new
        return new
    }

    /// Moves the images of `capture` to a spill file, and gives their memory back.
    func spill(_ capture: OpenCapture) throws {
        guard capture.pages.count > 0 else { return }
        let path = folder.temporaryFile("spill")
        var writer = try LTXWriter(
            pageSize: pageSize.byteCount,
            sink: TransactionFileSink(path: path, mode: folder.fileMode)
        )
        do {
            try capture.pages.write(to: &writer) { page, remainder in
                capture.noteSpilled(
                    page,
                    DatabaseChecksum.page(number: page, remainder: remainder, pageSize: pageSize.byteCount)
                )
            }
            // The numbers only keep the order of spills; id 1 would stand for a whole database, 2 is a copy's.
            let id = TransactionID(rawValue: UInt64(capture.spills.count) + 3)
            _ = try writer.finish(
                header: LTXHeader(
                    pageSize: pageSize.byteCount,
                    commit: .max,
                    minTXID: id,
                    maxTXID: id,
                    timestampMilliseconds: 0
                )
            )
            try writer.sink.close()
        } catch {
            writer.sink.discard()
            throw error
        }
        capture.spills.append(path)
        capture.pages.removeAll()
    }

    /// Forgets everything that no file holds yet.
    func dropCaptures() {
        closing?.discard()
        closing = nil
        dropOpenCapture()
    }

    /// Whether nothing is captured that no file holds yet.
    var hasNothingOpen: Bool { closing == nil && open?.isEmpty ?? true }

    /// Forgets the open capture with its spill files.
    func dropOpenCapture() {
        for path in open?.spills ?? [] {
            try? Disk.remove(path)  // else the next start removes it
        }
        open = nil
    }

    /// The open `-wal` file.
    func walFile() throws -> WALFile {
        if let wal { return wal }
        let file = try WALFile(database: settings.database)
        wal = file
        return file
    }
}
