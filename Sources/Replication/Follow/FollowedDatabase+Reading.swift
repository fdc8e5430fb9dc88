import LTX
import SQLiteFormat
import SystemPackage

/// A whole database as it stands under the write lock: a checksum for each page, and where its newest image lies.
struct DatabaseReading {
    /// The checksums.
    var table: PageTable
    /// The frame of each page whose newest image is in the log.
    fileprivate(set) var frames: [UInt32: UInt32] = [:]
}

extension FollowedDatabase {
    /// Reads all pages, which nobody can change while the write lock is held.
    ///
    /// A checkpoint may copy frames into the file meanwhile: pages that have a frame are read from the log.
    ///
    /// - Precondition: The write lock is held.
    func read() throws -> DatabaseReading {
        precondition(isLocked, "a database is read as a whole under the write lock")
        guard let look = try look() else { throw damagedIndex() }
        let size = PageSize(byteCount: pageSize) ?? .minimum
        var (remainders, frames): ([UInt32: UInt64], [UInt32: UInt32]) = ([:], [:])
        if look.lastFrame > 0, !look.isBackfilled {
            let buffer = ReadBuffer(byteCount: 256 << 10)
            let reader = WALReader(file: try WALFile(database: path), buffer: buffer)
            let (end, _) = try reader.frames(after: .start(of: look.salts), through: look.lastFrame, pageSize: size) {
                (number, header, page) in
                remainders[header.pageNumber] = CRC64.remainder(of: page)
                frames[header.pageNumber] = number
            }
            guard end.checksum == look.checksum else { throw damagedIndex() }
        }
        let count = try look.lastFrame > 0 ? look.pageCount : UInt32(clamping: file.byteCount() / Int64(pageSize))
        var entries = [UInt64](repeating: 0, count: Int(count))
        try readFile(through: count) { page, bytes in
            guard page != size.lockPage else { return }
            let remainder = remainders[page] ?? CRC64.remainder(of: bytes)
            entries[Int(page) - 1] = DatabaseChecksum.page(number: page, remainder: remainder, pageSize: pageSize)
        }
        return DatabaseReading(table: PageTable(entries: entries), frames: frames.filter { $0.key <= count })
    }

    /// Shows the images of some pages, in the order asked for.
    ///
    /// - Precondition: The write lock has been held since `reading` was made.
    func images(
        of pages: some Sequence<UInt32>,
        _ reading: DatabaseReading,
        _ body: (UInt32, RawSpan) throws -> Void
    ) throws {
        let size = PageSize(byteCount: pageSize) ?? .minimum
        let log = reading.frames.isEmpty ? nil : try WALFile(database: path)
        var bytes = [UInt8](repeating: 0, count: pageSize)
        for page in pages {
            // SAFETY: the buffer is a page long and used for the call alone.
            try unsafe bytes.withUnsafeMutableBytes { buffer in
                if let frame = reading.frames[page], let log {
                    let offset = WALGeometry(pageSize: size).offset(ofFrame: frame) + Int64(WALFrameHeader.byteCount)
                    guard unsafe try log.read(into: buffer, at: offset) == pageSize else { throw damagedIndex() }
                } else {
                    unsafe try file.read(into: buffer, at: Int64(page - 1) * Int64(pageSize))
                }
            }
            // SAFETY: the elements are bytes, all of them initialized.
            try body(page, unsafe bytes.span.bytes)
        }
    }

    private func readFile(through count: UInt32, _ body: (UInt32, RawSpan) throws -> Void) throws {
        let perBlock = max(1, (1 << 20) / pageSize)
        var bytes = [UInt8](repeating: 0, count: perBlock * pageSize)
        var page: UInt32 = 1
        while page <= count {
            let pages = min(perBlock, Int(count - page) + 1)
            // SAFETY: the part asked for lies within the buffer.
            try unsafe bytes.withUnsafeMutableBytes { buffer in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<(pages * pageSize)])
                _ = unsafe try file.read(into: part, at: Int64(page - 1) * Int64(pageSize))
            }
            // SAFETY: the elements are bytes, all of them initialized.
            let block = unsafe bytes.span.bytes
            for index in 0..<pages {
                try body(page + UInt32(index), block.extracting(index * pageSize..<(index + 1) * pageSize))
            }
            page += UInt32(pages)
        }
    }

    private func damagedIndex() -> SQLiteFailure {
        SQLiteFailure(code: 11, text: "the log does not fit its index", action: "reading \(path)")
    }
}
