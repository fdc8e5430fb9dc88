import LTX
public import Replication
public import SystemPackage

extension TailStore {
    /// Makes a database file with the state that a tail leads to.
    ///
    /// It comes from the copy of the database where the tail has one, as those of databases of up to 256 MiB do; else the
    /// replica is restored to the fork, and the tail's transactions are put on top. Either way its checksum is compared
    /// with the one that was kept. The file appears under its name once it is complete and durable.
    ///
    /// - Parameters:
    ///   - reference: The tail.
    ///   - replica: The replica that the tail's cluster shares.
    ///   - output: The database file, which must not exist, nor a `-wal`, `-shm` or `-journal` beside it.
    /// - Returns: What is known of the tail.
    /// - Throws: ``TailError``: as ``export(_:to:)``; `notRestorable` where the replica no longer leads to the fork.
    @discardableResult
    public func database(
        _ reference: TailReference,
        replica: Replica,
        to output: FilePath
    ) async throws(TailError) -> TailManifest {
        try await tailErrors("making a database of the tail \(reference)") {
            try await onDisk { try RestoreOutput.check(output, replaces: false) }
            let entry = try await entry(reference)
            let manifest = try entry.described()
            let workplace = Self.workplace(beside: output)
            do {
                try await onDisk { try Disk.makeFolders(workplace, mode: 0o700) }
                let path = workplace.appending(TailManifest.database)
                if manifest.hasDatabase {
                    try await copyDatabase(manifest, entry, to: path)
                } else {
                    try await rebuild(manifest, entry, replica, at: path)
                }
                try await onDisk {
                    try Self.check(path, manifest)
                    try RestoreOutput.check(output, replaces: false)
                    try Disk.rename(path, to: output)
                    let folder = output.removingLastComponent()
                    try Disk.syncFolder(folder.isEmpty ? "." : folder)
                    try LocalTails.removeFolder(workplace)
                }
            } catch {
                // Best effort, on the way of another error; not on a pool, which a cancelled task would not reach.
                try? LocalTails.removeFolder(workplace)
                throw error
            }
            return manifest
        }
    }

    private func copyDatabase(_ manifest: TailManifest, _ entry: TailEntry, to path: FilePath) async throws {
        let folder = path.removingLastComponent()
        let names = [TailManifest.database, TailManifest.log]
        for file in manifest.files where names.contains(file.name) { try await fetch(file, of: entry, to: folder) }
        if manifest.files.contains(where: { $0.name == TailManifest.log }) {
            try await onDisk {
                let log = folder.appending(TailManifest.log)
                try ClosedDatabase(path, pageSize: manifest.state.pageSize).apply(log: log)
            }
        }
        guard manifest.fork != nil else { return }
        let isThere = try await onDisk {
            try ClosedDatabase(path, pageSize: manifest.state.pageSize).checksum() == manifest.state.checksum
        }
        // After a power cut the files may lead further than the database did; what it has already is written again.
        if !isThere { try await apply(manifest, entry, to: path) }
    }

    private func rebuild(
        _ manifest: TailManifest,
        _ entry: TailEntry,
        _ replica: Replica,
        at path: FilePath
    ) async throws {
        if let transaction = manifest.base.transaction {
            do {
                let result = try await Restorer(replica).restore(.transaction(transaction), to: path)
                guard result.databaseChecksum == manifest.base.checksum else {
                    let fact = "The replica's transaction \(transaction) is not the state that the tail goes on from"
                    throw TailError(.notRestorable, "\(fact): export the transaction files instead.")
                }
            } catch let error as ReplicaError where error.code == .notRestorable || error.code == .noBackup {
                throw TailError(.notRestorable, "\(error.message) \(Self.reason(manifest))", cause: error)
            }
        }
        try await apply(manifest, entry, to: path)
    }

    /// Why there is no other way to a database.
    private static func reason(_ manifest: TailManifest) -> String {
        let byteCount = Int64(manifest.state.pageCount) * Int64(manifest.state.pageSize)
        let limit = TailKeeper.copyLimit >> 20
        let fact =
            byteCount > TailKeeper.copyLimit
            ? "Its database has \(byteCount >> 20) MiB, and only those of up to \(limit) MiB are copied with a tail"
            : "No copy of its database was kept"
        return "\(fact): use the transaction files instead."
    }

    private func apply(_ manifest: TailManifest, _ entry: TailEntry, to path: FilePath) async throws {
        let folder = path.removingLastComponent()
        for file in manifest.transactionFiles {
            guard let name = LTXFileName(file.name) else { continue }
            try await fetch(file, of: entry, to: folder)
            try await onDisk {
                let copy = folder.appending(file.name)
                let database = try ClosedDatabase(path, pageSize: manifest.state.pageSize)
                _ = try database.apply(try FileSource(copy, name: file.name), as: name)
                try Disk.remove(copy)
            }
        }
    }

    private static func check(_ path: FilePath, _ manifest: TailManifest) throws {
        let database = try ClosedDatabase(path, pageSize: manifest.state.pageSize)
        guard try database.checksum() == manifest.state.checksum else {
            throw TailError(.damaged, "The database is not the one whose checksum the tail names.")
        }
        try database.sync()
    }
}
