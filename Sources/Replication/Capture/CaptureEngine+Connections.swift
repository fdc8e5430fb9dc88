import SQLiteFormat
import SystemPackage

extension CaptureEngine {
    /// The connection whose read transaction pins the log.
    func reader(_ index: Int) throws -> EngineConnection {
        if let reader = readers[index] { return reader }
        let new = try EngineConnection(path: settings.database.string)
        readers[index] = new
        return new
    }

    /// The connection that runs PASSIVE checkpoints.
    func checkpointConnection() throws -> EngineConnection {
        if let checkpointer { return checkpointer }
        let new = try EngineConnection(path: settings.database.string)
        checkpointer = new
        return new
    }

    /// The connection that takes the write lock.
    func gateConnection() throws -> EngineConnection {
        if let gate { return gate }
        let new = try EngineConnection(path: settings.database.string)
        gate = new
        return new
    }

    /// Closes what a quiet database does not need: all but the reader.
    func closeSpareConnections() {
        (gate, checkpointer) = (nil, nil)
        // The wal-index is mapped through reader 0, which therefore stays.
        if current == 0 { readers[1] = nil }
        buffer.release()
    }

    /// Begins a read transaction, waiting for locks that are held for a moment.
    func begin(_ index: Int, patience: Duration) throws {
        let connection = try reader(index)
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                try connection.beginRead()
                return
            } catch {
                guard error.isBusy, ContinuousClock.now < deadline else { throw error }
                Blocking.sleep(.milliseconds(1))
            }
        }
    }

    /// Whether the paths still name the files that were attached; looked at before every checkpoint (B8).
    func filesAreOurs() throws -> Bool {
        guard let databaseIdentity, let wal else { return true }
        let now = try FileStatus(path: settings.database)?.identity
        let log = try FileStatus(path: .init(settings.database.string + "-wal"))?.identity
        return now == databaseIdentity && log == wal.identity
    }

    /// Runs a PASSIVE checkpoint. Returns `false` where another connection is checkpointing.
    func passive() throws -> Bool {
        guard try filesAreOurs() else { throw Discontinuity(.anotherFile) }
        reached(.beforePassive)
        let done = try checkpointConnection().checkpointPassive()
        reached(.afterPassive)
        return done
    }
}
