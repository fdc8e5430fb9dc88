import LTX

/// Which pages are still looked for while the files of a chain are gone through from the newest to the oldest.
///
/// Of each page the newest version counts: where a file in between has cut the database, the ones that made it longer
/// again hold the page.
struct ChainPageSearch: Sendable {
    let pageSize: Int
    private let header: LTXHeader
    private let mark: SourceMark
    private let fork: UInt64
    private var missing: Set<UInt32>
    private var found: Set<UInt32> = []

    /// Begins with the newest file; `nil` where it does not say what it leads to, or that is too far away.
    init?(_ newest: OpenedFile, behind fork: UInt64, _ touched: Set<UInt32>, pageCount: UInt32, pageSize: Int) {
        header = newest.header
        guard let mark = header.sourceMark, header.pageSize == pageSize, header.maxTXID.rawValue >= fork else {
            return nil
        }
        (self.pageSize, self.mark, self.fork) = (pageSize, mark, fork)
        let count = header.commit
        missing = touched.filter { $0 <= count }
        guard count <= pageCount || count - pageCount <= ChainPages.pageLimit else { return nil }
        if count > pageCount { missing.formUnion(pageCount + 1...count) }
        missing.remove(LTXPageSize.lockPage(pageSize: pageSize))
    }

    /// Whether there are more pages than are got one by one.
    var isTooLarge: Bool {
        let count = missing.count + found.count
        return count > ChainPages.pageLimit || count * pageSize > ChainPages.byteLimit
    }

    /// Whether all pages are found once the files that begin behind `number` were looked into.
    func isComplete(behind number: UInt64) -> Bool { number <= fork && missing.isEmpty }

    /// The pages that are to be read from a file, in its order. May block.
    mutating func look(into file: OpenedFile) throws(LTXError) -> [PageIndexEntry] {
        var cursor = LTXIndexCursor(file.index, of: file.indexSource, header: file.header)
        let isNew = file.file.max.rawValue > fork
        var entries: [PageIndexEntry] = []
        while let entry = try cursor.next() {
            let page = entry.pageNumber
            guard page <= header.commit, !found.contains(page), isNew || missing.contains(page) else { continue }
            missing.remove(page)
            found.insert(page)
            entries.append(entry)
            if isTooLarge { return [] }
        }
        return entries
    }

    /// The transaction that brings the database to the chain's newest state.
    func transaction(_ images: [UInt32: [UInt8]]) -> DecodedTransaction? {
        guard images.count == found.count else { return nil }
        var (pages, bytes): ([DecodedTransaction.Page], [UInt8]) = ([], [])
        for (page, image) in images.sorted(by: { $0.key < $1.key }) {
            // SAFETY: the elements are bytes, all of them initialized.
            let remainder = unsafe CRC64.remainder(of: image.span.bytes)
            pages.append(DecodedTransaction.Page(page, remainder, pageSize))
            bytes += image
        }
        return DecodedTransaction(
            state: ChainState(number: header.maxTXID.rawValue, checksum: mark.checksum, epoch: mark.epoch),
            node: 0,
            fileChecksum: 0,
            header: header,
            byteCount: Int64(bytes.count),
            pages: pages,
            content: .images(bytes)
        )
    }
}

/// Frames of one file that are read by one request.
struct ChainPageRun: Sendable {
    /// What lies between two frames is read too where it has no more bytes than these.
    private static let gapLimit: Int64 = 16 << 10
    private static let byteLimit: Int64 = 1 << 20

    private(set) var range: Range<Int64>
    private var entries: [PageIndexEntry]

    /// Puts entries, in the order of the file, into runs.
    static func runs(of entries: [PageIndexEntry]) -> [ChainPageRun] {
        var runs: [ChainPageRun] = []
        for entry in entries {
            if let last = runs.last, entry.offset - last.range.upperBound <= gapLimit,
                entry.range.upperBound - last.range.lowerBound <= byteLimit
            {
                runs[runs.count - 1].range = last.range.lowerBound..<entry.range.upperBound
                runs[runs.count - 1].entries.append(entry)
            } else {
                runs.append(ChainPageRun(range: entry.range, entries: [entry]))
            }
        }
        return runs
    }

    /// Decodes the pages.
    ///
    /// - Parameter bytes: Those of ``range``.
    func decode(_ bytes: RawSpan, pageSize: Int) throws(LTXError) -> [(UInt32, [UInt8])] {
        let decoder = FrameDecoder(pageSize: pageSize)
        var pages: [(UInt32, [UInt8])] = []
        for entry in entries {
            var image = [UInt8](repeating: 0, count: pageSize)
            var span = image.mutableSpan
            // SAFETY: the elements are bytes, so any bytes are valid; the span ends with this iteration.
            var target = unsafe span.mutableBytes
            let offset = Int(entry.offset - range.lowerBound)
            let frame = try decoder.decodeFrame(in: bytes, at: offset, into: &target)
            guard frame.pageNumber == entry.pageNumber, frame.byteCount == entry.byteCount else {
                throw LTXError(.invalidIndex, "The page index does not match the frame of page \(frame.pageNumber).")
            }
            pages.append((entry.pageNumber, image))
        }
        return pages
    }
}
