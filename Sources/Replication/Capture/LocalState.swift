import LTX
import SQLiteFormat
import SystemPackage

/// What the metadata folder says of the time before this process.
struct LocalState {
    /// The newest transaction that has a file, whether or not the file is whole.
    var last: TransactionID?
    /// Whether that file's header and trailer could be read.
    var isReadable = false
    var header: LTXHeader?
    var source: TransactionFileSource?
    var fileChecksum: UInt64 = 0
    var databaseSize: UInt32 = 0
    /// The record, if it belongs to that file.
    var record: PositionRecord?
    /// The page table at that transaction, if it could be brought there and fits the file's mark.
    var table: PageTable?
    var tableStamp: TransactionID?
}

extension CaptureEngine {
    /// Reads the metadata folder. Missing and damaged parts are left out, never guessed.
    func loadLocalState() throws -> LocalState {
        var state = LocalState()
        let ids = try folder.transactionIDs()
        guard let last = ids.last else { return state }
        state.last = last
        guard let source = try TransactionFileSource(path: folder.transactionFile(last)),
            let header = try? source.header(), let trailer = try? source.trailer(), header.maxTXID == last
        else { return state }
        (state.header, state.source, state.fileChecksum) = (header, source, trailer.fileChecksum)
        (state.isReadable, state.databaseSize) = (true, header.commit)
        guard header.pageSize == pageSize.byteCount else { return state }
        if let record = try PositionRecord(contentsOf: folder.positionFile), record.transaction == last,
            record.fileChecksum == trailer.fileChecksum
        {
            state.record = record
        } else {
            // Written by a process that died, or by Litestream: only a whole file may be built upon.
            guard (try? LTXVerifier(source).verify(as: header.fileName)) != nil else {
                state.isReadable = false
                return state
            }
        }
        (state.table, state.tableStamp) = try loadPageTable(ids: ids, last: header)
        return state
    }

    /// The stored page table, brought to the newest file by reading the files behind its stamp.
    private func loadPageTable(
        ids: [TransactionID],
        last: LTXHeader
    ) throws -> (PageTable?, TransactionID?) {
        guard let mark = last.sourceMark, let stored = try StoredPageTable(contentsOf: folder.pageTableFile),
            stored.pageSize == pageSize, stored.transaction <= last.maxTXID
        else { return (nil, nil) }
        var table = stored.table
        var next = stored.transaction
        while next < last.maxTXID {
            next = next.next
            guard let source = try TransactionFileSource(path: folder.transactionFile(next)),
                let summary = try? LTXVerifier(source).verify(
                    as: LTXFileName(min: next, max: next),
                    { page, _, remainder in
                        let size = pageSize.byteCount
                        table.set(page, DatabaseChecksum.page(number: page, remainder: remainder, pageSize: size))
                    }
                )
            else { return (nil, nil) }
            table.resize(to: summary.header.commit)
        }
        // The mark is the proof: the table describes the newest file's state, page for page.
        guard table.checksum == mark.checksum, table.count == last.commit else { return (nil, nil) }
        return (table, stored.transaction)
    }
}

/// Proves continuity with a local file that has no record of ours: Litestream wrote it, or a process died before the
/// record (capture-review H2).
struct TakeoverProof {
    let header: LTXHeader?
    let source: TransactionFileSource?
    let look: WALIndexHeader
    let pageSize: PageSize

    /// The position at the file's end.
    ///
    /// - Throws: ``Discontinuity`` where there is no proof.
    func prove(_ reader: WALReader) throws -> WALPosition {
        guard let header, let source else { throw Discontinuity(.noPosition) }
        let geometry = WALGeometry(pageSize: pageSize)
        let salts = WALSalts(first: header.walSalt1, second: header.walSalt2)
        guard look.salts == salts, header.walOffset > 0,
            let last = geometry.lastFrame(endingAt: header.walOffset + header.walByteCount), last <= look.lastFrame
        else { throw Discontinuity(.anotherGeneration, "the newest file is of another generation of the WAL") }
        guard header.walByteCount > 0 || header.walOffset == Int64(WALHeader.byteCount) else {
            throw Discontinuity(.noPosition, "the newest file covers no frame")
        }
        guard last > 0 else { return .start(of: salts) }
        var newest: [UInt32: UInt64] = [:]
        let end: (position: WALPosition, commitSize: UInt32)
        do {
            end = try reader.frames(after: .start(of: salts), through: last, pageSize: pageSize) { _, frame, page in
                newest[frame.pageNumber] = CRC64.remainder(of: page)
            }
        } catch let error as Discontinuity {
            throw Discontinuity(.framesGone, error.description)
        }
        guard header.walByteCount > 0 else { return end.position }
        _ = try LTXVerifier(source).verify { page, _, remainder in
            guard newest[page] == remainder else {
                throw Discontinuity(.framesChanged, "page \(page) is not the one in the newest file")
            }
        }
        return end.position
    }
}
