import LTX
import SQLiteFormat
import SystemPackage

/// A transaction file that is complete but has no name yet.
struct WrittenFile: Sendable {
    /// What the page table becomes with this file.
    enum Change: Sendable {
        case replaced(PageTable)
        /// New checksums; pages above the file's commit size go.
        case changed([(page: UInt32, checksum: UInt64)])
    }

    var path: FilePath
    var summary: LTXFileSummary
    var change: Change
}

/// The images of a capture on their way into a transaction file, with all that is needed for it.
///
/// `@unchecked Sendable`: the engine hands the capture over with this, and neither reads nor changes it before the file
/// is written or given up; whoever runs this is alone with it.
struct CaptureWriting: @unchecked Sendable {
    let capture: OpenCapture
    /// The write-ahead log that the images came from.
    let log: WALFile
    /// Where the file goes.
    let output: FilePath
    let mode: UInt32
    /// The file's header but for its mark.
    let header: LTXHeader
    /// The checksum of the pages that this capture does not change.
    let unchanged: UInt64

    /// Writes the file, complete and durable.
    ///
    /// The log is made durable first: the database must not be behind what leaves the host (capture-review B11).
    func run() throws -> WrittenFile {
        try log.sync()
        return try capture.spills.isEmpty ? writeImages() : mergeSpills()
    }

    private func writeImages() throws -> WrittenFile {
        var checksums: [(page: UInt32, checksum: UInt64)] = []
        checksums.reserveCapacity(capture.pages.count)
        var checksum = unchanged
        var writer = try LTXWriter(pageSize: header.pageSize, sink: TransactionFileSink(path: output, mode: mode))
        do {
            try capture.pages.write(to: &writer) { page, remainder in
                let new = DatabaseChecksum.page(number: page, remainder: remainder, pageSize: header.pageSize)
                checksums.append((page, new))
                checksum ^= new
            }
            let summary = try writer.finish(header: header.marked(checksum))
            try writer.sink.complete()
            return WrittenFile(path: output, summary: summary, change: .changed(checksums))
        } catch {
            writer.sink.discard()
            throw error
        }
    }

    /// A capture that outgrew its memory: its spill files, all of its images among them, become one file.
    private func mergeSpills() throws -> WrittenFile {
        let checksums = capture.pageNumbers.compactMap { page in
            capture.spilledChecksums[page].map { (page: page, checksum: $0) }
        }
        let checksum = checksums.reduce(unchanged) { $0 ^ $1.checksum }
        let merge = SpillMerge(
            inputs: capture.spills,
            output: output,
            mode: mode,
            header: header.marked(checksum)
        )
        return WrittenFile(path: output, summary: try merge.run(), change: .changed(checksums))
    }
}

extension PageArena {
    /// Appends all images to `writer` in ascending order, and shows `note` the checksum's remainder of each.
    func write(
        to writer: inout LTXWriter<TransactionFileSink>,
        _ note: (_ page: UInt32, _ remainder: UInt64) -> Void
    ) throws {
        var block = FrameBlock(pageSize: pageSize.byteCount)
        for page in pageNumbers {
            withImage(of: page) { image in note(page, block.append(pageNumber: page, page: image)) }
            if block.byteCount >= 512 << 10 {
                try writer.append(block)
                block.removeAll()
            }
        }
        try writer.append(block)
    }
}

extension LTXHeader {
    /// This header with a mark of the database's state.
    fileprivate func marked(_ checksum: UInt64) -> LTXHeader {
        var header = self
        header.sourceMark = SourceMark(checksum: checksum, epoch: sourceMark?.epoch ?? 0)
        return header
    }
}
