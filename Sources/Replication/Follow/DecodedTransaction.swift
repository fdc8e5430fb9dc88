package import LTX
package import SystemPackage

/// A transaction file that was read and checked as a whole: each page's share in the checksum of the database, and the
/// pages themselves where they are few.
///
/// So a small file is decoded once, when it is fetched, and applied from memory. Of a large one the shares are kept, and
/// the pages are decoded again when they are written: the memory is bounded by what the file holds, not by what it
/// decompresses to.
package struct DecodedTransaction: Sendable {
    /// A page of the file.
    struct Page: Hashable, Sendable {
        /// Its number.
        let number: UInt32
        /// Its share in the database's checksum; see `DatabaseChecksum`.
        let share: UInt64
    }

    /// Where the pages come from when they are written.
    enum Content: Sendable {
        /// The images, one after another.
        case images([UInt8])
        /// The file's bytes.
        case bytes([UInt8])
        /// The file, which nobody else touches.
        case file(FilePath)
    }

    /// The state it leads to.
    package let state: ChainState
    /// The node that wrote it, or the last part of it; 0 outside a cluster.
    package let node: UInt64
    /// The checksum of all its bytes.
    package let fileChecksum: UInt64
    /// Its header.
    package let header: LTXHeader
    /// Its size in bytes.
    package let byteCount: Int64
    /// Its pages, ascending.
    let pages: [Page]
    let content: Content

    /// Whether it holds all pages of the database, and so leads to its state from any other one.
    package var holdsEveryPage: Bool { pages.count == header.wholePageCount }

    /// Images of up to so many bytes are kept.
    package static let imageLimit = 1 << 20

    /// The file that is still needed; `nil` where memory holds everything.
    package var path: FilePath? { if case .file(let path) = content { path } else { nil } }

    /// Reads a file of this host, which nobody else may touch, and checks it.
    ///
    /// - Returns: `nil` where it carries no mark of ours.
    /// - Throws: `LTXError` that says what is wrong, or a failure of the disk.
    package init?(_ path: FilePath, keeping limit: Int = imageLimit) throws {
        guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
        try self.init(source, else: .file(path), limit)
    }

    /// Takes the bytes of a whole file, and checks them.
    ///
    /// - Parameter name: What errors call it.
    /// - Returns: `nil` where it carries no mark of ours.
    /// - Throws: `LTXError` that says what is wrong.
    package init?(bytes: [UInt8], name: String, keeping limit: Int = imageLimit) throws {
        try self.init(MemorySource(bytes, name: name), else: .bytes(bytes), limit)
    }

    private init?(_ source: any LTXSource, else content: Content, _ limit: Int) throws {
        let header = try LTXVerifier(source).readHeader()
        guard let mark = header.sourceMark else { return nil }
        var pages: [Page] = []
        var images: [UInt8]? = []
        let pageSize = header.pageSize
        let summary = try LTXVerifier(source).verify { number, image, remainder in
            pages.append(Page(number, remainder, pageSize))
            guard let count = images?.count else { return }
            if count + image.byteCount > limit {
                images = nil
            } else {
                // SAFETY: the bytes are copied during the call.
                unsafe image.withUnsafeBytes { unsafe images?.append(contentsOf: $0) }
            }
        }
        self.init(
            state: ChainState(number: header.maxTXID.rawValue, checksum: mark.checksum, epoch: mark.epoch),
            node: header.nodeID,
            fileChecksum: summary.fileChecksum,
            header: header,
            byteCount: source.byteCount,
            pages: pages,
            content: images.map { .images($0) } ?? content
        )
    }

    init(
        state: ChainState,
        node: UInt64,
        fileChecksum: UInt64,
        header: LTXHeader,
        byteCount: Int64,
        pages: [Page],
        content: Content
    ) {
        (self.state, self.node, self.fileChecksum, self.header) = (state, node, fileChecksum, header)
        (self.byteCount, self.pages, self.content) = (byteCount, pages, content)
    }

    /// Shows all pages, ascending.
    ///
    /// - Throws: What `body` throws; `LTXError` where the file is no longer the one that was checked.
    func forEachPage(_ body: (Page, RawSpan) throws -> Void) throws {
        switch content {
        case .images(let images):
            // SAFETY: the elements are bytes, all of them initialized.
            let bytes = unsafe images.span.bytes
            let pageSize = header.pageSize
            for (index, page) in pages.enumerated() {
                try body(page, bytes.extracting(index * pageSize..<(index + 1) * pageSize))
            }
        case .bytes(let bytes): try decode(MemorySource(bytes, name: "\(header.fileName)"), body)
        case .file(let path):
            guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
            try decode(source, body)
        }
    }

    private func decode(_ source: any LTXSource, _ body: (Page, RawSpan) throws -> Void) throws {
        let pageSize = header.pageSize
        var index = 0
        let summary = try LTXVerifier(source).verify { number, image, remainder in
            // The checksum that the file leads to was computed from the shares.
            guard index < pages.count, pages[index] == Page(number, remainder, pageSize) else { throw changed(source) }
            try body(pages[index], image)
            index += 1
        }
        guard index == pages.count, summary.fileChecksum == fileChecksum else { throw changed(source) }
    }

    private func changed(_ source: any LTXSource) -> LTXError {
        LTXError(.checksumMismatch, "\(source.name) was changed by somebody after it had been checked.")
    }
}

extension DecodedTransaction.Page {
    init(_ number: UInt32, _ remainder: UInt64, _ pageSize: Int) {
        self.init(
            number: number,
            share: DatabaseChecksum.page(number: number, remainder: remainder, pageSize: pageSize)
        )
    }
}

extension PageTable {
    /// What a transaction changes here: the pages that are other ones afterwards, and the checksum then.
    ///
    /// It costs what the transaction holds, and what it cuts off, whatever the size of the database.
    func change(by pages: [DecodedTransaction.Page], count: UInt32) -> (
        pages: [DecodedTransaction.Page], checksum: UInt64
    ) {
        var checksum = checksum(of: count, without: [])
        var changed: [DecodedTransaction.Page] = []
        for page in pages where page.number <= count {
            let old = self[page.number]
            guard old != page.share else { continue }
            checksum ^= (old ?? 0) ^ page.share
            changed.append(page)
        }
        return (changed, checksum)
    }
}
