import Synchronization
package import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The database file that a restore makes: written beside its place, and put there when it is complete.
///
/// All methods block.
package final class RestoreOutput: Sendable {
    /// Where the database is to lie.
    let path: FilePath
    /// Where it is written meanwhile.
    let temporary: FilePath
    let descriptor: SystemPackage.FileDescriptor
    private let isClosed = Atomic(false)

    /// What SQLite would take for a part of a database: files beside it with these endings.
    private static let sidecarEndings = ["-wal", "-shm", "-journal"]

    /// Checks that an output may be written.
    ///
    /// - Parameter replaces: Whether what lies there may be replaced.
    /// - Throws: ``ReplicaError`` with code `outputExists` or `outputUnusable`.
    package static func check(_ path: FilePath, replaces: Bool) throws {
        guard path.lastComponent != nil else {
            throw ReplicaError(.outputUnusable, "'\(path)' is no name for a database file: give the path of a file.")
        }
        if let status = try status(path) {
            guard !status.isFolder else {
                throw ReplicaError(.outputUnusable, "'\(path)' is a folder: give the path of a file in it.")
            }
            guard status.isRegularFile else {
                throw ReplicaError(.outputUnusable, "'\(path)' is no regular file: give another path.")
            }
            guard status.byteCount == 0 || replaces else {
                let text = "'\(path)' exists and is not empty: give another path, or force its replacement."
                throw ReplicaError(.outputExists, text)
            }
        }
        for sidecar in sidecars(of: path) where try !replaces && status(sidecar) != nil {
            let text = "'\(sidecar)' was left by another database, and SQLite would take it for a part of the restored"
            throw ReplicaError(.outputExists, "\(text) one: move it away, or force its removal.")
        }
    }

    /// Creates the temporary file, and the folders above it that are missing.
    ///
    /// One that a dead process left is taken over.
    ///
    /// - Throws: ``ReplicaError`` with code `outputBusy`, `fileSystem` or `diskFull`.
    init(_ path: FilePath) throws {
        (self.path, temporary) = (path, FilePath(path.string + ".tmp"))
        do {
            let folder = path.removingLastComponent()
            if !folder.isEmpty { try Disk.makeFolders(folder, mode: 0o700) }
            descriptor = try Self.lockedFile(temporary, for: path)
        } catch let error as FileFailure { throw ReplicaError(error) }
    }

    deinit { close() }

    /// Closes the file, once; what it was for is synced by then, or removed.
    private func close() {
        guard !isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        try? descriptor.close()  // There is nothing left to be told of.
    }

    /// The name of the file between its completion and its place.
    private var complete: FilePath { FilePath(path.string + ".complete") }

    /// Opens the temporary file and locks it; the lock goes with the descriptor, also when the process dies.
    private static func lockedFile(_ path: FilePath, for output: FilePath) throws -> SystemPackage.FileDescriptor {
        while true {
            let descriptor: SystemPackage.FileDescriptor
            do {
                descriptor = try SystemPackage.FileDescriptor.open(
                    path,
                    .readWrite,
                    options: [.create, .noFollow, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
                )
            } catch let error as Errno { throw ReplicaError.fileSystem("creating", path, error) }
            do {
                // A file system without such locks is served without them.
                guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
                    let text = "Another restore to '\(output)' is running: wait for it, or give another path."
                    throw ReplicaError(.outputBusy, text)
                }
                // Between opening and locking it another restore may have ended, and have given the file its name.
                if try FileStatus(path: path)?.identity == FileIdentity(of: descriptor) {
                    try descriptor.resize(to: 0)
                    return descriptor
                }
            } catch {
                try? descriptor.close()  // Nothing was written to it.
                if let error = error as? Errno { throw ReplicaError.fileSystem("locking", path, error) }
                throw error
            }
            try? descriptor.close()  // Nothing was written to it.
        }
    }

    /// Sets the file's size: what was not written is zeros.
    func resize(to byteCount: Int64) throws {
        do { try descriptor.resize(to: byteCount) } catch let error as Errno {
            throw ReplicaError.fileSystem("writing", temporary, error)
        }
    }

    /// Brings what was written to the disk.
    func sync() throws {
        do { try Disk.syncData(descriptor, temporary) } catch let error as FileFailure { throw ReplicaError(error) }
    }

    /// Removes what a look into the temporary file with SQLite may have left beside it.
    func removeTemporarySidecars() throws {
        do {
            for sidecar in Self.sidecars(of: temporary) { try Disk.remove(sidecar) }
        } catch let error as FileFailure { throw ReplicaError(error) }
    }

    /// Puts the complete and synced file in its place; what lay there is gone only now.
    ///
    /// It is closed before: this very process may open the database as soon as it is there, and closing another
    /// descriptor of a file drops all locks that SQLite holds on it. It gets another name before that, under which no
    /// other restore takes it for one that a dead process left.
    ///
    /// - Throws: ``ReplicaError``, `outputExists` where something was put there meanwhile.
    func publish(replaces: Bool) throws {
        try Self.check(path, replaces: replaces)
        do {
            for sidecar in Self.sidecars(of: path) { try Disk.remove(sidecar) }
            try Disk.rename(temporary, to: complete)
            close()
            try Disk.rename(complete, to: path)
            let folder = path.removingLastComponent()
            try Disk.syncFolder(folder.isEmpty ? "." : folder)
        } catch let error as FileFailure { throw ReplicaError(error) }
    }

    /// Removes the temporary file; best effort, on the way of another error.
    func discard() {
        try? removeTemporarySidecars()
        try? Disk.remove(temporary)
        if isClosed.load(ordering: .sequentiallyConsistent) { try? Disk.remove(complete) }
    }

    private static func sidecars(of path: FilePath) -> [FilePath] {
        sidecarEndings.map { FilePath(path.string + $0) }
    }

    private static func status(_ path: FilePath) throws -> FileStatus? {
        do { return try FileStatus(path: path) } catch let error as Errno {
            throw ReplicaError.fileSystem("looking at", path, error)
        }
    }
}
