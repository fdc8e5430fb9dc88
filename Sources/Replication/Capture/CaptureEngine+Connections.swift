import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// The connection whose read transaction pins the log.
    func reader(_ index: Int) throws(SQLiteFailure) -> EngineConnection {
        if let reader = readers[index] { return reader }
        let new = try connect()
        readers[index] = new
        return new
    }

    /// The connection that runs PASSIVE checkpoints.
    func checkpointConnection() throws(SQLiteFailure) -> EngineConnection {
        if let checkpointer { return checkpointer }
        let new = try connect()
        checkpointer = new
        return new
    }

    /// The connection that takes the write lock.
    func gateConnection() throws(SQLiteFailure) -> EngineConnection {
        if let gate { return gate }
        let new = try connect()
        gate = new
        return new
    }

    /// Opens a connection. A process that opens or closes the database holds it locked for an instant.
    func connect() throws(SQLiteFailure) -> EngineConnection {
        try waiting(.milliseconds(20)) { () throws(SQLiteFailure) in
            try EngineConnection(path: settings.database.string)
        }
    }

    /// Whether there is something that ``closeSpareConnections()`` would close.
    var hasSpareConnections: Bool { gate != nil || checkpointer != nil || current == 0 && readers[1] != nil }

    /// Closes what a quiet database does not need: all but the reader.
    func closeSpareConnections() {
        (gate, checkpointer) = (nil, nil)
        // The wal-index stays mapped as long as one connection of this process has it open.
        readers[1 - current] = nil
        buffer.release()
    }

    /// Begins a read transaction, waiting for locks that are held for a moment.
    func begin(_ index: Int, patience: Duration) throws {
        try waiting(patience) { () throws(SQLiteFailure) in try reader(index).beginRead() }
    }

    /// Tries again while locks are held that others give back soon.
    func waiting<Result>(
        _ patience: Duration,
        pause: Duration = .milliseconds(1),
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(SQLiteFailure) -> Result {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try body()
            } catch {
                guard error.isBusy, ContinuousClock.now < deadline else { throw error }
                if pause > .zero { Blocking.sleep(pause) }
            }
        }
    }

    /// Takes the write lock, trying again for `patience`. Returns `false` where others held it all the time.
    func lockWriters(on gate: EngineConnection, patience: Duration, pause: Duration) throws(SQLiteFailure) -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            if try gate.lockWriters() { return true }
            guard ContinuousClock.now < deadline else { return false }
            if pause > .zero { Blocking.sleep(pause) }
        }
    }

    /// Lets writers go on. A lock that cannot be given back goes with its connection.
    func releaseWriters(_ gate: EngineConnection) {
        if (try? gate.unlockWriters()) == nil { self.gate = nil }
    }

    /// Whether the paths still name the files that were attached; looked at before every checkpoint (B8).
    func filesAreOurs() throws -> Bool {
        guard let databaseIdentity, let wal else { return true }
        let path = settings.database.string
        let now = try FileStatus(path: settings.database)?.identity
        let log = try FileStatus(path: FilePath(path + "-wal"))?.identity
        let index = try FileStatus(path: FilePath(path + "-shm"))?.identity
        return now == databaseIdentity && log == wal.identity && index == indexIdentity
    }

    /// Runs a PASSIVE checkpoint. Returns `false` where another connection is checkpointing.
    func passive() throws -> Bool {
        guard try filesAreOurs() else { throw Discontinuity(.anotherFile) }
        guard !locksAreLost else { return false }
        reached(.beforePassive)
        let done = try checkpointConnection().checkpointPassive()
        reached(.afterPassive)
        return done
    }

    /// As ``locksHold()``, which takes milliseconds, but asks at most once a second.
    func locksHeldLately(_ now: ContinuousClock.Instant) -> Bool {
        guard locksLookedAt.duration(to: now) > .seconds(1) else { return !locksAreLost }
        locksLookedAt = now
        return locksHold()
    }

    /// Asks the kernel whether SQLite's locks are still there (B9). If not, no checkpoint is run any more.
    func locksHold() -> Bool {
        guard !locksAreLost, let databaseIdentity, let indexIdentity else { return !locksAreLost }
        let index = ProcessLocks.isHeld(ProcessLocks.readers, of: indexIdentity) ?? true
        let database = ProcessLocks.isHeld(ProcessLocks.shared, of: databaseIdentity) ?? true
        guard !index || !database else { return true }
        locksAreLost = true
        onEvent(
            .failed(
                "The locks on \(settings.database)\(index ? "" : "-shm") are gone: something in this process has opened "
                    + "and closed that file by itself. Nothing is checkpointed any more; restart this process."
            )
        )
        return false
    }

    /// Makes sure that the application's SQLite and ours are one library: two do not see each other's locks (B9).
    func requireOneLibrary() throws {
        guard settings.isInProcess else { return }
        if let indexIdentity, let descriptors = ProcessLocks.descriptors(of: indexIdentity), descriptors.count > 1 {
            throw twoLibraries
        }
        guard let applicationCanWrite = settings.applicationCanWrite else { return }
        let gate = try gateConnection()
        guard try lockWriters(on: gate, patience: settings.busyTimeout, pause: .milliseconds(1)) else {
            throw CaptureError(.databaseBusy, "\(settings.database) stays locked by a writer.")
        }
        defer { releaseWriters(gate) }
        if applicationCanWrite() { throw twoLibraries }
    }

    private var twoLibraries: CaptureError {
        CaptureError(
            .twoLibraries,
            "Two copies of SQLite in this process have \(settings.database) open: they do not see each other's locks and "
                + "would damage it. Link one of them only, or run the replicator as a program of its own."
        )
    }

    /// Whether nobody but this engine has the database open, so far as can be known.
    func isAlone() -> Bool {
        guard let indexIdentity, let databaseIdentity, ProcessLocks.othersHold(indexIdentity) == false else {
            return false
        }
        guard settings.isInProcess else { return true }
        // Descriptors of connections that were closed stay open as long as others hold locks: then this says no.
        let own = (readers + [gate, checkpointer]).compactMap(\.self).count
        return ProcessLocks.descriptors(of: databaseIdentity).map { $0.count <= own } ?? false
    }
}
