package import LTX
import ObjectStorage
import SQLiteFormat
package import SystemPackage

/// The newest state under a higher number, and all that is needed to write its whole copy.
///
/// `@unchecked Sendable`: the engine hands the reading over with this and keeps nothing of it; one thread at a time uses
/// it.
package struct HistoryJump: @unchecked Sendable {
    /// The header of the whole copy: the state's number, size, time and checksum.
    package let header: LTXHeader
    private let reading: HeldDatabase

    init(header: LTXHeader, reading: HeldDatabase) { (self.header, self.reading) = (header, reading) }

    /// Writes the whole copy, durable. Blocks; the database's log cannot begin anew before this value is gone.
    ///
    /// - Throws: As ``HeldDatabase/write(_:to:mode:while:)``.
    package func write(to path: FilePath, mode: UInt32, while isWanted: () -> Bool) throws -> LocalTransaction {
        _ = try reading.write(header, to: path, mode: mode, while: isWanted)
        guard let file = try LocalTransaction(path) else { throw FileFailure("reading", path, 2) }
        return file
    }
}

/// A history that goes on in a store which does not hold it so far (failover-review G3).
extension CaptureEngine {
    /// Says that the history is to jump, or not after all: until it has, a full spool does not suspend capture. One that
    /// is suspended must be attached for it, and would be suspended again at once.
    package func prepareJump(_ isWanted: Bool) { isToJump = isWanted }

    /// Closes what is committed, and goes on under a number that another store has not used: there is the newest state once
    /// more.
    ///
    /// In the store that transaction has all pages, so it needs nothing before; here a file with a page of it keeps the
    /// place, and what is captured from now on follows it. Nothing is lost whenever the process dies: the files before the
    /// jump stay until they are dropped as others are. Writers wait for as long as it takes to close what is captured.
    ///
    /// - Parameter number: The lowest number that it may have; it gets a higher one where files have that already.
    /// - Returns: `nil` where somebody else has the write lock and commits just now, or the database is being read as a whole:
    ///   to be tried again.
    /// - Throws: ``CaptureError`` where the database is not attached, or cannot be read.
    package func jump(from number: TransactionID) throws -> HistoryJump? {
        guard phase == .attached else { throw notAttached }
        do {
            // The less is left to do under the gate.
            try capture()
            guard copy == nil, copyDue == nil, table != nil else { return nil }
            try closeCapture()
            let gate = try gateConnection()
            let isGated = try lockWriters(on: gate, patience: .milliseconds(20), pause: .zero)
            let reading: HeldDatabase
            do {
                defer { if isGated { releaseWriters(gate) } }
                try capture()
                guard copy == nil, copyDue == nil else { return nil }
                try closeCapture()
                let place = position
                reading = try HeldDatabase(settings.database)
                if !isGated {
                    // Somebody else has the write lock: a node that hands over, or a long transaction. Where nothing was
                    // committed until now, the reading began at this very place.
                    try capture()
                    guard position == place, hasNothingOpen, copy == nil, copyDue == nil else { return nil }
                }
            }
            defer { scheduleTurn() }
            return try takePlace(max(number, nextTransaction), reading)
        } catch let error as Discontinuity {
            discontinued(error)
            scheduleTurn()
            throw describe(error)
        } catch {
            throw describe(error)
        }
    }

    /// Makes page 1 the file of a number that is not the next one.
    private func takePlace(_ id: TransactionID, _ reading: HeldDatabase) throws -> HistoryJump? {
        guard let table, let before = TransactionID(exactly: id.rawValue - 1), let page = try reading.page(1),
            let share = table[1], reading.pageCount == databaseSize
        else { return nil }
        let old = lastTransaction
        lastTransaction = before
        do {
            let fields = WALFields(from: position.frame, upTo: position, pageSize: pageSize)
            let header = header(commit: databaseSize, time: .now, fields: fields, checksum: table.checksum)
            let path = folder.temporaryFile("transaction")
            var writer = try LTXWriter(
                pageSize: pageSize.byteCount,
                sink: TransactionFileSink(path: path, mode: folder.fileMode)
            )
            let summary: LTXFileSummary
            do {
                // SAFETY: the elements are bytes, all of them initialized.
                try writer.append(pageNumber: 1, page: unsafe page.span.bytes)
                summary = try writer.finish(header: header)
                try writer.sink.complete()
            } catch {
                writer.sink.discard()
                throw error
            }
            let pages: [(page: UInt32, checksum: UInt64)] = [(page: 1, checksum: share)]
            let written = WrittenFile(path: path, summary: summary, change: .changed(pages))
            try publish(written, at: position, size: databaseSize)
            // What lies before is in the copy: it is not shipped any more.
            closedFiles.removeAll()
            (shipped, unshippedCopy, spooledByteCount) = (before, nil, summary.byteCount)
            isToJump = false
            // Else a restart would read the whole database: the files before do not lead here.
            books.isTableDue = true
            noteQuiet()
            keepBooks()
            return HistoryJump(header: header, reading: reading)
        } catch {
            if lastTransaction == before { lastTransaction = old }
            throw error
        }
    }

    /// Where the log is empty nothing but the file proves that the database goes on from the place: what is said of it must
    /// be on record at once, for the process may die before its next quiet turn.
    private func noteQuiet() {
        // The reader that is to write the copy keeps the file as it is.
        guard (try? index())?.lastFrame == 0, hasNothingOpen,
            let status = try? FileStatus(path: settings.database)
        else { return }
        note(position, size: databaseSize, quiet: QuietMark(status))
    }
}
