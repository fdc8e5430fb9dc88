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

    init(header: LTXHeader, trailer: LTXTrailer, mark: SourceMark, byteCount: Int64, path: FilePath) {
        state = ChainState(number: header.maxTXID.rawValue, checksum: mark.checksum, epoch: mark.epoch)
        (node, fileChecksum) = (header.nodeID, trailer.fileChecksum)
        (self.header, self.byteCount, self.path) = (header, byteCount, path)
    }

    /// Reads the whole file and checks it.
    ///
    /// - Throws: `LTXError` that says what is wrong.
    package func verify() throws {
        guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
        _ = try LTXVerifier(source).verify(as: header.fileName)
    }
}
