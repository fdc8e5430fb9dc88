import CFileSystem
import NIOCore
package import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Both NIOCore and SystemPackage have a type of this name.
typealias FileDescriptor = SystemPackage.FileDescriptor

/// An open file, closed when its last owner lets go of it.
///
/// All its methods block: call them on a thread pool.
package final class OpenFile: Sendable {
    /// Bytes moved by one system call at most, so that a cancelled task is noticed in between.
    static let blockSize = 1 << 20

    let descriptor: FileDescriptor

    private init(descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit {
        // Nothing is lost with an error here: whoever needs the bytes on disk has called `sync()`.
        try? descriptor.close()
    }

    /// Opens a file to read it.
    static func reading(_ path: FilePath) throws(Errno) -> OpenFile {
        try open(path, .readOnly, [.closeOnExec], [])
    }

    /// Creates a file to write it; with `exclusive` it must not exist, else what exists is emptied.
    static func creating(_ path: FilePath, mode: FilePermissions, exclusive: Bool) throws(Errno) -> OpenFile {
        let more: FileDescriptor.OpenOptions = exclusive ? [.exclusiveCreate, .noFollow] : [.truncate]
        return try open(path, .readWrite, [.create, .closeOnExec, more], mode)
    }

    /// Creates the file of a download, or empties the one that is there.
    ///
    /// - Throws: `invalidArgument` for a device, a pipe or the like, which must be neither filled nor removed.
    static func creatingDownload(_ path: FilePath) throws(Errno) -> OpenFile {
        if let status = try? path.stat(), status.type != .regular { throw .invalidArgument }
        let file = try creating(path, mode: [.ownerReadWrite], exclusive: false)
        guard try file.status().type == .regular else { throw .invalidArgument }
        return file
    }

    static func open(
        _ path: FilePath,
        _ access: FileDescriptor.AccessMode,
        _ options: FileDescriptor.OpenOptions,
        _ mode: FilePermissions
    ) throws(Errno) -> OpenFile {
        do {
            return OpenFile(
                descriptor: try FileDescriptor.open(path, access, options: options, permissions: mode)
            )
        } catch {
            throw Errno(wrapping: error)
        }
    }

    func status() throws(Errno) -> Stat { try descriptor.stat() }

    /// The bytes from `offset` on: `byteCount`, or as many as there are.
    func read(byteCount: Int, at offset: Int64) throws(Errno) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: byteCount)
        while buffer.readableBytes < byteCount {
            let start = offset + Int64(buffer.readableBytes)
            let rest = min(byteCount - buffer.readableBytes, Self.blockSize)
            let result = Result<Int, any Error> {
                // SAFETY: `pread` writes into the first `rest` bytes of the region, which has at least as many, and
                // answers how many it wrote.
                try unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { region in
                    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: region[..<rest])
                    return try unsafe descriptor.read(fromAbsoluteOffset: start, into: target)
                }
            }
            switch result {
            case .success(0): return buffer
            case .success: continue
            case .failure(let error): throw Errno(wrapping: error)
            }
        }
        return buffer
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: ByteBuffer, at offset: Int64) throws(Errno) {
        let result = Result<Void, any Error> {
            // SAFETY: the region is only read, and only during the call; the slices lie within it.
            try unsafe bytes.withUnsafeReadableBytes { region in
                var written = 0
                while written < region.count {
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: region[written...])
                    written += try unsafe descriptor.write(toAbsoluteOffset: offset + Int64(written), rest)
                }
            }
        }
        if case .failure(let error) = result { throw Errno(wrapping: error) }
    }

    /// Brings the file's bytes and its size to the disk.
    func sync() throws(Errno) {
        #if canImport(Darwin)
            // `fsync` there leaves the bytes in the drive's cache.
            if fcntl(descriptor.rawValue, F_FULLFSYNC) == 0 { return }
        #endif
        try Self.call { fsync(descriptor.rawValue) }
    }

    /// Brings a folder's names to the disk.
    static func syncFolder(_ path: FilePath) throws(Errno) {
        try open(path, .readOnly, [.directory, .closeOnExec], []).sync()
    }

    /// Gives a file a name that nothing has, in one step.
    ///
    /// - Throws: `fileExists` where something has it; nothing is changed then.
    package static func rename(_ old: FilePath, toUnused new: FilePath) throws(Errno) {
        // SAFETY: the paths' characters live across the calls.
        do throws(Errno) {
            try call {
                unsafe old.withPlatformString { old in
                    unsafe new.withPlatformString { unsafe cfilesystem_rename_to_unused(old, $0) }
                }
            }
        } catch {
            // Kernels and file systems that do not know how. A second name is as exclusive; the first one then goes.
            guard [.invalidArgument, .noFunction, .notSupported].contains(error) else { throw error }
            try call {
                unsafe old.withPlatformString { old in unsafe new.withPlatformString { unsafe link(old, $0) } }
            }
            _ = unsafe old.withPlatformString { unsafe unlink($0) }  // what is left has no meaning under that name
        }
    }

    /// Sets the times of access and of modification.
    func setTimes(_ timestamp: Timestamp) throws(Errno) {
        let time = timespec(tv_sec: Int(timestamp.seconds), tv_nsec: Int(timestamp.nanoseconds))
        let times = [time, time]
        // SAFETY: `futimens` reads the two elements during the call.
        try Self.call { unsafe futimens(descriptor.rawValue, times) }
    }

    func setSize(_ byteCount: Int64) throws(Errno) {
        try Self.call { ftruncate(descriptor.rawValue, off_t(byteCount)) }
    }

    func setMode(_ mode: FilePermissions) throws(Errno) {
        try Self.call { fchmod(descriptor.rawValue, mode.rawValue) }
    }

    /// Gives the file away; without effect where the process may not.
    func setOwner(_ owner: FolderStore.Owner) {
        // Best effort by contract: only a privileged process can do this.
        _ = fchown(descriptor.rawValue, owner.user, owner.group)
    }

    /// Calls a function of the C library that answers -1 and sets `errno`, again when a signal interrupted it.
    static func call(_ body: () -> CInt) throws(Errno) {
        while body() == -1 {
            let code = Errno(rawValue: errno)
            guard code == .interrupted else { throw code }
        }
    }
}

extension Errno {
    /// The `Errno` that a call of swift-system has thrown.
    init(wrapping error: any Error) { self = error as? Errno ?? .ioError }
}
