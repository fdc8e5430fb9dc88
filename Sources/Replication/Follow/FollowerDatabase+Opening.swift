import LTX
import ObjectStorage
import SQLiteFormat
package import SystemPackage

/// From the end of the chain to the open gate, and back onto the chain (failover-review N11, N12).
extension FollowerDatabase {
    /// What a seal holds.
    package enum SealContent: Sendable {
        /// Page 1 of this database, which stands at the end of the chain.
        case ownFirstPage
        /// Page 1 as the chain has it, of a database of that many pages: this one is ahead.
        case firstPage([UInt8], pageCount: UInt32)
        /// All pages: the chain of this cluster begins here.
        case everything
    }

    /// Writes a seal beside, durable, and removes an earlier one; the write lock is held.
    ///
    /// - Parameters:
    ///   - state: The state it leads to: the chain's end, one transaction later, in the epoch that begins.
    ///   - node: This node.
    ///   - content: What it holds.
    package func writeSeal(_ state: ChainState, node: UInt64, _ content: SealContent) throws -> LocalTransaction {
        guard let followed, let table, let id = TransactionID(exactly: state.number) else {
            preconditionFailure("a database is examined before it seals")
        }
        var pageCount = table.count
        if case .firstPage(_, let count) = content { pageCount = count }
        var header = LTXHeader(
            pageSize: followed.pageSize,
            commit: pageCount,
            minTXID: id,
            maxTXID: id,
            timestampMilliseconds: max(newestTime, Timestamp.now.rawValue),
            sourceMark: SourceMark(checksum: state.checksum, epoch: state.epoch)
        )
        header.nodeID = node
        let lockPage = LTXPageSize.lockPage(pageSize: followed.pageSize)
        let path = try write(header) { writer in
            if case .firstPage(let bytes, _) = content {
                // SAFETY: the elements are bytes, all of them initialized.
                return try writer.append(pageNumber: 1, page: unsafe bytes.span.bytes)
            }
            let reading = try followed.read()
            let pages: [UInt32]
            if case .everything = content { pages = (1...pageCount).filter { $0 != lockPage } } else { pages = [1] }
            try followed.images(of: pages, reading) { page, bytes in
                try writer.append(pageNumber: page, page: bytes)
            }
        }
        try Disk.rename(path, to: sealFile)
        try Disk.syncFolder(folder.own)
        guard let seal = try LocalTransaction(sealFile) else { throw FileFailure("reading", sealFile, 2) }
        return seal
    }

    /// The seal that was written last, until it becomes a local transaction; `nil` where there is none.
    package func waitingSeal() throws -> LocalTransaction? { try LocalTransaction(sealFile) }

    /// Where a seal waits for the store's word.
    private var sealFile: FilePath { folder.own.appending("seal.ltx") }

    /// Makes an accepted seal the newest local transaction, so that capture goes on behind it; the write lock is held.
    ///
    /// Where the database is ahead of the seal, what it holds beyond becomes the transaction behind it. Whenever the
    /// process dies, either the earlier local files are there, or that transaction is: the database is never left with
    /// commits that nothing tells of.
    package func prepareOpening(_ seal: LocalTransaction) throws {
        guard let followed, let table else { preconditionFailure("a database is examined before it opens") }
        let isAhead = table.checksum != seal.state.checksum
        let sealed = isAhead ? try tableAtSeal(seal.state) : table
        if isAhead,
            let path = try difference(
                try followed.read(),
                since: sealed ?? PageTable(),
                behind: seal.state,
                node: seal.node
            )
        {
            try Disk.rename(path, to: aheadFile)
            try Disk.syncFolder(folder.own)
        }
        try takePlaces(seal)
        guard let size = PageSize(byteCount: followed.pageSize),
            let id = TransactionID(exactly: seal.state.number + (isAhead ? 1 : 0)),
            let tip = try LocalTransaction(folder.transactionFile(id)), tip.state.checksum == table.checksum
        else { return }
        let known = sealed.map { (seal, $0) } ?? (tip, table)
        let stored = StoredPageTable(
            transaction: known.0.header.maxTXID,
            fileChecksum: known.0.fileChecksum,
            pageSize: size,
            table: known.1
        )
        try Disk.replace(folder.pageTableFile, with: stored.encoded(), mode: folder.fileMode, durable: true)
        try note(tip, table)
    }

    /// Writes down that the newest local file leads to what the database holds just now; the write lock is held.
    func note(_ tip: LocalTransaction, _ table: PageTable) throws {
        guard let followed, let look = try followed.look(), let size = PageSize(byteCount: followed.pageSize),
            let status = try FileStatus(path: path)
        else { return }
        let record = PositionRecord(
            transaction: tip.header.maxTXID,
            fileChecksum: tip.fileChecksum,
            position: WALPosition(salts: look.salts, frame: look.lastFrame, checksum: look.checksum),
            databaseSize: table.count,
            pageSize: size,
            database: status.identity,
            bootID: BootID.current,
            quiet: look.lastFrame == 0 ? QuietMark(status) : nil,
            checksum: table.checksum
        )
        try Disk.overwrite(folder.positionFile, with: record.encoded(), mode: folder.fileMode)
    }

    /// The checksums of all pages at the seal, where the local files lead there.
    private func tableAtSeal(_ seal: ChainState) throws -> PageTable? {
        guard var table = tableAtRecorded else { return nil }
        var number = numberAtRecorded
        while table.checksum != seal.checksum, number + 1 < seal.number {
            number += 1
            guard let id = TransactionID(exactly: number),
                let file = try? LocalTransaction(folder.transactionFile(id)), LocalTables.advance(&table, by: file)
            else { return nil }
        }
        return table.checksum == seal.checksum ? table : nil
    }

    /// Where the transaction behind an accepted seal waits until the seal has taken its place.
    private var aheadFile: FilePath { folder.own.appending("ahead.ltx") }

    /// The seal becomes the newest local transaction, and the one that waits behind it the next; may be done again.
    private func takePlaces(_ seal: LocalTransaction) throws {
        guard let id = TransactionID(exactly: seal.state.number), let next = TransactionID(exactly: id.rawValue + 1)
        else {
            return
        }
        try clearLocalFiles(but: seal.path == folder.transactionFile(id) ? id : nil)
        if seal.path != folder.transactionFile(id) { try Disk.rename(seal.path, to: folder.transactionFile(id)) }
        try folder.settle()
        try journal.record(seal.state)
        guard FileStatus.exists(aheadFile) else { return }
        try Disk.rename(aheadFile, to: folder.transactionFile(next))
        try folder.settle()
    }

    /// Completes an opening that a process which died has begun: its seal was accepted.
    func settleOpening() throws {
        guard let ahead = try? LocalTransaction(aheadFile), (try? ahead.verify()) != nil else {
            return try Disk.remove(aheadFile)
        }
        let number = ahead.state.number - 1
        guard let id = TransactionID(exactly: number) else { return }
        let seals = [sealFile, folder.transactionFile(id)].compactMap { try? LocalTransaction($0) }
        guard let seal = seals.first(where: { $0.state.number == number && $0.state.epoch == ahead.state.epoch }) else {
            return try Disk.remove(aheadFile)
        }
        try takePlaces(seal)
    }

    /// Forgets what was captured here: it is on the chain, or kept as a tail.
    func clearLocalFiles(but kept: TransactionID? = nil) throws {
        for id in try folder.transactionIDs() where id != kept { try folder.remove(id) }
        for path in [folder.positionFile, folder.followedFile, folder.pageTableFile] { try Disk.remove(path) }
        tableAtRecorded = nil
    }

    /// Puts the database into the state of another one, in one commit; the write lock is held.
    ///
    /// - Parameters:
    ///   - restored: A closed database file without a log: the chain's newest state.
    ///   - state: That state.
    /// - Returns: `false` where its pages have another size, or are not in that state.
    package func rewind(to restored: FilePath, _ state: ChainState) throws -> Bool {
        guard let followed, followed.isLocked else { preconditionFailure("a database is rewound under the write lock") }
        guard let source = try DatabaseFile(restored), source.pageSize == followed.pageSize else { return false }
        let old = try followed.read().table
        let new = try source.table()
        guard new.checksum == state.checksum, new.count > 0 else { return false }
        var pages = (1...new.count).filter { old[$0] != new[$0] }
        if pages.isEmpty, old.count != new.count { pages = [1] }
        try journal.intend(state)
        if !pages.isEmpty {
            try followed.commit(new.count) { images in
                try source.pages(pages) { page, bytes in try images.append(page: page, image: bytes) }
            }
        }
        table = new
        try clearLocalFiles()
        try journal.record(state)
        return true
    }

    /// Closes the database's connections; the write lock goes with them.
    package func close() {
        (followed, table, tableAtRecorded) = (nil, nil, nil)
    }
}

/// A closed database file without a log, read page by page.
private struct DatabaseFile {
    let pageSize: Int
    private let size: PageSize
    private let count: UInt32
    private let descriptor: FileDescriptorBox

    /// Opens a file; `nil` where it is no database.
    init?(_ path: FilePath) throws {
        descriptor = try FileDescriptorBox(path)
        var header = [UInt8](repeating: 0, count: DatabaseHeader.byteCount)
        guard try descriptor.read(&header, at: 0), let parsed = unsafe DatabaseHeader(parsing: header.span.bytes)
        else { return nil }
        size = parsed.pageSize
        pageSize = parsed.pageSize.byteCount
        count = UInt32(clamping: try descriptor.byteCount() / Int64(pageSize))
    }

    func table() throws -> PageTable {
        var table = PageTable()
        guard count > 0 else { return table }
        table.resize(to: count)
        try pages(1...count) { page, bytes in
            let remainder = CRC64.remainder(of: bytes)
            table.set(page, DatabaseChecksum.page(number: page, remainder: remainder, pageSize: pageSize))
        }
        return table
    }

    func pages(_ pages: some Sequence<UInt32>, _ body: (UInt32, RawSpan) throws -> Void) throws {
        var bytes = [UInt8](repeating: 0, count: pageSize)
        for page in pages where page != size.lockPage {
            guard try descriptor.read(&bytes, at: Int64(page - 1) * Int64(pageSize)) else { throw Errno.ioError }
            // SAFETY: the elements are bytes, all of them initialized.
            try body(page, unsafe bytes.span.bytes)
        }
    }
}

/// A file that is open for reading until this object goes.
private final class FileDescriptorBox {
    private let descriptor: FileDescriptor
    private let path: FilePath

    init(_ path: FilePath) throws {
        self.path = path
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        } catch let error as Errno {
            throw FileFailure("opening", path, error.rawValue)
        }
    }

    deinit {
        try? descriptor.close()  // read-only: nothing can be lost
    }

    func byteCount() throws -> Int64 { try descriptor.seek(offset: 0, from: .end) }

    /// Fills all of `bytes`; `false` where the file ends before.
    func read(_ bytes: inout [UInt8], at offset: Int64) throws -> Bool {
        try unsafe bytes.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = unsafe try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
