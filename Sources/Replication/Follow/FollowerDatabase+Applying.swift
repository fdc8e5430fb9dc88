import LTX
import SQLiteFormat

/// The chain's files become commits of the database (failover-review N10).
extension FollowerDatabase {
    /// Past this many frames the log is made to begin anew.
    private static let longLog: UInt32 = 4000

    /// Applies a transaction file, or a merged one, as one commit (N10); the write lock is held.
    ///
    /// It costs what the file holds, whatever the size of the database.
    ///
    /// - Parameters:
    ///   - transaction: The file.
    ///   - checksum: The database's checksum where the file begins.
    /// - Returns: `false` where the database is not there, somebody else has written to it, or the file would not lead
    ///   to its mark: nothing was changed then.
    package func apply(_ transaction: DecodedTransaction, from checksum: UInt64) throws -> Bool {
        guard try write(transaction, from: checksum) else { return false }
        try journal.record(transaction.state)
        return true
    }

    /// Brings a database that has left the chain back onto it, by what it differs from the chain's newest state by; the
    /// write lock is held (N11).
    ///
    /// - Returns: `false` where that does not lead to the newest state: nothing was changed then.
    package func rewind(by transaction: DecodedTransaction) throws -> Bool {
        guard let checksum, try write(transaction, from: checksum) else { return false }
        try clearLocalFiles()
        try journal.record(transaction.state)
        return true
    }

    /// The pages that own transactions behind a place hold; `nil` where one of them cannot be read.
    package func pagesTouched(behind number: UInt64) throws -> Set<UInt32>? {
        var pages: Set<UInt32> = []
        for id in try folder.transactionIDs() where id.rawValue > number {
            guard let file = try? DecodedTransaction(folder.transactionFile(id), keeping: 0) else { return nil }
            pages.formUnion(file.pages.lazy.map(\.number))
        }
        return pages
    }

    /// Commits the pages, the state on record as the intended one.
    private func write(_ transaction: DecodedTransaction, from checksum: UInt64) throws -> Bool {
        let (state, count) = (transaction.state, transaction.header.commit)
        guard let followed, followed.isLocked, table?.checksum == checksum,
            transaction.header.pageSize == followed.pageSize, try followed.isUntouched(),
            let change = table?.change(by: transaction.pages, count: count), change.checksum == state.checksum
        else { return false }
        let isResized = table?.count != count
        // A commit has a page, also one that does no more than cut the database.
        let written = change.pages.isEmpty && isResized ? Array(transaction.pages.prefix(1)) : change.pages
        guard !written.isEmpty || !isResized else { return false }
        try journal.intend(state)
        if !written.isEmpty {
            try followed.commit(count) { images in
                var rest = written[...]
                try transaction.forEachPage { page, image in
                    guard rest.first == page else { return }
                    rest = rest.dropFirst()
                    try images.append(page: page.number, image: image)
                }
            }
        }
        // In place: nothing else refers to the table, or all of it would be copied.
        for page in written { table?.set(page.number, page.share) }
        table?.resize(to: count)
        newestTime = max(newestTime, transaction.header.timestampMilliseconds)
        return true
    }

    /// Notes that the database stands at a place whose file was written here.
    package func note(_ state: ChainState) throws { try journal.record(state) }

    /// Gives the log's room back once it is long; the write lock is held before and after.
    ///
    /// - Returns: `false` where somebody else has written in between, or keeps the write lock for so long that the place is
    ///   to be looked at anew.
    package func checkpointIfLong() throws -> Bool {
        guard let followed, followed.isLocked, let look = try followed.look(), look.lastFrame > Self.longLog else {
            return true
        }
        guard try followed.isUntouched() else { return false }
        try followed.unlock()
        try followed.checkpoint()
        let deadline = ContinuousClock.now + .seconds(1)
        while try !followed.lock() {
            guard ContinuousClock.now < deadline else { return false }
            Blocking.sleep(.milliseconds(1))
        }
        return try followed.isUntouched()
    }
}
