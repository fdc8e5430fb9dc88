package import LTX
import SQLiteFormat
package import SystemPackage

/// A database as its newest commit left it, read past SQLite's pager.
///
/// It is opened while somebody keeps all writers out. From then on a read transaction holds what it reads: writers may go
/// on, and the log grows as long. Other processes may go on checkpointing: what a checkpoint writes meanwhile is in the
/// frames that are read in its place. The database file is read through SQLite's own handle, since closing another descriptor of it would
/// drop the locks of this process.
///
/// It belongs to one thread at a time; all its methods block.
package final class HeldDatabase {
    /// The size of a page in bytes.
    package let pageSize: Int
    /// The size of the database in pages.
    package let pageCount: UInt32

    private let path: FilePath
    private let size: PageSize
    private let connection: EngineConnection
    private let file: SQLiteFileHandle
    /// The log, where it holds frames that are not all in the database file.
    private let log: WALFile?
    private let lastFrame: UInt32
    private let salts: WALSalts?
    /// The newest frame of each page in the log, once it was read.
    private var frames: [UInt32: UInt32]?

    private static let blockByteCount = 1 << 20

    /// Opens a database in WAL mode.
    ///
    /// - Throws: ``CaptureError``, `SQLiteFailure` or ``Discontinuity`` where it is none, or its log is damaged.
    package init(_ path: FilePath) throws {
        self.path = path
        connection = try EngineConnection(path: path.string)
        file = try connection.databaseFile()
        try connection.beginRead()
        guard let text = try connection.scalar("PRAGMA page_size"), let byteCount = Int(text),
            let size = PageSize(byteCount: byteCount), try connection.scalar("PRAGMA journal_mode") == "wal"
        else {
            throw CaptureError(.notInWALMode, "\(path) is not in WAL mode: it cannot be read beside its users.")
        }
        (self.size, pageSize) = (size, byteCount)
        guard let index = unsafe WALIndex(memory: try file.sharedMemory()).look() else {
            throw CaptureError(.databaseBusy, "\(path) is being written, although nobody should: try again.")
        }
        guard index.lastFrame > 0 else {
            (log, lastFrame, salts, pageCount) = (nil, 0, nil, try Self.pageCount(of: file, size))
            return
        }
        pageCount = index.pageCount
        guard !index.isBackfilled else {
            (log, lastFrame, salts) = (nil, 0, nil)
            return
        }
        (log, lastFrame, salts) = (try WALFile(database: path), index.lastFrame, index.salts)
    }

    /// The newest frame of each page in the log; it is read once, at the first need.
    private func newestFrames() throws -> [UInt32: UInt32] {
        if let frames { return frames }
        var frames: [UInt32: UInt32] = [:]
        if let log, let salts {
            let reader = WALReader(file: log, buffer: ReadBuffer(byteCount: Self.blockByteCount))
            _ = try reader.frames(after: .start(of: salts), through: lastFrame, pageSize: size) { number, frame, _ in
                frames[frame.pageNumber] = number
            }
        }
        self.frames = frames
        return frames
    }

    deinit { connection.endRead() }

    /// The size of a database whose log is empty: what its header says, if it is kept, or the file's size.
    private static func pageCount(of file: SQLiteFileHandle, _ size: PageSize) throws -> UInt32 {
        let count = UInt32(clamping: try file.byteCount() / Int64(size.byteCount))
        var bytes = [UInt8](repeating: 0, count: DatabaseHeader.byteCount)
        unsafe try bytes.withUnsafeMutableBytes { _ = unsafe try file.read(into: $0, at: 0) }
        // The counter of changes, and the one for which the size was written.
        guard let header = unsafe DatabaseHeader(parsing: bytes.span.bytes), bytes[24..<28] == bytes[92..<96],
            (1...max(1, count)).contains(header.pageCount)
        else { return count }
        return header.pageCount
    }

    /// The bytes of a page; `nil` past the end of the database.
    package func page(_ number: UInt32) throws -> [UInt8]? {
        guard number > 0, number <= pageCount else { return nil }
        var bytes = [UInt8](repeating: 0, count: pageSize)
        unsafe try bytes.withUnsafeMutableBytes { unsafe try read(number, into: $0) }
        return bytes
    }

    private func read(_ number: UInt32, into target: UnsafeMutableRawBufferPointer) throws {
        guard let log, let frame = try newestFrames()[number] else {
            unsafe try file.read(into: target, at: Int64(number - 1) * Int64(pageSize))
            return
        }
        let offset = WALGeometry(pageSize: size).offset(ofFrame: frame) + Int64(WALFrameHeader.byteCount)
        guard unsafe try log.read(into: target, at: offset) == target.count else {
            throw Discontinuity(.framesGone, "the WAL ends before frame \(frame)")
        }
    }

    /// What ``copy(database:log:mode:)`` has made.
    package struct Copy: Hashable, Sendable {
        /// The copy of the database file.
        package var database: NewFile.Summary
        /// The copy of the log; `nil` where the database file needs none.
        package var log: NewFile.Summary?
        /// The checksum of the database that both give together, as `DatabaseChecksum` defines it.
        package var checksum: UInt64
    }

    /// Copies the database file, and the log up to the newest commit, and makes both durable.
    ///
    /// SQLite takes the two for one database if the second one's name is the first one's with `-wal` at its end.
    package func copy(database: FilePath, log logCopy: FilePath, mode: UInt32) throws -> Copy {
        var checksum: UInt64 = 0
        let summary = try copyDatabase(to: database, mode: mode, &checksum)
        guard let log else { return Copy(database: summary, log: nil, checksum: checksum) }
        let copy = try NewFile(logCopy, mode: mode)
        let end = WALGeometry(pageSize: size).offset(ofFrame: lastFrame + 1)
        var block = [UInt8](repeating: 0, count: Self.blockByteCount)
        var offset: Int64 = 0
        while offset < end {
            let count = Int(min(end - offset, Int64(block.count)))
            let got = unsafe try block.withUnsafeMutableBytes { block in
                unsafe try log.read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<count]), at: offset)
            }
            guard got == count else { throw Discontinuity(.framesGone, "the WAL ends before frame \(lastFrame)") }
            try copy.write(unsafe block.span.bytes.extracting(0..<count))
            offset += Int64(count)
        }
        for number in try newestFrames().keys where number <= pageCount && number != size.lockPage {
            if let page = try page(number) { checksum ^= share(of: unsafe page.span.bytes, number) }
        }
        return Copy(database: summary, log: try copy.finish(), checksum: checksum)
    }

    /// Copies the database file, and adds to `checksum` the pages that are in no frame.
    private func copyDatabase(to path: FilePath, mode: UInt32, _ checksum: inout UInt64) throws -> NewFile.Summary {
        let copy = try NewFile(path, mode: mode)
        let frames = try newestFrames()
        let byteCount = min(try file.byteCount(), Int64(pageCount) * Int64(pageSize))
        var block = [UInt8](repeating: 0, count: Self.blockByteCount)
        var offset: Int64 = 0
        while offset < byteCount {
            let count = Int(min(byteCount - offset, Int64(block.count)))
            unsafe try block.withUnsafeMutableBytes { block in
                _ = unsafe try file.read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<count]), at: offset)
            }
            let bytes = unsafe block.span.bytes
            try copy.write(bytes.extracting(0..<count))
            for start in stride(from: 0, to: count - count % pageSize, by: pageSize) {
                let number = UInt32((offset + Int64(start)) / Int64(pageSize)) + 1
                guard frames[number] == nil, number != size.lockPage else { continue }
                checksum ^= share(of: bytes.extracting(start..<start + pageSize), number)
            }
            offset += Int64(count)
        }
        return try copy.finish()
    }

    /// Writes all pages as a transaction file, durable.
    ///
    /// - Parameters:
    ///   - header: The file's header, with the checksum that the database is to have.
    ///   - path: Where nothing is yet.
    ///   - mode: The permissions of the file.
    ///   - isWanted: Asked at each block.
    /// - Throws: `CancellationError` where it is not wanted any more; `CaptureError` where the pages do not have that
    ///   checksum; failures of the disk. Nothing is left then.
    package func write(
        _ header: LTXHeader,
        to path: FilePath,
        mode: UInt32,
        while isWanted: () -> Bool
    ) throws -> LTXFileSummary {
        var writer = try LTXWriter(pageSize: pageSize, sink: TransactionFileSink(path: path, mode: mode))
        do {
            var checksum: UInt64 = 0
            var block = FrameBlock(pageSize: pageSize)
            var bytes = [UInt8](repeating: 0, count: pageSize)
            for number in 1...max(1, pageCount) where number != size.lockPage {
                try unsafe bytes.withUnsafeMutableBytes { unsafe try read(number, into: $0) }
                // SAFETY: the elements are bytes, all of them initialized.
                let remainder = block.append(pageNumber: number, page: unsafe bytes.span.bytes)
                checksum ^= DatabaseChecksum.page(number: number, remainder: remainder, pageSize: pageSize)
                guard block.byteCount >= Self.blockByteCount / 2 else { continue }
                try writer.append(block)
                block.removeAll()
                guard isWanted() else { throw CancellationError() }
            }
            try writer.append(block)
            guard checksum == header.sourceMark?.checksum else {
                throw CaptureError(
                    .damagedDatabase,
                    "The pages of \(self.path) are not those that were captured: run PRAGMA integrity_check."
                )
            }
            let summary = try writer.finish(header: header)
            try writer.sink.complete()
            return summary
        } catch {
            writer.sink.discard()
            throw error
        }
    }

    private func share(of page: RawSpan, _ number: UInt32) -> UInt64 {
        DatabaseChecksum.page(number: number, remainder: CRC64.remainder(of: page), pageSize: pageSize)
    }
}
