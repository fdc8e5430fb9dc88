import LTX

/// Collects what the runs of one file contribute, and compares the checksum at the end.
struct FileCompletion {
    private let file: ReplicaFile
    private let header: LTXHeader
    private let trailer: LTXTrailer
    /// The size of all but the frames, in bytes.
    let otherByteCount: Int64
    private let head: ChecksumPart
    private let tail: ChecksumPart
    private var parts: [ChecksumPart?] = []
    private var openRuns = 0
    private var isCut = false
    private var pages: UInt64 = 0

    init(_ opened: OpenedFile) {
        (file, header, trailer) = (opened.file, opened.header, opened.index.trailer)
        (head, tail) = (opened.head, opened.tail)
        otherByteCount = opened.file.byteCount - Int64(opened.index.framesRange.count)
    }

    /// The checksum that the file names for the database after it.
    var mark: SourceMark? { header.sourceMark }

    /// Whether every run of the file was decoded.
    var isComplete: Bool { isCut && openRuns == 0 }

    /// Expects a run.
    mutating func expect(_ run: FrameRun) {
        parts.append(nil)
        openRuns += 1
    }

    /// Expects no further run.
    mutating func close() { isCut = true }

    /// Takes what a run contributes; runs come in any order.
    mutating func take(_ outcome: RunDecoder.Outcome, of number: Int) {
        parts[number] = outcome.part
        pages ^= outcome.pages
        openRuns -= 1
    }

    /// Compares the file's checksums, once it is complete.
    ///
    /// - Throws: ``ReplicaError`` with code `damaged`.
    func verify() throws(ReplicaError) {
        var checksum = FileChecksum()
        checksum.update(head)
        for part in parts { if let part { checksum.update(part) } }
        checksum.update(tail)
        guard checksum.value == trailer.fileChecksum else {
            let text = "does not fit its checksum (stored \(Self.text(trailer.fileChecksum)), computed"
            throw .damaged(file, "\(text) \(Self.text(checksum.value)))")
        }
        // The format's own database checksum, in files of other programs than Litestream 0.5.
        if header.tracksChecksum, header.isSnapshot, pages | FileChecksum.flag != trailer.postApplyChecksum {
            throw .damaged(file, "does not hold the database whose checksum it names")
        }
    }

    private static func text(_ checksum: UInt64) -> String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
