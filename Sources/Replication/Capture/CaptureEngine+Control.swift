package import LTX
import SQLiteFormat
import Synchronization
package import SystemPackage

/// What ships, services and tests ask of the engine.
extension CaptureEngine {
    /// Where the engine stands.
    package struct Status: Sendable {
        package var phase: Phase
        /// The newest transaction file.
        package var transaction: TransactionID?
        /// Whether something is captured that no file holds yet.
        package var hasOpenCapture: Bool
        /// Whether a difference or whole copy is under way.
        package var isCopying: Bool
        package var databaseSize: UInt32
        package var pageSize: Int
        package var lastFrame: UInt32
        package var spooledByteCount: Int64
        package var checksum: UInt64?
        package var counters: CaptureCounters
        package var failures: Int
    }

    /// A look at the engine's state.
    package func status() -> Status {
        Status(
            phase: phase,
            transaction: lastTransaction,
            hasOpenCapture: !hasNothingOpen,
            isCopying: copy != nil || copyDue != nil,
            databaseSize: databaseSize,
            pageSize: pageSize.byteCount,
            lastFrame: position.frame,
            spooledByteCount: spooledByteCount,
            checksum: table?.checksum,
            counters: counters,
            failures: failures
        )
    }

    var notAttached: CaptureError {
        let why =
            phase == .suspended
            ? "waits with its capture until the store takes files again: the spool is full." : "is not attached."
        return CaptureError(.noDatabase, "\(settings.database) \(why)")
    }

    /// Captures what is committed by now and closes it. Returns the newest transaction, which covers it; `nil` while
    /// a copy is under way, or where nothing was ever captured.
    package func flush() throws -> TransactionID? {
        guard phase == .attached else { throw notAttached }
        do {
            try capture()
            guard copy == nil, copyDue == nil else { return nil }
            try closeCapture()
            if !books.areDone { keepBooks() }
        } catch let error as Discontinuity {
            discontinued(error)
            scheduleTurn()
            throw describe(error)
        } catch let error as CaptureError where error.code == .secondWriter {
            stop(error)
            throw error
        } catch {
            throw describe(error)
        }
        scheduleTurn()
        return lastTransaction
    }

    /// The transaction that holds, or is going to hold, everything that is committed by now; `nil` where nothing ever was.
    ///
    /// Nothing is closed for it. While a copy is under way it is the copy's.
    ///
    /// - Throws: ``CaptureError`` where the database is not attached, or cannot be read.
    package func coveringTransaction() throws -> TransactionID? {
        guard phase == .attached else { throw notAttached }
        do {
            if try capture() {
                workedAt = .now
                scheduleTurn()
            }
        } catch let error as Discontinuity {
            discontinued(error)
            scheduleTurn()
            throw describe(error)
        } catch {
            throw describe(error)
        }
        guard copy == nil, copyDue == nil else { return nextTransaction }
        var newest = lastTransaction
        if closing != nil { newest = newest?.next ?? .first }
        if open?.isEmpty == false { newest = newest?.next ?? .first }
        return newest
    }

    /// Tells which transactions have reached every store.
    package func shipped(through id: TransactionID) {
        shipped = max(shipped ?? id, id)
        _ = closedFiles.remove(through: id)
        spooledByteCount = unshippedByteCount()
        turn()
    }

    /// As ``shipped(through:)`` for a file of ``closedFiles``, without waiting for the engine's turn.
    package nonisolated func noteShipped(through id: TransactionID) {
        let job: @Sendable () -> Void = {
            self.assumeIsolated { engine in
                guard let byteCount = engine.closedFiles.remove(through: id) else { return engine.shipped(through: id) }
                engine.shipped = max(engine.shipped ?? id, id)
                engine.spooledByteCount = max(0, engine.spooledByteCount - byteCount)
                // What is open may be closed now.
                if !engine.hasNothingOpen { engine.turn() }
            }
        }
        // Where nothing waits for it the engine learns it at its next turn. First the job, then the question: the
        // engine answers before it looks for jobs a last time.
        executor.postpone(job)
        if awaitsShipping.load(ordering: .sequentiallyConsistent) { executor.async {} }
    }

    /// Tells that the replica's history is ours, and up to where it holds it.
    package func storeIsKnown(shippedThrough id: TransactionID?) {
        isStoreKnown = true
        if let id { shipped = max(shipped ?? id, id) }
        spooledByteCount = unshippedByteCount()
        turn()
    }

    /// The transactions that have a local file, ascending.
    package func localTransactions() throws -> [TransactionID] { try folder.transactionIDs() }

    /// Gives up the local history and begins anew with a whole copy above `highest`; `nil` for the first transaction.
    ///
    /// - Throws: ``CaptureError``, also where the database is not attached: nothing was given up then.
    package func restartHistory(above highest: TransactionID?, cause: Discontinuity.Cause, detail: String) throws {
        guard phase == .attached else { throw notAttached }
        abandonCopy()
        dropCaptures()
        // From here on nothing is kept but in the copy.
        copyDue = CopyRequest(.whole, Discontinuity(cause, detail))
        closedFiles.removeAll()
        do {
            for id in try folder.transactionIDs() { try folder.remove(id) }
            for path in [folder.positionFile, folder.followedFile, folder.pageTableFile] { try Disk.remove(path) }
            (recorded, followed) = (nil, nil)
            (lastTransaction, table, tableStamp, adoptable) = (highest, nil, nil, nil)
            (shipped, unshippedCopy, books) = (highest, nil, Books())
            spooledByteCount = 0
            try beginCopy(.whole, cause: Discontinuity(cause, detail))
        } catch {
            throw describe(error)
        }
        scheduleTurn()
    }

    /// The local files that are not shipped, ascending.
    ///
    /// Where one of them is gone, what follows it is of no use to a replica: a whole copy takes their place.
    package func unshippedTransactions() throws -> [TransactionID] {
        let ids = try folder.transactionIDs().filter { id in shipped.map { id > $0 } ?? true }
        guard phase == .attached, isStoreKnown, let lastTransaction, copy == nil, copyDue == nil else { return ids }
        let first = shipped?.next ?? ids.first ?? .first
        guard first <= lastTransaction else { return ids }
        guard UInt64(ids.count) == lastTransaction.rawValue - first.rawValue + 1 else {
            let detail = "between \(first) and \(lastTransaction)"
            try restartHistory(above: shipped, cause: .localFilesLost, detail: detail)
            return []
        }
        return ids
    }

    /// Removes local files that are shipped and covered elsewhere; the newest stays, and what the page table needs.
    package func dropLocalFiles(_ ids: [TransactionID]) throws {
        let droppable = ids.filter { $0 != lastTransaction && $0 <= shipped ?? .first }
        guard let highest = droppable.max() else { return }
        do {
            if tableStamp.map({ $0 < highest }) ?? true { try storePageTable() }
            guard let tableStamp, tableStamp >= highest else { return }
            for id in droppable { try folder.remove(id) }
        } catch {
            throw describe(error)
        }
    }

    /// The path of a local file.
    package func localFile(_ id: TransactionID) -> FilePath { folder.transactionFile(id) }

    /// Ends capturing: what is committed is captured and closed first (E7).
    ///
    /// Where nobody else has the database open, all is backfilled too, so that the next start can prove continuity by
    /// the file alone. Where others have, nothing is: the log keeps its generation, and proves it.
    ///
    /// - Returns: Whether everything is captured: not where the spool is full, or a copy is due.
    @discardableResult
    package func detach() throws -> Bool {
        guard phase == .attached else {
            defer { closeFiles() }
            return phase == .detached
        }
        reached(.detaching)
        defer { closeFiles() }
        do {
            try capture()
            guard copy == nil, copyDue == nil else { return false }
            try closeCapture()
            keepBooks()
            if isAlone() { try leaveQuiet() } else if try index().isBackfilled, mayRestart { _ = try recordQuiet() }
            try storePageTable()
            return true
        } catch {
            throw describe(error)
        }
    }

    /// Backfills everything and writes the quiet mark, as soon as the file's time tells changes apart.
    private func leaveQuiet() throws {
        guard try rotate(gated: false), hasNothingOpen else { return }
        let deadline = ContinuousClock.now + .milliseconds(200)
        while try !recordQuiet(), ContinuousClock.now < deadline { Blocking.sleep(.milliseconds(5)) }
    }

    /// Lets go of the database at once, as if the process had died; for tests and replaced files.
    package func abandon() { closeFiles() }

    func scheduleTurn() {
        executor.async { self.assumeIsolated { $0.turn() } }
    }

    func unshippedByteCount() -> Int64 {
        let files = (try? unshippedTransactions()) ?? []
        return files.reduce(0) { sum, id in
            sum + (((try? FileStatus(path: folder.transactionFile(id)))??.byteCount) ?? 0)
        }
    }
}

extension CaptureEngine {
    /// Leaves the state of a full spool, so that it can be attached again.
    package func resumeFromSuspension() {
        if phase == .suspended { phase = .detached }
    }

    /// The metadata folder, for those who put files into it.
    nonisolated var folderForFiles: MetadataFolder {
        MetadataFolder(root: settings.metadata ?? MetadataFolder.defaultPath(for: settings.database))
    }
}
