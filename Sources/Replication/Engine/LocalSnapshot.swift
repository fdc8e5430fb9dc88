import LTX
import SystemPackage

/// Makes a snapshot out of local files: a whole copy among them, and what follows it.
///
/// It bridges a hole in the replica: what was lost there is in no file any more, but a whole copy needs nothing before.
struct LocalSnapshot: Sendable {
    let folder: MetadataFolder
    let workspace: FilePath

    /// A file with all pages as of `transaction`, from transaction 1 on; `nil` where no whole copy is left. Blocks.
    func make(as transaction: TransactionID) throws -> FilePath? {
        var sources: [TransactionFileSource] = []
        var next = transaction
        while let source = try TransactionFileSource(path: folder.transactionFile(next)) {
            sources.insert(source, at: 0)
            if try source.holdsEveryPage(try source.header()) { return try merge(sources, as: transaction) }
            guard let before = TransactionID(exactly: next.rawValue - 1) else { return nil }
            next = before
        }
        return nil
    }

    private func merge(_ sources: [TransactionFileSource], as transaction: TransactionID) throws -> FilePath {
        try Disk.makeFolders(workspace, mode: folder.folderMode)
        let path = workspace.appending("snapshot-\(transaction).tmp")
        try Disk.remove(path)
        let merger = try LTXMerger(sources)
        var header = merger.header
        header.minTXID = .first
        var writer = try LTXWriter(
            pageSize: header.pageSize,
            sink: TransactionFileSink(path: path, mode: folder.fileMode)
        )
        do {
            _ = try merger.merge(into: &writer, as: header)
            try writer.sink.complete()
            return path
        } catch {
            writer.sink.discard()
            throw error
        }
    }
}
