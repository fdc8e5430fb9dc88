import CFileSystem
import SQLiteFormat
import SystemPackage

/// A `-wal` file, open for reading.
///
/// It carries no locks, so a descriptor of our own does no harm, unlike one on the database or its `-shm`.
final class WALFile: Sendable {
    /// Which file it is; another one under the same name is another log.
    let identity: FileIdentity
    private let descriptor: FileDescriptor
    private let path: FilePath

    /// Opens the log of the database at `database`.
    init(database: FilePath) throws {
        path = FilePath(database.string + "-wal")
        descriptor = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        do {
            identity = try FileIdentity(of: descriptor)
        } catch {
            try? descriptor.close()  // nothing was done with it
            throw error
        }
    }

    deinit {
        try? descriptor.close()  // read-only: nothing can be lost
    }

    /// Fills `buffer` from `offset` as far as the file goes, and returns the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// The log's header as the file has it now, or `nil` where there is no valid one.
    func header() throws -> WALHeader? {
        var bytes = [UInt8](repeating: 0, count: WALHeader.byteCount)
        let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try read(into: $0, at: 0) }
        guard count == bytes.count else { return nil }
        return unsafe WALHeader(parsing: bytes.span.bytes)
    }

    /// The header of frame `number`, whatever its validity; `nil` past the end of the file.
    func frameHeader(_ number: UInt32, geometry: WALGeometry) throws -> WALFrameHeader? {
        var bytes = [UInt8](repeating: 0, count: WALFrameHeader.byteCount)
        let offset = geometry.offset(ofFrame: number)
        let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try read(into: $0, at: offset) }
        guard count == bytes.count else { return nil }
        return unsafe WALFrameHeader(parsing: bytes.span.bytes)
    }

    /// The size of the file in bytes, which is that of the longest generation it has held.
    func byteCount() throws -> Int64 { try descriptor.seek(offset: 0, from: .end) }

    /// Makes durable what the application has written, so that a replica is never ahead of the disk (B11).
    func sync() throws { try Disk.syncData(descriptor, path) }

    /// Lets the system begin to write bytes to the disk, so that a sync that follows has less to wait for. Promises
    /// nothing.
    func startWriting(_ bytes: Range<Int64>) {
        cfilesystem_start_writing(descriptor.rawValue, bytes.lowerBound, Int64(bytes.count))
    }
}
