import ObjectStorage
import Replication
public import SystemPackage

extension TailStore {
    /// Copies a tail into a folder: its manifest and all its files, each compared with what the manifest says of it.
    ///
    /// A file that this node has, whole, is taken from there, any other one from the store. The folder appears under its
    /// name once it is complete and durable.
    ///
    /// - Parameters:
    ///   - reference: The tail.
    ///   - folder: The folder, which must not exist, or be empty. Missing folders above it are made.
    /// - Returns: What is known of the tail.
    /// - Throws: ``TailError``: as ``entry(_:)``; `outputExists`; `damaged` where a file is in no place as it was kept.
    @discardableResult
    public func export(_ reference: TailReference, to folder: FilePath) async throws(TailError) -> TailManifest {
        try await tailErrors("exporting the tail \(reference)") {
            try await onDisk { try Self.checkUnused(folder) }
            let entry = try await entry(reference)
            let manifest = try entry.described()
            let beside = Self.workplace(beside: folder)
            do {
                try await onDisk { try Disk.makeFolders(beside, mode: 0o700) }
                for file in manifest.files { try await fetch(file, of: entry, to: beside) }
                try await onDisk {
                    let path = beside.appending(TailManifest.name)
                    try Disk.replace(path, with: manifest.encoded, mode: 0o600, durable: true)
                    try Self.checkUnused(folder)
                    try Disk.rename(beside, to: folder)
                    let parent = folder.removingLastComponent()
                    try Disk.syncFolder(parent.isEmpty ? "." : parent)
                }
            } catch {
                // Best effort, on the way of another error; not on a pool, which a cancelled task would not reach.
                try? LocalTails.removeFolder(beside)
                throw error
            }
            return manifest
        }
    }

    /// A name beside an output that nobody has: what lies there is not ours, and another one may be at work.
    static func workplace(beside output: FilePath) -> FilePath {
        FilePath("\(output)-\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp")
    }

    private static func checkUnused(_ folder: FilePath) throws {
        guard folder.lastComponent != nil else {
            throw TailError(.outputExists, "'\(folder)' is no name for a folder: give another path.")
        }
        guard let status = try FileStatus(path: folder) else { return }
        guard status.isFolder, try Disk.names(in: folder).isEmpty else {
            throw TailError(.outputExists, "'\(folder)' exists: give a path where nothing is, or an empty folder.")
        }
    }

    /// Copies a file of a tail into a folder, and makes it durable.
    func fetch(_ file: TailManifest.File, of entry: TailEntry, to folder: FilePath) async throws {
        let path = folder.appending(file.name)
        let expected = NewFile.Summary(byteCount: file.byteCount, checksum: file.checksum)
        if entry.isLocal, let local {
            let source = local.folder(of: entry.id).appending(file.name)
            let isWhole = try await onDisk {
                guard try FileStatus(path: source) != nil else { return false }
                return try NewFile.copy(source, to: path, mode: 0o600) == expected
            }
            if isWhole { return }
            try await onDisk { try Disk.remove(path) }
        }
        guard entry.isStored, let node = entry.node else {
            throw TailError(.damaged, "'\(file.name)' is not as it was kept, and the store has no other copy of it.")
        }
        let key = key(node, entry.id, file.name)
        do throws(ObjectStoreError) { _ = try await store.download(key, to: path) } catch {
            guard error.code == .notFound else { throw error }
            throw TailError(.damaged, "'\(key)' is missing: the tail is not whole.", cause: error)
        }
        guard try await onDisk({ try NewFile.summary(of: path) }) == expected else {
            throw TailError(.damaged, "'\(key)' is not as it was kept: its size or its checksum is another one.")
        }
    }
}
