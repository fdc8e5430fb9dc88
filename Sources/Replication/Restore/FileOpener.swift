import LTX
import NIOCore
import NIOPosix
import ObjectStorage
import SystemPackage

/// Opens the files of a plan: fetches what stands before and behind their frames.
struct FileOpener: Sendable {
    let replica: Replica
    let pool: NIOThreadPool
    /// Where long page indexes are kept that come from a store: beside the output of the restore.
    let scratch: FilePath

    /// The most bytes of a page index that are kept in memory; longer ones go to a file.
    var indexLimit: Int64 = 2 << 20

    /// - Throws: ``ReplicaError``: `changing` where the file is gone or has another size, `damaged`, `storage`,
    ///   `fileSystem`, `cancelled`.
    func open(_ file: ReplicaFile) async throws -> OpenedFile {
        guard !file.isTooShort else {
            throw ReplicaError.damaged(file, "has \(file.byteCount) bytes and cannot be whole")
        }
        if let path = replica.store.localFile(file.key) {
            return try await pool.runIfActive { try openLocal(file, path) }
        }
        guard file.byteCount > OpenedFile.wholeByteCount else {
            let bytes = try await replica.read(file, 0..<file.byteCount)
            return try await pool.runIfActive { try whole(file, bytes) }
        }
        // About what the index of such a file takes; what is missing is fetched once its size is known.
        let guess = Swift.min(indexLimit, Swift.max(64 << 10, file.byteCount / 200))
        async let head = replica.read(file, 0..<Int64(LTXHeader.byteCount))
        let end = try await replica.read(file, (file.byteCount - guess)..<file.byteCount)
        let index = try index(of: file, tail: end)
        let source = try await indexSource(file, index, end: end)
        let header = try await head
        return try await pool.runIfActive {
            try OpenedFile(
                file,
                // SAFETY: the elements are bytes, all of them initialized.
                header: unsafe header.readableBytesUInt8Span.bytes,
                index: index,
                content: .store,
                indexSource: source
            )
        }
    }

    private func openLocal(_ file: ReplicaFile, _ path: FilePath) throws -> OpenedFile {
        let source: FileSource
        do { source = try FileSource(path, name: file.key) } catch let error as Errno {
            guard error == .noSuchFileOrDirectory else { throw ReplicaError.fileSystem("reading", path, error) }
            throw ReplicaError.changing(file, "is gone", cause: error)
        }
        guard source.byteCount == file.byteCount else {
            throw ReplicaError.changing(file, "has \(source.byteCount) bytes instead of \(file.byteCount)")
        }
        guard file.byteCount > OpenedFile.wholeByteCount else {
            return try whole(file, bytes(of: source, 0..<file.byteCount))
        }
        let tailByteCount = Int64(LTXIndex.tailByteCount)
        let header = try bytes(of: source, 0..<Int64(LTXHeader.byteCount))
        return try OpenedFile(
            file,
            // SAFETY: the elements are bytes, all of them initialized.
            header: unsafe header.readableBytesUInt8Span.bytes,
            index: index(of: file, tail: bytes(of: source, (file.byteCount - tailByteCount)..<file.byteCount)),
            content: .local(source),
            indexSource: source
        )
    }

    private func whole(_ file: ReplicaFile, _ bytes: ByteBuffer) throws(ReplicaError) -> OpenedFile {
        // SAFETY: the elements are bytes, all of them initialized.
        let span = unsafe bytes.readableBytesUInt8Span.bytes
        return try OpenedFile(
            file,
            header: span.extracting(first: LTXHeader.byteCount),
            index: index(of: file, tail: bytes),
            content: .bytes(bytes),
            indexSource: BufferSource(name: file.key, byteCount: file.byteCount, bytes: bytes, start: 0)
        )
    }

    private func index(of file: ReplicaFile, tail: ByteBuffer) throws(ReplicaError) -> LTXIndex {
        do {
            // SAFETY: the elements are bytes, all of them initialized.
            return try LTXIndex(tail: unsafe tail.readableBytesUInt8Span.bytes, fileByteCount: file.byteCount)
        } catch {
            throw .damaged(file, error)
        }
    }

    /// Gives everything from the end of the frames on: from what was fetched already, or fetched now.
    private func indexSource(_ file: ReplicaFile, _ index: LTXIndex, end: ByteBuffer) async throws -> any LTXSource {
        let start = index.framesRange.upperBound
        let have = file.byteCount - Int64(end.readableBytes)
        if start >= have { return BufferSource(name: file.key, byteCount: file.byteCount, bytes: end, start: have) }
        if file.byteCount - start <= indexLimit {
            var bytes = try await replica.read(file, start..<have)
            bytes.writeImmutableBuffer(end)
            return BufferSource(name: file.key, byteCount: file.byteCount, bytes: bytes, start: start)
        }
        return try await spooledIndex(file, from: start)
    }

    /// Fetches a long index part by part into a file that has no name any more.
    private func spooledIndex(_ file: ReplicaFile, from start: Int64) async throws -> any LTXSource {
        let path = FilePath(scratch.string + "-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp")
        let spool = try await pool.runIfActive {
            try IndexSpool(path, name: file.key, start: start, fileByteCount: file.byteCount)
        }
        var position = start
        while position < file.byteCount {
            let end = Swift.min(file.byteCount, position + indexLimit)
            let (offset, bytes) = (position - start, try await replica.read(file, position..<end))
            try await pool.runIfActive { try spool.write(bytes, at: offset) }
            position = end
        }
        return spool
    }

    private func bytes(of source: FileSource, _ range: Range<Int64>) throws -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: range.count)
        try unsafe bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { target in
            // SAFETY: the region has at least as many bytes as were asked for.
            try unsafe source.read(
                into: UnsafeMutableRawBufferPointer(rebasing: target[..<range.count]),
                at: range.lowerBound
            )
            return range.count
        }
        return bytes
    }
}

/// The end of a file, kept in a temporary file that is gone when this object goes.
private final class IndexSpool: LTXSource {
    let name: String
    let byteCount: Int64
    private let start: Int64
    private let descriptor: SystemPackage.FileDescriptor

    init(_ path: FilePath, name: String, start: Int64, fileByteCount: Int64) throws {
        (self.name, self.start, byteCount) = (name, start, fileByteCount)
        do {
            descriptor = try SystemPackage.FileDescriptor.open(
                path,
                .readWrite,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
            try Disk.remove(path)
        } catch let error as Errno { throw ReplicaError.fileSystem("creating", path, error) }
    }

    deinit {
        try? descriptor.close()  // Has no name: nothing of it is kept.
    }

    func write(_ bytes: ByteBuffer, at offset: Int64) throws {
        do {
            try unsafe bytes.withUnsafeReadableBytes { source in
                var done = 0
                while done < source.count {
                    // SAFETY: `done` is below the buffer's size.
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: source[done...])
                    done += try unsafe descriptor.write(toAbsoluteOffset: offset + Int64(done), rest)
                }
            }
        } catch let error as Errno {
            throw ReplicaError.fileSystem("writing a part of '\(name)' beside the output", "", error)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard offset >= start else { throw LTXError(.truncated, "Only the end of the file is kept.") }
        var done = 0
        while done < buffer.count {
            // SAFETY: `done` is below the buffer's size.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try unsafe descriptor.read(fromAbsoluteOffset: offset - start + Int64(done), into: rest)
            guard count > 0 else { throw LTXError(.truncated, "The file was cut short while it was read.") }
            done += count
        }
    }
}
