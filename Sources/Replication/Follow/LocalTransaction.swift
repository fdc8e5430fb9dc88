package import LTX
package import SystemPackage

/// What a transaction file on this host says of itself.
package struct LocalTransaction: Hashable, Sendable {
    /// The state it leads to.
    package var state: ChainState
    /// The node that wrote it; 0 outside a cluster.
    package var node: UInt64
    /// The checksum of all its bytes.
    package var fileChecksum: UInt64
    /// Its header.
    package var header: LTXHeader
    /// The size in bytes.
    package var byteCount: Int64
    /// Where it lies.
    package var path: FilePath

    /// Reads header and trailer of a file; `nil` where there is none, or it carries no mark of ours.
    ///
    /// - Throws: `LTXError` or a failure of the disk for a file that cannot be whole.
    package init?(_ path: FilePath) throws {
        guard let source = try TransactionFileSource(path: path) else { return nil }
        let (header, trailer) = (try source.header(), try source.trailer())
        guard let mark = header.sourceMark else { return nil }
        self.init(header: header, trailer: trailer, mark: mark, byteCount: source.byteCount, path: path)
    }

    /// Takes what the capture engine tells of a file that it has closed; `nil` where it carries no mark.
    package init?(_ file: ClosedFile, at path: FilePath) {
        guard let mark = file.header.sourceMark else { return nil }
        self.init(
            header: file.header,
            trailer: file.trailer,
            mark: mark,
            byteCount: file.byteCount,
            path: path
        )
    }

    init(header: LTXHeader, trailer: LTXTrailer, mark: SourceMark, byteCount: Int64, path: FilePath) {
        state = ChainState(number: header.maxTXID.rawValue, checksum: mark.checksum, epoch: mark.epoch)
        (node, fileChecksum) = (header.nodeID, trailer.fileChecksum)
        (self.header, self.byteCount, self.path) = (header, byteCount, path)
    }

    /// The image of a page; `nil` where the file has none. Reads the whole file and checks it.
    package func page(_ number: UInt32) throws -> [UInt8]? {
        guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
        var image: [UInt8]?
        _ = try LTXVerifier(source).verify { page, bytes, _ in
            guard page == number else { return }
            // SAFETY: the bytes are copied during the call.
            image = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        }
        return image
    }

    /// Whether it leads on from a state: as the next transaction, or by a jump of the numbers, where the same state stands
    /// under a higher one (``CaptureEngine/jump(from:)``).
    func follows(_ place: ChainState) -> Bool {
        state.number == place.number + 1 || state.number > place.number && state.checksum == place.checksum
    }

    /// Whether it holds all pages of the database, and so needs nothing before it. Reads the file's index.
    package func holdsEveryPage() throws -> Bool {
        guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
        return try source.holdsEveryPage(header)
    }

    /// Reads the whole file and checks it.
    ///
    /// - Throws: `LTXError` that says what is wrong.
    package func verify() throws {
        guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
        _ = try LTXVerifier(source).verify(as: header.fileName)
    }
}
