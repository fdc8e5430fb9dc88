package import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which file a path or a descriptor stands for: the same numbers, the same file.
package struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    /// The file behind an open descriptor.
    init(of descriptor: FileDescriptor) throws {
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    /// Takes known numbers.
    init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }
}

/// What the file system tells of a file.
package struct FileStatus: Hashable, Sendable {
    package let identity: FileIdentity
    package let byteCount: Int64
    /// Content and metadata times in nanoseconds since 1970.
    let modified: Int64
    let changed: Int64
    package let mode: UInt32
    let owner: UInt32
    let group: UInt32
    let isRegularFile: Bool
    package let isFolder: Bool

    /// Looks at `path`; `nil` where nothing is there.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - followsLinks: Whether it is the file that counts to which a symbolic link leads; otherwise it is the link.
    package init?(path: FilePath, followsLinks: Bool = true) throws {
        var status = stat()
        let result = unsafe path.withPlatformString {
            unsafe followsLinks ? stat($0, &status) : lstat($0, &status)
        }
        guard result == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileFailure("looking at", path, errno)
        }
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        byteCount = Int64(status.st_size)
        #if os(Linux)
            modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        #else
            modified = Int64(status.st_mtimespec.tv_sec) * 1_000_000_000 + Int64(status.st_mtimespec.tv_nsec)
            changed = Int64(status.st_ctimespec.tv_sec) * 1_000_000_000 + Int64(status.st_ctimespec.tv_nsec)
        #endif
        mode = UInt32(status.st_mode) & 0o7777
        (owner, group) = (UInt32(status.st_uid), UInt32(status.st_gid))
        isRegularFile = status.st_mode & S_IFMT == S_IFREG
        isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
}

extension FileStatus {
    /// Whether something is there; what cannot be looked at is not.
    package static func exists(_ path: FilePath) -> Bool { ((try? FileStatus(path: path)) ?? nil) != nil }
}
