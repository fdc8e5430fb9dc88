import LTX
import ObjectStorage
import SQLiteFormat
package import SystemPackage

/// The database of a node of a cluster while it is not the primary: locked against all other writers, changed by the
/// chain's files alone (failover-review N9 to N12).
///
/// It belongs to one thread at a time; all its methods block.
package final class FollowerDatabase {
    /// What is found of the database and its records on this host's disk.
    package struct Finding: Sendable {
        /// The checksum of the database as it is.
        package var checksum: UInt64
        /// The place recorded last.
        package var recorded: ChainState
        /// The place that was about to be reached.
        package var intended: ChainState?
        /// Earlier places.
        package var older: [ChainState]
        /// Own transactions behind the recorded place, ascending and without a gap.
        package var ahead: [LocalTransaction]
    }

    /// The database file.
    package let path: FilePath
    /// What is known of its places on the chain.
    package let journal: PositionJournal
    /// Its metadata folder.
    package let folder: MetadataFolder

    var followed: FollowedDatabase?
    /// The checksums of the database as it stands.
    var table: PageTable?
    /// The checksums at the recorded place, where it is known and the database is ahead of it.
    var tableAtRecorded: PageTable?
    /// The place that ``tableAtRecorded`` describes.
    var numberAtRecorded: UInt64 = 0
    /// The latest time that a file of the chain has told, in milliseconds since 1970: times never go back.
    var newestTime: Int64 = 0

    /// Prepares a database; its metadata folder is made, nothing else is opened.
    package init(_ settings: DatabaseSettings) throws {
        path = settings.database
        var folder = MetadataFolder(root: settings.metadata ?? MetadataFolder.defaultPath(for: settings.database))
        if let status = try FileStatus(path: path) {
            folder = MetadataFolder(root: folder.root, fileMode: status.mode & 0o666 | 0o600, folderMode: 0o700)
        }
        try folder.prepare()
        self.folder = folder
        journal = try PositionJournal(folder.own.appending("chain"), mode: folder.fileMode)
    }

    /// Whether there is a database file.
    package var exists: Bool { FileStatus.exists(path) }

    /// The checksum of the database as it stands; `nil` before it was examined.
    package var checksum: UInt64? { table?.checksum }

    /// The size of the database in pages; `nil` before it was examined.
    package var pageCount: UInt32? { table?.count }

    /// The size of its pages in bytes; `nil` before it was opened.
    package var pageSize: Int? { followed?.pageSize }

    // MARK: - The write lock

    /// Takes the write lock without waiting, and keeps it.
    ///
    /// - Returns: `false` where somebody else writes just now.
    package func lock() throws -> Bool {
        if followed == nil { followed = try FollowedDatabase(path) }
        return try followed?.lock() ?? false
    }

    /// Gives the write lock back.
    package func unlock() throws { try followed?.unlock() }

    /// Whether the write lock is held.
    package var isLocked: Bool { followed?.isLocked ?? false }

    // MARK: - Joining

    /// Reads the whole database and compares it with what is recorded; the write lock is held.
    ///
    /// What was committed and not captured becomes a transaction file of `node` behind the newest one, where it is known
    /// what that one led to, and proven that the database goes on from there.
    ///
    /// - Returns: `nil` where nothing is recorded of this database.
    package func examine(node: UInt64) throws -> Finding? {
        guard let followed else { preconditionFailure("the database is locked before it is looked at") }
        try settleOpening()
        let reading = try followed.read()
        try followed.noteLook()
        table = reading.table
        tableAtRecorded = nil
        let checksum = reading.table.checksum
        if journal.isFounding, let base = journal.recorded { try begin(behind: base.number, checksum) }
        guard let recorded = journal.recorded else { return nil }
        var ahead = try localTransactions(behind: recorded, of: node)
        let tables = try LocalTables(folder, pageSize: followed.pageSize, recorded: recorded, ahead: ahead)
        (tableAtRecorded, numberAtRecorded) = (tables.atRecorded, recorded.number)
        let isKnown =
            checksum == recorded.checksum || ahead.contains { $0.state.checksum == checksum }
            || journal.intended?.checksum == checksum || journal.older.contains { $0.checksum == checksum }
        if !isKnown, let base = tables.newest, try continues(ahead.last?.state ?? recorded),
            let file = try capture(reading, since: base, behind: ahead.last?.state ?? recorded, node: node)
        {
            ahead.append(file)
            try note(file, reading.table)
        }
        return Finding(
            checksum: checksum,
            recorded: recorded,
            intended: journal.intended,
            older: journal.older,
            ahead: ahead
        )
    }

    /// Whether the log proves that the database goes on from the newest local file (capture-review E4).
    ///
    /// A database in an unknown state may as well be an older one, put back by people or a power cut. What differs would
    /// take back, then, what the store has accepted since.
    private func continues(_ tip: ChainState) throws -> Bool {
        for file in [folder.positionFile, folder.followedFile] {
            guard let record = try PositionRecord(contentsOf: file), record.transaction.rawValue == tip.number,
                record.checksum == tip.checksum
            else { continue }
            if try continues(record) { return true }
        }
        return false
    }

    private func continues(_ record: PositionRecord) throws -> Bool {
        guard let followed, let look = try followed.look(), let size = PageSize(byteCount: followed.pageSize) else {
            return false
        }
        let (log, status) = (try WALFile(database: path), try FileStatus(path: path))
        let continuity = Continuity(
            record: record,
            reader: WALReader(file: log, buffer: ReadBuffer(byteCount: 256 << 10)),
            file: log,
            now: look,
            statusBefore: status,
            statusAfter: status,
            pageSize: size,
            variant: nil
        )
        do {
            _ = try continuity.prove()
            return true
        } catch is Discontinuity {
            return false
        }
    }

    /// The files of own transactions behind a place, ascending, up to the first gap that is no jump of the numbers.
    private func localTransactions(behind place: ChainState, of node: UInt64) throws -> [LocalTransaction] {
        var (files, tip): ([LocalTransaction], ChainState) = ([], place)
        for id in try folder.transactionIDs() where id.rawValue > place.number {
            // A file that is not whole was never sent: what it held is found in the database.
            guard let file = try? LocalTransaction(folder.transactionFile(id)), file.follows(tip), file.node == node,
                (try? file.verify()) != nil
            else { break }
            files.append(file)
            tip = file.state
        }
        return files
    }

    /// The place that the newest local file leads to; `nil` where there is none, or it is not whole.
    package func newestLocalState() throws -> ChainState? {
        guard let newest = try folder.transactionIDs().last else { return nil }
        return try? LocalTransaction(folder.transactionFile(newest))?.state
    }

    /// Makes what differs from `base` the transaction file behind `state`.
    private func capture(
        _ reading: DatabaseReading,
        since base: PageTable,
        behind state: ChainState,
        node: UInt64
    ) throws -> LocalTransaction? {
        guard let id = TransactionID(exactly: state.number + 1),
            let path = try difference(reading, since: base, behind: state, node: node)
        else { return nil }
        try? Disk.remove(folder.transactionFile(id))  // one that is not whole; else the next call tells
        try folder.publish(path, as: id)
        try folder.settle()
        return try LocalTransaction(folder.transactionFile(id))
    }

    /// Writes what differs from `base` to a transaction file beside, durable; `nil` where nothing does.
    func difference(
        _ reading: DatabaseReading,
        since base: PageTable,
        behind state: ChainState,
        node: UInt64
    ) throws -> FilePath? {
        guard let followed, let id = TransactionID(exactly: state.number + 1) else { return nil }
        let table = reading.table
        let pages = (1...max(1, table.count)).filter { base[$0] != table[$0] }
        guard table.count > 0, !pages.isEmpty || base.count != table.count else { return nil }
        var header = LTXHeader(
            pageSize: followed.pageSize,
            commit: table.count,
            minTXID: id,
            maxTXID: id,
            timestampMilliseconds: max(newestTime, Timestamp.now.rawValue),
            sourceMark: SourceMark(checksum: table.checksum, epoch: state.epoch)
        )
        header.nodeID = node
        return try write(header) { writer in
            try followed.images(of: pages.isEmpty ? [1] : pages, reading) { page, bytes in
                try writer.append(pageNumber: page, page: bytes)
            }
        }
    }

    /// Writes a transaction file beside, durable.
    func write(
        _ header: LTXHeader,
        _ body: (inout LTXWriter<TransactionFileSink>) throws -> Void
    ) throws -> FilePath {
        let path = folder.temporaryFile("transaction")
        var writer = try LTXWriter(
            pageSize: header.pageSize,
            sink: TransactionFileSink(path: path, mode: folder.fileMode)
        )
        do {
            try body(&writer)
            _ = try writer.finish(header: header)
            try writer.sink.complete()
            return path
        } catch {
            writer.sink.discard()
            throw error
        }
    }
}
