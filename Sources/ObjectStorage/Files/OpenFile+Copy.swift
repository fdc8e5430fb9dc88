import NIOCore
import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension OpenFile {
    /// Appends the first `byteCount` bytes of `source` to this empty file, and starts writing them to the disk
    /// meanwhile.
    ///
    /// The kernel copies where it can, which on some file systems shares the blocks instead.
    ///
    /// - Returns: The number of bytes copied: fewer if `source` is shorter.
    func copyAll(of source: OpenFile, byteCount: Int64) throws(Errno) -> Int64 {
        var copied: Int64 = 0
        var kernelCopies = true
        while copied < byteCount {
            let length = Int(min(Self.copyBlockSize, byteCount - copied))
            let count: Int
            if kernelCopies, let copy = try kernelCopy(from: source, length: length) {
                count = copy
            } else {
                kernelCopies = false
                let block = try source.read(byteCount: min(length, Self.blockSize), at: copied)
                try write(block, at: copied)
                count = block.readableBytes
                // The kernel's copy goes by the descriptors' own positions; this one leaves them where they are.
            }
            if count == 0 { break }
            startWriting(offset: copied, byteCount: count)
            copied += Int64(count)
        }
        return copied
    }

    /// Bytes a kernel copy moves at a time: large enough to be cheap, small enough to overlap with the disk's work.
    private static var copyBlockSize: Int64 { 8 << 20 }

    /// Copies between the descriptors' own positions; `nil` where the kernel or the file systems cannot.
    private func kernelCopy(from source: OpenFile, length: Int) throws(Errno) -> Int? {
        guard let copyFileRange = unsafe LinuxCalls.copyFileRange else { return nil }
        while true {
            // Null offsets mean the descriptors' own positions.
            let count = copyFileRange(source.descriptor.rawValue, nil, descriptor.rawValue, nil, length, 0)
            if count >= 0 { return count }
            let code = Errno(rawValue: errno)
            switch code {
            case .interrupted: continue
            case .noFunction, .improperLink, .invalidArgument, .notSupported, .notPermitted: return nil
            default: throw code
            }
        }
    }

    /// Asks the kernel to begin writing these bytes to the disk, without waiting: `sync()` then has less to wait for.
    func startWriting(offset: Int64, byteCount: Int) {
        // A hint alone: errors show up in `sync()`.
        _ = LinuxCalls.syncFileRange?(descriptor.rawValue, offset, Int64(byteCount), 2)
    }
}

/// Two calls of Linux that the C library's module does not declare; `nil` where the library lacks them.
private enum LinuxCalls {
    typealias CopyFileRange =
        @convention(c) (CInt, UnsafeMutablePointer<Int64>?, CInt, UnsafeMutablePointer<Int64>?, Int, CUnsignedInt) ->
        Int
    typealias SyncFileRange = @convention(c) (CInt, Int64, Int64, CUnsignedInt) -> CInt

    #if os(Linux)
        // SAFETY: the types are those of the functions in `unistd.h` and `fcntl.h`, for 64-bit offsets.
        static let copyFileRange: CopyFileRange? = unsafe symbol("copy_file_range").map { address in
            unsafe unsafeBitCast(address, to: CopyFileRange.self)
        }
        static let syncFileRange: SyncFileRange? = unsafe symbol("sync_file_range").map { address in
            unsafe unsafeBitCast(address, to: SyncFileRange.self)
        }

        private static func symbol(_ name: String) -> UnsafeMutableRawPointer? { unsafe dlsym(nil, name) }
    #else
        static let copyFileRange: CopyFileRange? = nil
        static let syncFileRange: SyncFileRange? = nil
    #endif
}
