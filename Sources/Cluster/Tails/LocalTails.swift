import Replication
public import SystemPackage

/// The tails that this node keeps, in its metadata folder: `sqlite-replicate/tails/ID/`.
///
/// All methods block. A tail has its name once it is complete and durable; what is unfinished ends in `.tmp`.
public struct LocalTails: Sendable {
    /// Where they lie.
    public let folder: FilePath

    /// Takes a database's metadata folder; nothing is made yet.
    public init(metadata: FilePath) { folder = metadata.appending("sqlite-replicate").appending("tails") }

    /// The folder of a tail.
    public func folder(of id: TailID) -> FilePath { folder.appending(id.description) }

    /// The names of the tails that are complete, by epoch, transaction and count.
    public func ids() throws(TailError) -> [TailID] {
        do {
            return try Disk.names(in: folder).compactMap(TailID.init).sorted()
        } catch { throw TailError(error, "listing the tails in \(folder)") }
    }

    /// The manifest of a tail; `nil` where there is no such tail.
    ///
    /// - Throws: ``TailError`` with code `damaged` where the manifest is missing or is none.
    public func manifest(of id: TailID) throws(TailError) -> TailManifest? {
        let path = folder(of: id).appending(TailManifest.name)
        do {
            guard try FileStatus(path: folder(of: id)) != nil else { return nil }
            guard let bytes = try Disk.contents(of: path, limit: TailManifest.byteLimit + 1) else {
                throw TailError(.damaged, "The tail \(id) has no manifest: look at \(folder(of: id)).")
            }
            let manifest = try TailManifest(parsing: bytes)
            guard manifest.id == id else {
                throw TailError(.damaged, "\(path) is the manifest of the tail \(manifest.id), not of \(id).")
            }
            return manifest
        } catch { throw TailError(error, "reading \(path)") }
    }

    /// How many tails nobody has acknowledged yet, as far as this folder knows; one that cannot be read counts.
    public func unacknowledgedCount() throws(TailError) -> Int {
        try ids().filter { id in
            guard let manifest = try? manifest(of: id) else { return true }
            return manifest.acknowledged == nil
        }.count
    }

    /// Replaces the manifest of a tail, durably.
    func write(_ manifest: TailManifest) throws(TailError) {
        let path = folder(of: manifest.id).appending(TailManifest.name)
        do {
            let mode = try FileStatus(path: path)?.mode ?? 0o600
            try Disk.replace(path, with: manifest.encoded, mode: mode, durable: true)
        } catch { throw TailError(error, "writing \(path)") }
    }

    /// Removes a tail; one that is not there is no error.
    func remove(_ id: TailID) throws(TailError) {
        let path = folder(of: id)
        do {
            guard try FileStatus(path: path) != nil else { return }
            let leftover = folder.appending("\(id).tmp")
            try Self.removeFolder(leftover)
            try Disk.rename(path, to: leftover)
            try Disk.syncFolder(folder)
            try Self.removeFolder(leftover)
        } catch { throw TailError(error, "removing the tail \(id)") }
    }

    /// Removes what a process that died left unfinished.
    func removeUnfinished() throws {
        for name in try Disk.names(in: folder) where name.hasSuffix(".tmp") {
            try Self.removeFolder(folder.appending(name))
        }
    }

    /// Removes a folder and the files in it; one that is not there is no error. Links are removed, not what they lead to.
    static func removeFolder(_ path: FilePath) throws {
        guard let status = try FileStatus(path: path, followsLinks: false) else { return }
        guard status.isFolder else { return try Disk.remove(path) }
        for name in try Disk.names(in: path) { try removeFolder(path.appending(name)) }
        try Disk.removeEmptyFolder(path)
    }
}

/// A tail in a node's metadata folder.
public struct LocalTail: Hashable, Sendable {
    /// Where its files lie.
    public let folder: FilePath
    /// What is known of it.
    public let manifest: TailManifest
}
