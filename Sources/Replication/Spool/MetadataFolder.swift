package import LTX
import ObjectStorage
package import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The folder beside a database in which the engine keeps what it must know after a restart.
///
/// It is Litestream's own, so that either program can go on from the other:
///
///     DIR/.NAME-litestream/ltx/0/N-N.ltx                 transaction files, as they are shipped
///     DIR/.NAME-litestream/sqlite-replicate/position     what is known at the newest of them
///     DIR/.NAME-litestream/sqlite-replicate/pages        a checksum for each page of the database
///     DIR/.NAME-litestream/sqlite-replicate/lock         held by the engine that is attached
///     DIR/.NAME-litestream/cluster.json                  which node of a cluster this is, and what it must not forget
///     DIR/.NAME-litestream/cluster.lock                  held by that node
///
/// Not safe for use from several threads at a time; the engine that holds the lock is its only user.
package struct MetadataFolder: Sendable {
    /// The folder itself.
    package let root: FilePath
    /// Permissions for files, those of the database.
    package let fileMode: UInt32
    /// Permissions for folders, those of the database's folder.
    package let folderMode: UInt32

    /// The folder's place unless the configuration names another.
    package static func defaultPath(for database: FilePath) -> FilePath {
        let name = database.lastComponent?.string ?? "database"
        return database.removingLastComponent().appending(".\(name)-litestream")
    }

    /// The folder of a database.
    package static func of(_ settings: DatabaseSettings) -> MetadataFolder {
        MetadataFolder(root: settings.metadata ?? defaultPath(for: settings.database))
    }

    /// Takes a place; nothing is made yet.
    package init(root: FilePath, fileMode: UInt32 = 0o600, folderMode: UInt32 = 0o700) {
        (self.root, self.fileMode, self.folderMode) = (root, fileMode, folderMode)
    }

    /// The folder of a database as `settings` place it, with the permissions of the database and of its folder, so far as
    /// they are there.
    package init(_ settings: DatabaseSettings) throws {
        let database = try FileStatus(path: settings.database)
        let parent = try FileStatus(path: settings.database.removingLastComponent())
        self.init(
            root: settings.metadata ?? Self.defaultPath(for: settings.database),
            fileMode: (database?.mode ?? 0o600) & 0o666 | 0o600,
            folderMode: (parent?.mode ?? 0o700) & 0o777 | 0o700
        )
    }

    /// Where transaction files of level 0 lie.
    var transactions: FilePath { root.appending("ltx").appending("0") }
    /// Where the engine's own files lie.
    package var own: FilePath { root.appending("sqlite-replicate") }
    /// The position record.
    var positionFile: FilePath { own.appending("position") }
    /// Up to where the log is captured beyond the newest file; of the form of the position record.
    var followedFile: FilePath { own.appending("followed") }
    /// The page table.
    var pageTableFile: FilePath { own.appending("pages") }

    /// Makes the folders, and removes what a dead process left unfinished.
    ///
    /// - Parameter sweeps: Whether it does the latter: not where somebody in this process may be at work.
    func prepare(sweeps: Bool = true) throws {
        try Disk.makeFolders(transactions, mode: folderMode)
        try Disk.makeFolders(own, mode: folderMode)
        guard sweeps else { return }
        for folder in [transactions, own] {
            for name in try Disk.names(in: folder) where name.hasSuffix(".tmp") {
                try Disk.remove(folder.appending(name))
            }
        }
    }

    /// The path of the file of one transaction.
    package func transactionFile(_ id: TransactionID) -> FilePath {
        transactions.appending(LTXFileName(min: id, max: id).description)
    }

    /// The transactions that have a file here, ascending.
    package func transactionIDs() throws -> [TransactionID] {
        try Disk.names(in: transactions).compactMap(LTXFileName.init).filter { $0.min == $0.max }.map(\.max).sorted()
    }

    /// A name for an unfinished file; it ends in `.tmp`, so that a restart removes it.
    package func temporaryFile(_ purpose: String) -> FilePath {
        own.appending("\(purpose)-\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp")
    }

    /// Gives a finished and synced file its final name, unless that is taken.
    ///
    /// - Throws: `FileFailure` with `EEXIST` where somebody else wrote that transaction.
    func publish(_ temporary: FilePath, as id: TransactionID) throws {
        let path = transactionFile(id)
        do throws(Errno) {
            try OpenFile.rename(temporary, toUnused: path)
        } catch {
            throw FileFailure("creating", path, error.rawValue)
        }
    }

    /// Makes the names of published files durable.
    func settle() throws { try Disk.syncFolder(transactions) }

    /// Removes the file of a transaction.
    func remove(_ id: TransactionID) throws { try Disk.remove(transactionFile(id)) }

    /// Takes the lock that keeps a second engine away, until the returned value goes.
    package func lock() throws -> EngineLock { try EngineLock(own.appending("lock"), mode: fileMode) }
}

/// An exclusive lock on a database's metadata folder, held until this object goes.
package final class EngineLock: Sendable {
    private let descriptor: FileDescriptor

    package init(_ path: FilePath, mode: UInt32) throws {
        do {
            descriptor = try FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .closeOnExec],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode))
            )
        } catch let error as Errno {
            throw FileFailure("opening", path, error.rawValue)
        }
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            try? descriptor.close()  // nothing was done with it
            throw FileFailure("locking", path, code)
        }
    }

    deinit {
        try? descriptor.close()  // drops the lock
    }
}
