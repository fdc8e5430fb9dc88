import LTX
package import SystemPackage

/// A file that is being written, its size and checksum known at its end.
///
/// It belongs to one thread at a time; all its methods block. One that is not finished stays as it is: make it where
/// leftovers are removed.
package final class NewFile {
    /// What is known of a file that was written.
    package struct Summary: Hashable, Sendable {
        /// Its size in bytes.
        package var byteCount: Int64
        /// The CRC-64 of its bytes; see `CRC64`.
        package var checksum: UInt64

        /// Tells of a file.
        package init(byteCount: Int64, checksum: UInt64) { (self.byteCount, self.checksum) = (byteCount, checksum) }
    }

    private let path: FilePath
    private let descriptor: FileDescriptor
    private var byteCount: Int64 = 0
    private var register: UInt64 = ~0

    /// Creates the file, which must not exist.
    package init(_ path: FilePath, mode: UInt32) throws {
        self.path = path
        do {
            descriptor = try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: FilePermissions(rawValue: CInterop.Mode(mode))
            )
        } catch let error as Errno {
            throw FileFailure("creating", path, error.rawValue)
        }
    }

    deinit { try? descriptor.close() }  // finished and synced, or given up

    /// Appends bytes.
    package func write(_ bytes: RawSpan) throws {
        register = CRC64.update(register, with: bytes)
        byteCount += Int64(bytes.byteCount)
        do {
            // SAFETY: the bytes are only read, during the call.
            _ = unsafe try bytes.withUnsafeBytes { unsafe try descriptor.writeAll($0) }
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
    }

    /// Makes the file's bytes durable; its name is not yet.
    package func finish() throws -> Summary {
        try Disk.syncData(descriptor, path)
        return Summary(byteCount: byteCount, checksum: ~register)
    }

    /// Copies a file, and makes the copy's bytes durable.
    ///
    /// Never of a database that is open in this process: closing the file would drop SQLite's locks on it.
    package static func copy(_ path: FilePath, to copy: FilePath, mode: UInt32) throws -> Summary {
        let file = try NewFile(copy, mode: mode)
        try forEachBlock(of: path) { try file.write($0) }
        return try file.finish()
    }

    /// The size and the checksum of a file that is there.
    package static func summary(of path: FilePath) throws -> Summary {
        var summary = Summary(byteCount: 0, checksum: ~0)
        try forEachBlock(of: path) { bytes in
            summary.byteCount += Int64(bytes.byteCount)
            summary.checksum = CRC64.update(summary.checksum, with: bytes)
        }
        summary.checksum = ~summary.checksum
        return summary
    }

    private static func forEachBlock(of path: FilePath, _ body: (RawSpan) throws -> Void) throws {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { try? descriptor.close() }  // read-only: nothing can be lost
            var block = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = unsafe try block.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
                guard count > 0 else { return }
                // SAFETY: the elements are bytes, and as many were just read.
                try body(unsafe block.span.bytes.extracting(0..<count))
            }
        } catch let error as Errno {
            throw FileFailure("reading", path, error.rawValue)
        }
    }
}
