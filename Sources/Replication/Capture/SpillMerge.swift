import LTX
import SystemPackage

/// Merges files of this host, such as a copy's image and the spill files behind it, into one transaction file; newer files
/// win.
struct SpillMerge: Sendable {
    /// The files, oldest first.
    let inputs: [FilePath]
    /// Where the result goes.
    let output: FilePath
    let mode: UInt32
    /// The result's header.
    let header: LTXHeader
}

extension SpillMerge {
    /// Merges; the result is complete and durable, and has no name yet.
    func run() throws -> LTXFileSummary {
        let sources = try inputs.map { path in
            guard let source = try TransactionFileSource(path: path) else { throw FileFailure("opening", path, 2) }
            return source
        }
        let merger = try LTXMerger(sources)
        var writer = try LTXWriter(pageSize: header.pageSize, sink: TransactionFileSink(path: output, mode: mode))
        do {
            let summary = try merger.merge(into: &writer, as: header)
            try writer.sink.complete()
            return summary
        } catch {
            writer.sink.discard()
            throw error
        }
    }

    /// Removes the result.
    func discard() {
        try? Disk.remove(output)  // else the next start removes it
    }
}
