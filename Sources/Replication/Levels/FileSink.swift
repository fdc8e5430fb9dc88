import LTX
import SystemPackage

/// A new local file that a transaction file is written to. All methods block.
final class FileSink: LTXSink {
    private let path: FilePath
    private let descriptor: SystemPackage.FileDescriptor
    private var offset: Int64 = 0

    /// Creates the file, which must not exist.
    ///
    /// - Throws: ``ReplicaError`` with code `fileSystem` or `diskFull`.
    init(_ path: FilePath) throws {
        self.path = path
        do {
            descriptor = try SystemPackage.FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
        } catch let error as Errno { throw ReplicaError.fileSystem("creating", path, error) }
    }

    deinit {
        try? descriptor.close()  // The file is read again before anything depends on it.
    }

    func write(_ bytes: RawSpan) throws {
        try write(bytes, at: offset)
        offset += Int64(bytes.byteCount)
    }

    func replaceStart(_ bytes: RawSpan) throws { try write(bytes, at: 0) }

    private func write(_ bytes: RawSpan, at start: Int64) throws {
        do {
            try unsafe bytes.withUnsafeBytes { source in
                var done = 0
                while done < source.count {
                    // SAFETY: `done` is below the region's size.
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: source[done...])
                    done += try unsafe descriptor.write(toAbsoluteOffset: start + Int64(done), rest)
                }
            }
        } catch let error as Errno { throw ReplicaError.fileSystem("writing", path, error) }
    }
}
