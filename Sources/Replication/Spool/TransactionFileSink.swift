import LTX
import SystemPackage

/// Where a transaction file is written: a temporary file that gets its name when it is complete and durable.
final class TransactionFileSink: LTXSink {
    /// The temporary file.
    let path: FilePath
    private let descriptor: FileDescriptor
    private var offset: Int64 = 0
    /// The file's beginning, which is written in one call: most files are small, and their header comes last.
    private var beginning: [UInt8] = []
    private var isBeginningKept = true

    private static let longestBeginning = 64 << 10

    /// Creates the file, which must not exist.
    init(path: FilePath, mode: UInt32) throws {
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

    func write(_ bytes: RawSpan) throws {
        if isBeginningKept, beginning.count + bytes.byteCount <= Self.longestBeginning {
            // SAFETY: the bytes are only read, during the call.
            return unsafe bytes.withUnsafeBytes { unsafe beginning.append(contentsOf: $0) }
        }
        try writeBeginning()
        try write(bytes, at: offset)
        offset += Int64(bytes.byteCount)
    }

    func replaceStart(_ bytes: RawSpan) throws {
        guard isBeginningKept, bytes.byteCount <= beginning.count else {
            try writeBeginning()
            return try write(bytes, at: 0)
        }
        // SAFETY: as above.
        unsafe bytes.withUnsafeBytes { start in unsafe beginning.replaceSubrange(0..<start.count, with: start) }
    }

    private func writeBeginning() throws {
        guard isBeginningKept else { return }
        let bytes = beginning
        if !bytes.isEmpty { unsafe try write(bytes.span.bytes, at: 0) }
        offset = Int64(bytes.count)
        (isBeginningKept, beginning) = (false, [])
    }

    /// Makes the file durable and closes it.
    func complete() throws {
        defer { try? descriptor.close() }  // synced, or given up
        try sync()
    }

    /// Makes durable what was written so far.
    func sync() throws {
        try writeBeginning()
        try Disk.syncData(descriptor, path)
    }

    /// Closes the file without making it durable, for one that is read again soon and then removed.
    func close() throws {
        defer { try? descriptor.close() }  // all is written, or that is thrown
        try writeBeginning()
    }

    /// Closes and removes the file; what cannot be removed now is removed at the next start.
    func discard() {
        try? descriptor.close()
        try? Disk.remove(path)
    }

    private func write(_ bytes: RawSpan, at offset: Int64) throws {
        do {
            unsafe try bytes.withUnsafeBytes { source in
                var done = 0
                while done < source.count {
                    done += unsafe try descriptor.write(
                        toAbsoluteOffset: offset + Int64(done),
                        UnsafeRawBufferPointer(rebasing: source[done...])
                    )
                }
            }
        } catch let error as Errno {
            throw FileFailure("writing", path, error.rawValue)
        }
    }
}

/// A transaction file on this host, open for reading until this object goes.
///
/// `Sendable`: reads are at absolute offsets on a descriptor that nobody changes.
final class TransactionFileSource: LTXSource {
    let name: String
    let byteCount: Int64
    private let descriptor: FileDescriptor

    /// Opens a file; `nil` where there is none.
    init?(path: FilePath) throws {
        name = path.lastComponent?.string ?? path.string
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            byteCount = try descriptor.seek(offset: 0, from: .end)
        } catch let error as Errno {
            if error == .noSuchFileOrDirectory { return nil }
            throw FileFailure("opening", path, error.rawValue)
        }
    }

    deinit {
        try? descriptor.close()  // read-only: nothing can be lost
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        var done = 0
        while done < buffer.count {
            let count = unsafe try descriptor.read(
                fromAbsoluteOffset: offset + Int64(done),
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            )
            guard count > 0 else { throw Errno.ioError }
            done += count
        }
    }

    /// The file's header.
    func header() throws -> LTXHeader {
        guard byteCount >= Int64(LTXHeader.byteCount + LTXTrailer.byteCount) else { throw Errno.ioError }
        var bytes = [UInt8](repeating: 0, count: LTXHeader.byteCount)
        unsafe try bytes.withUnsafeMutableBytes { unsafe try read(into: $0, at: 0) }
        return unsafe try LTXHeader(parsing: bytes.span.bytes)
    }

    /// The file's trailer.
    func trailer() throws -> LTXTrailer {
        guard byteCount >= Int64(LTXHeader.byteCount + LTXTrailer.byteCount) else { throw Errno.ioError }
        var bytes = [UInt8](repeating: 0, count: LTXTrailer.byteCount)
        let offset = byteCount - Int64(LTXTrailer.byteCount)
        unsafe try bytes.withUnsafeMutableBytes { unsafe try read(into: $0, at: offset) }
        return unsafe try LTXTrailer(parsing: bytes.span.bytes)
    }
}
