package import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The system calls that swift-system does not have, each naming the file in what it throws.
package enum Disk {
    /// Makes a file's bytes and size durable.
    package static func syncData(_ descriptor: FileDescriptor, _ path: FilePath) throws {
        #if os(Linux)
            let result = fdatasync(descriptor.rawValue)
        #else
            // An ordinary fsync leaves the bytes in the drive's cache there.
            let result = fcntl(descriptor.rawValue, F_FULLFSYNC)
        #endif
        guard result == 0 else { throw FileFailure("syncing", path, errno) }
    }

    /// Makes a folder's entries durable: names made, renamed or removed in it.
    package static func syncFolder(_ path: FilePath) throws {
        do {
            let folder = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            defer { try? folder.close() }  // read-only: nothing can be lost
            guard fsync(folder.rawValue) == 0 else { throw Errno(rawValue: errno) }
        } catch let error as Errno {
            throw FileFailure("syncing the folder", path, error.rawValue)
        }
    }

    /// Gives a file another name, replacing what has it.
    package static func rename(_ old: FilePath, to new: FilePath) throws {
        let result = unsafe old.withPlatformString { old in
            unsafe new.withPlatformString { unsafe systemRename(old, $0) }
        }
        guard result == 0 else { throw FileFailure("renaming to", new, errno) }
    }

    /// Removes a file; one that is not there is no error.
    package static func remove(_ path: FilePath) throws {
        let result = unsafe path.withPlatformString { unsafe unlink($0) }
        guard result == 0 || errno == ENOENT else { throw FileFailure("removing", path, errno) }
    }

    /// Removes a folder in which nothing is; one that is not there is no error.
    package static func removeEmptyFolder(_ path: FilePath) throws {
        let result = unsafe path.withPlatformString { unsafe rmdir($0) }
        guard result == 0 || errno == ENOENT else { throw FileFailure("removing the folder", path, errno) }
    }

    /// Makes a folder and those above it that are missing.
    package static func makeFolders(_ path: FilePath, mode: UInt32) throws {
        if let status = try FileStatus(path: path) {
            guard status.isFolder else { throw FileFailure("making the folder", path, ENOTDIR) }
            return
        }
        let parent = path.removingLastComponent()
        if !parent.isEmpty, parent != path { try makeFolders(parent, mode: mode) }
        let result = unsafe path.withPlatformString { unsafe mkdir($0, mode_t(mode)) }
        guard result == 0 || errno == EEXIST else { throw FileFailure("making the folder", path, errno) }
    }

    /// Where a folder that is there really lies, without links, and its number on its file system.
    package static func place(of folder: FilePath) throws -> (path: String, inode: UInt64) {
        guard let status = try FileStatus(path: folder) else { throw FileFailure("looking at", folder, ENOENT) }
        guard let path = unsafe folder.withPlatformString({ unsafe realpath($0, nil) }) else {
            throw FileFailure("looking at", folder, errno)
        }
        defer { unsafe free(path) }
        // SAFETY: realpath made this C string, which is freed only afterwards.
        return (unsafe String(cString: path), status.identity.inode)
    }

    /// The names in a folder, in no order; none where there is no such folder.
    package static func names(in folder: FilePath) throws -> [String] {
        guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
            if errno == ENOENT { return [] }
            throw FileFailure("listing", folder, errno)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw FileFailure("listing", folder, errno) }
                return names
            }
            // SAFETY: d_name is a C string within the entry, which lives until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Removes the unfinished files in a folder, whose names end in `.tmp`.
    package static func removeTemporaryFiles(in folder: FilePath) throws {
        for name in try names(in: folder) where name.hasSuffix(".tmp") { try remove(folder.appending(name)) }
    }

    /// Reads a whole small file; `nil` where there is none.
    package static func contents(of path: FilePath, limit: Int) throws -> [UInt8]? {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { try? descriptor.close() }  // read-only: nothing can be lost
            // In steps: most files are small, and those of /proc do not tell their size.
            var bytes: [UInt8] = []
            var done = 0
            while done < limit {
                if done == bytes.count {
                    bytes.append(contentsOf: repeatElement(0, count: min(max(4096, done), limit - done)))
                }
                let count = unsafe try bytes.withUnsafeMutableBytes {
                    unsafe try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
                }
                if count == 0 { break }
                done += count
            }
            bytes.removeLast(bytes.count - done)
            return bytes
        } catch let error as Errno {
            if error == .noSuchFileOrDirectory { return nil }
            throw FileFailure("reading", path, error.rawValue)
        }
    }

    /// Writes a small file in its place, in one call, without making it durable: whoever reads it must notice a torn one.
    ///
    /// No file is created and none removed, which some file systems make dear when it happens at every commit.
    package static func overwrite(_ path: FilePath, with bytes: [UInt8], mode: UInt32) throws {
        do {
            let descriptor = try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .closeOnExec],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode))
            )
            try descriptor.closeAfter { _ = try descriptor.writeAll(toAbsoluteOffset: 0, bytes) }
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
    }

    /// Replaces a file whole: writes beside it, syncs if `durable`, renames.
    package static func replace(_ path: FilePath, with bytes: [UInt8], mode: UInt32, durable: Bool) throws {
        let temporary = FilePath(path.string + ".tmp")
        do {
            let descriptor = try FileDescriptor.open(
                temporary,
                .writeOnly,
                options: [.create, .truncate, .closeOnExec],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode))
            )
            try descriptor.closeAfter {
                try descriptor.writeAll(bytes)
                if durable { try syncData(descriptor, temporary) }
            }
        } catch let error as Errno {
            throw FileFailure("writing", temporary, error.rawValue)
        }
        try rename(temporary, to: path)
        if durable { try syncFolder(path.removingLastComponent()) }
    }
}

/// `rename(2)`, under a name that ``Disk/rename(_:to:)`` does not hide.
private func systemRename(
    _ old: UnsafePointer<CInterop.PlatformChar>,
    _ new: UnsafePointer<CInterop.PlatformChar>
) -> Int32 {
    unsafe rename(old, new)
}

/// A system call that failed on a file.
package struct FileFailure: Error, Sendable, CustomStringConvertible {
    package let action: String
    package let path: FilePath
    package let errno: Errno

    package init(_ action: String, _ path: FilePath, _ code: Int32) {
        (self.action, self.path, errno) = (action, path, Errno(rawValue: code))
    }

    /// Whether this process may not do it.
    var isPermission: Bool { [.permissionDenied, .notPermitted, .readOnlyFileSystem].contains(errno) }

    /// Whether the disk or the quota is full.
    package var isDiskFull: Bool { errno == .noSpace || errno == .diskQuotaExceeded }

    package var description: String { "\(action) \(path): \(errno)" }
}
