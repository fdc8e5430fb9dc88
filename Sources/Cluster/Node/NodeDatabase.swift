import LTX
import Logging
import ObjectStorage
import Replication
import SystemPackage

/// A node's database and its records, on threads that may block.
actor NodeDatabase {
    private let executor = SerialQueueExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// The database file.
    nonisolated let path: FilePath
    private let settings: DatabaseSettings
    private let logger: Logger
    private var follower: FollowerDatabase?
    private var wantsLock = false
    private var isLocking = false
    private var seal: LocalTransaction?

    init(_ settings: DatabaseSettings, logger: Logger) {
        (self.settings, self.logger, path) = (settings, logger, settings.database)
    }

    private func opened() throws -> FollowerDatabase {
        if let follower { return follower }
        let new = try FollowerDatabase(settings)
        follower = new
        return new
    }

    /// Whether there is a database file.
    var exists: Bool { (try? opened().exists) ?? false }

    /// The size of its pages in bytes; `nil` before it was locked.
    var pageSize: Int? { follower?.pageSize }

    /// Its size in bytes, without the log; `nil` before it was examined.
    var byteCount: Int64? {
        guard let follower, let count = follower.pageCount, let size = follower.pageSize else { return nil }
        return Int64(count) * Int64(size)
    }

    /// The checksum of the database as it stands; `nil` before it was examined.
    var checksum: UInt64? { follower?.checksum }

    /// The metadata folder.
    func folder() throws -> MetadataFolder { try opened().folder }

    /// Whether it begins a cluster and is not sealed yet.
    func isFounding() throws -> Bool { try opened().journal.isFounding }

    /// Whether nothing is recorded of its places.
    func isUnknown() throws -> Bool { try opened().journal.recorded == nil }

    // MARK: - The write lock

    /// From now on the write lock is wanted, until ``unlock()``.
    ///
    /// Said in the order of what was decided, while ``lock()`` may begin late: it must not take what was given back.
    func wantLock() { wantsLock = true }

    /// Takes the write lock, as soon as nobody else has it, and keeps it; ends where it is not wanted any more.
    func lock() async {
        var isTold = false
        while wantsLock {
            do {
                let follower = try opened()
                // One that is to be restored first is locked as soon as it is there.
                if follower.exists, try follower.lock() { return }
            } catch {
                if !isTold { logger.warning("The database cannot be locked", metadata: ["error": "\(error)"]) }
                isTold = true
            }
            do { try await Pause.sleep(for: .milliseconds(2)) } catch { return }
        }
    }

    /// Gives the write lock back.
    func unlock() {
        wantsLock = false
        do { try follower?.unlock() } catch {
            logger.error("The write lock could not be given back", metadata: ["error": "\(error)"])
        }
    }

    // MARK: - Joining

    /// Looks at the database and its records.
    ///
    /// - Returns: `nil` where nothing is recorded of it.
    func examine(_ node: NodeID) throws -> DatabaseFinding? {
        guard try opened().isLocked else { throw NodeError.store("\(path) is not locked yet.") }
        let finding = try opened().examine(node: node.rawValue)
        return finding.map { finding in
            DatabaseFinding(
                checksum: finding.checksum,
                recorded: ChainPoint(finding.recorded),
                intended: finding.intended.map { ChainPoint($0) },
                older: finding.older.map { ChainPoint($0) },
                ahead: finding.ahead.map { FileMark($0) },
                epoch: Epoch(rawValue: finding.recorded.epoch)
            )
        }
    }

    /// Whether the write lock is held.
    var isLocked: Bool { follower?.isLocked ?? false }

    /// The place before the chain was to begin with this database; `nil` where it is not to, or none was recorded.
    func placeBeforeFounding() throws -> ChainState? {
        let journal = try opened().journal
        return journal.isFounding ? journal.older.last : nil
    }

    /// The newest transaction that has a file here; 0 where none has.
    func newestFile() throws -> UInt64 { try opened().folder.transactionIDs().last?.rawValue ?? 0 }

    /// The local files of own transactions behind a place.
    func files(behind number: UInt64) throws -> [FilePath] {
        let folder = try opened().folder
        return try folder.transactionIDs().filter { $0.rawValue > number }.map { folder.transactionFile($0) }
    }

    /// The oldest epoch that the records know of the database's place.
    func recordedState() throws -> ChainState? { try opened().journal.recorded }

    /// Says that the database begins a cluster, behind this transaction of the replica.
    func found(behind number: UInt64) throws {
        try opened().journal.found(at: ChainState(number: number, checksum: 0, epoch: 0))
    }

    /// Takes back that the chain begins with this database, unless the lease says so of this very place: another node was
    /// faster, or the lease was never written.
    func withdrawFounding(unlessBehind number: UInt64?) throws {
        let journal = try opened().journal
        guard journal.isFounding, journal.recorded?.number != number else { return }
        try journal.withdrawFounding()
    }

    /// Says that the database stands at a place of the chain.
    func note(_ state: ChainState) throws { try opened().note(state) }

    // MARK: - Following

    /// Applies a file of the chain.
    func apply(_ file: DecodedTransaction, from checksum: UInt64) throws -> ApplyAnswer {
        let follower = try opened()
        if follower.journal.isFounding, file.state.checksum != follower.checksum {
            // The seal got there and its session ended before it knew. What was written since is in nothing but this
            // database: it must not be written over as if the chain had it.
            try follower.journal.withdrawFounding()
            return .unfit
        }
        guard try follower.checkpointIfLong() else { return .unfit }
        return try follower.apply(file, from: checksum) ? .applied : .unfit
    }

    /// What may differ between the database and a chain from which it parted behind a place; `nil` where that is not known.
    func divergence(behind number: UInt64) throws -> (touched: Set<UInt32>, pageCount: UInt32, pageSize: Int)? {
        let follower = try opened()
        guard let count = follower.pageCount, let size = follower.pageSize,
            let touched = try follower.pagesTouched(behind: number)
        else { return nil }
        return (touched, count, size)
    }

    /// Puts the database into the chain's newest state by what it differs by from that.
    func rewind(by transaction: DecodedTransaction) throws -> Bool { try opened().rewind(by: transaction) }

    /// Puts the database into the state of a restored one.
    func rewind(to restored: FilePath, _ state: ChainState) throws -> Bool {
        try opened().rewind(to: restored, state)
    }

    // MARK: - Opening

    /// Writes the seal of an epoch, or finds the one that was written before: its bytes never change.
    func makeSeal(
        _ state: ChainState,
        node: NodeID,
        _ content: FollowerDatabase.SealContent
    ) throws -> LocalTransaction {
        if let seal, seal.state == state { return seal }
        let new = try opened().writeSeal(state, node: node.rawValue, content)
        seal = new
        return new
    }

    /// The seal that was written last and has not become a local transaction.
    func waitingSeal() throws -> LocalTransaction? { try opened().waitingSeal() }

    /// Makes the accepted seal the newest local transaction.
    ///
    /// Where numbers were passed over behind it, or there was nothing to seal, a file of page 1 takes its place on this host:
    /// what is captured from here on must lead on from something that it knows after a restart.
    func prepareOpening(_ point: ChainPoint, in epoch: Epoch, by node: NodeID) throws {
        let follower = try opened()
        defer { seal = nil }
        if let seal, seal.state.number == point.number, seal.state.epoch == epoch.rawValue {
            return try follower.prepareOpening(seal)
        }
        guard point.number > 0, !follower.journal.isFounding, let checksum = follower.checksum else { return }
        let newest = try follower.newestLocalState()
        let isLed = newest?.checksum == checksum
        // Own files from there on are what is shipped next; older ones end before numbers that were passed over.
        if let newest, isLed, newest.number >= point.number { return }
        guard isLed || checksum == point.checksum else { return }
        let state = ChainState(number: point.number, checksum: checksum, epoch: epoch.rawValue)
        let file = try follower.writeSeal(state, node: node.rawValue, .ownFirstPage)
        // The older files go before this place is recorded.
        try follower.journal.intend(state)
        try follower.prepareOpening(file)
    }

    /// Closes all connections; the write lock goes with them.
    func close() {
        wantsLock = false
        follower?.close()
    }
}
