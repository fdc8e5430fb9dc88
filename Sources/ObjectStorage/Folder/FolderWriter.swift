import NIOCore
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One put into a ``FolderStore``. All its methods block.
struct FolderWriter: Sendable {
    let store: FolderStore
    let path: FilePath
    let body: ObjectBody
    let timestamp: Timestamp?

    /// - Returns: The new version; `nil` where another writer is comparing and swapping the same object.
    func put(_ condition: PutCondition) throws(ObjectStoreError) -> ObjectVersion? {
        switch condition {
        case .none:
            return try write(replacing: true)
        case .ifAbsent:
            // Spares the writing where the answer is known already; publishing has the last word.
            if (try? path.stat(followTargetSymlink: false)) != nil { throw conditionFailed("exists already") }
            return try write(replacing: false)
        case .ifVersion(let version):
            guard let lock = try FolderLock.attempt(guarding: path, store: store) else { return nil }
            defer { lock.release() }
            guard try currentVersion() == version else { throw conditionFailed("has another version by now") }
            return try write(replacing: true)
        }
    }

    /// Writes beside, syncs, publishes under the object's name, syncs the folder.
    private func write(replacing: Bool) throws(ObjectStoreError) -> ObjectVersion {
        let temporary = Self.temporaryName(for: path)
        let file: OpenFile
        var content: ByteBuffer?
        do throws(ObjectStoreError) {
            if let taken = try take(to: temporary) {
                file = taken
            } else {
                let source = try FolderSource(body)
                file = try fill(temporary, from: source)
                content = source.content
            }
            try publish(temporary, replacing: replacing)
        } catch {
            removeUnfinished(temporary)
            throw error
        }
        do throws(Errno) {
            try OpenFile.syncFolder(path.removingLastComponent())
            if let content, content.readableBytes <= ObjectVersion.largestHashed { return .of(content) }
            return try .of(file, file.status())
        } catch {
            throw .file("Syncing the folder of", path, error)
        }
    }

    /// Moves a file that nobody else needs; `nil` where it must be copied.
    private func take(to temporary: FilePath) throws(ObjectStoreError) -> OpenFile? {
        guard case .temporary(let source) = body else { return nil }
        do throws(Errno) {
            guard let file = try store.adopt(source, as: temporary) else { return nil }
            if let timestamp { try file.setTimes(timestamp) }
            try file.sync()
            return file
        } catch {
            throw .file("Moving '\(source)' to", path, error)
        }
    }

    private func fill(_ temporary: FilePath, from source: FolderSource) throws(ObjectStoreError) -> OpenFile {
        let count: Int64
        let file: OpenFile
        do throws(Errno) {
            file = try store.create(temporary)
            count = try source.write(to: file)
            // Before the name is there, so that nobody sees the object with another time.
            if let timestamp { try file.setTimes(timestamp) }
            try file.sync()
        } catch {
            throw .file("Writing", path, error)
        }
        guard count == source.byteCount else {
            throw ObjectStoreError(
                .integrity,
                "\(source.description) had \(source.byteCount) bytes and then \(count) while it was stored as "
                    + "'\(path)': store it again once nothing writes to it."
            )
        }
        return file
    }

    private func publish(_ temporary: FilePath, replacing: Bool) throws(ObjectStoreError) {
        do throws(Errno) {
            if !replacing { return try OpenFile.rename(temporary, toUnused: path) }
            // SAFETY: the paths' characters live across the calls.
            try OpenFile.call {
                unsafe temporary.withPlatformString { from in
                    unsafe path.withPlatformString { unsafe rename(from, $0) }
                }
            }
        } catch {
            if error == .fileExists, !replacing { throw conditionFailed("exists already") }
            throw .file("Naming", path, error)
        }
    }

    /// The version of the object that is there now; `nil` where there is none.
    private func currentVersion() throws(ObjectStoreError) -> ObjectVersion? {
        do throws(ObjectStoreError) {
            return try store.information(key: "", path: path).version
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func conditionFailed(_ fact: String) -> ObjectStoreError {
        ObjectStoreError(.conditionFailed, "'\(path)' \(fact): read it and decide anew.")
    }

    /// A new name beside an object's, which no listing shows.
    static func temporaryName(for path: FilePath) -> FilePath {
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        return FilePath(path.string + "." + random + FolderStore.temporarySuffix)
    }
}

extension FolderStore {
    /// Creates a new file with the store's mode and owner, and the folders above it where they are missing.
    func create(_ path: FilePath) throws(Errno) -> OpenFile {
        let file: OpenFile
        do throws(Errno) {
            file = try .creating(path, mode: fileMode, exclusive: true)
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            try createFolder(path.removingLastComponent())
            file = try .creating(path, mode: fileMode, exclusive: true)
        }
        try adopt(file, mode: fileMode)
        return file
    }

    /// Gives a file of the same file system another name, and the store's mode and owner.
    ///
    /// - Returns: `nil` where it lies on another file system, or has other names as well.
    func adopt(_ source: FilePath, as path: FilePath) throws(Errno) -> OpenFile? {
        let file = try OpenFile.reading(source)
        let status = try file.status()
        guard status.type == .regular, status.linkCount == 1 else { return nil }
        do throws(Errno) {
            do throws(Errno) {
                try OpenFile.rename(source, toUnused: path)
            } catch {
                guard error == .noSuchFileOrDirectory else { throw error }
                try createFolder(path.removingLastComponent())
                try OpenFile.rename(source, toUnused: path)
            }
        } catch {
            if error == .improperLink { return nil }
            throw error
        }
        try adopt(file, mode: fileMode)
        return file
    }

    /// Makes a folder with the store's mode and owner, and those above it, where they are missing.
    func createFolder(_ path: FilePath) throws(Errno) {
        do throws(Errno) {
            // SAFETY: the path's characters live across the call.
            try OpenFile.call { unsafe path.withPlatformString { unsafe mkdir($0, folderMode.rawValue) } }
        } catch {
            if error == .fileExists { return }
            guard error == .noSuchFileOrDirectory, !path.removingLastComponent().isEmpty else { throw error }
            try createFolder(path.removingLastComponent())
            return try createFolder(path)
        }
        try adopt(.open(path, .readOnly, [.directory, .closeOnExec], []), mode: folderMode)
        let parent = path.removingLastComponent()
        try OpenFile.syncFolder(parent.isEmpty ? "." : parent)
    }

    private func adopt(_ file: OpenFile, mode: FilePermissions) throws(Errno) {
        // The process' umask may have taken bits away.
        if try file.status().permissions != mode { try file.setMode(mode) }
        if let owner { file.setOwner(owner) }
    }
}
