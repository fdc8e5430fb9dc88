import LTX
import SystemPackage

/// A complete transaction file in the workspace, ready to be put into the store.
struct MadeFile: Sendable {
    let path: FilePath
    let summary: LTXFileSummary

    /// Merges files. Blocks.
    ///
    /// - Throws: ``ReplicaError``, or `CancellationError`.
    init(
        merging paths: [(path: FilePath, file: ReplicaFile)],
        of step: CompactionStep,
        into target: FilePath,
        isCancelled: () -> Bool
    ) throws {
        path = target
        let sources = try paths.map { path, file -> any LTXSource in
            do {
                if paths.count > ReopeningSource.openLimit { return try ReopeningSource(path, name: file.key) }
                return try FileSource(path, name: file.key)
            } catch let error as Errno {
                guard error == .noSuchFileOrDirectory else { throw ReplicaError.fileSystem("reading", path, error) }
                throw ReplicaError.changing(file, "is gone", cause: error)
            }
        }
        do {
            let merger = try LTXMerger(sources)
            guard merger.header.minTXID == step.min, merger.header.maxTXID == step.max else {
                throw LTXError(.noncontiguousInputs, "The files do not hold transactions \(step.min) to \(step.max).")
            }
            var writer = try LTXWriter(pageSize: merger.header.pageSize, sink: FileSink(target))
            summary = try merger.merge(into: &writer) { _ in
                if isCancelled() { throw CancellationError() }
            }
        } catch let error as LTXError {
            if let cause = error.cause as? ReplicaError { throw cause }
            if error.cause is CancellationError { throw CancellationError() }
            let text = "Files cannot be merged to transactions \(step.min) to \(step.max)"
            throw ReplicaError(.damaged, "\(text): \(error.message)", cause: error)
        }
    }

    /// Takes a snapshot that was made elsewhere, and verifies it. Blocks.
    init(_ path: FilePath, of step: CompactionStep) throws {
        self.path = path
        do {
            let name = LTXFileName(min: step.min, max: step.max)
            summary = try LTXVerifier(FileSource(path, name: path.string)).verify(as: name)
        } catch let error as LTXError {
            throw ReplicaError(.damaged, "The snapshot of transaction \(step.max): \(error.message)", cause: error)
        } catch let error as Errno { throw ReplicaError.fileSystem("reading", path, error) }
    }
}
