import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

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

    /// Gives a durable file of the same file system a second name, which nothing has.
    ///
    /// The names share their mode, owner and time from then on: only a file that has those of the object is linked.
    ///
    /// - Returns: The open file; `nil` where it must be copied, whatever the reason: copying tells what is wrong.
    /// - Throws: `fileExists` where something has the name.
    func link(_ source: FilePath, as path: FilePath, _ timestamp: Timestamp?) throws(Errno) -> OpenFile? {
        guard let file = try? OpenFile.open(source, .readOnly, [.closeOnExec, .noFollow], []),
            let status = try? file.status(), status.type == .regular, status.permissions == fileMode,
            owner.map({ $0.user == status.userID.rawValue && $0.group == status.groupID.rawValue }) ?? true,
            timestamp.map(status.isModified(at:)) ?? true
        else { return nil }
        do throws(Errno) {
            do throws(Errno) {
                try OpenFile.link(source, as: path)
            } catch {
                guard error == .noSuchFileOrDirectory else { throw error }
                try createFolder(path.removingLastComponent())
                try OpenFile.link(source, as: path)
            }
        } catch {
            if error == .fileExists { throw error }
            return nil
        }
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
