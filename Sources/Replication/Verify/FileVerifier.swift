import LTX
import NIOCore
import NIOPosix
import ObjectStorage
import SystemPackage

/// Reads single files of a replica from their first byte to their last, as the store gives them.
struct FileVerifier: Sendable {
    let replica: Replica
    /// For files that are too large for memory.
    let files: TemporaryFiles
    let pool: NIOThreadPool

    /// Up to this size a file is verified in memory.
    private static let memoryLimit: Int64 = 4 << 20

    /// Verifies a file, its name included.
    ///
    /// - Throws: ``ReplicaError``: `damaged`, `changing` where the file is gone, `storage`, `fileSystem`, `diskFull`.
    ///   `CancellationError`.
    func verify(_ file: ReplicaFile) async throws -> LTXFileSummary {
        guard !file.isTooShort else {
            throw ReplicaError.damaged(file, "has \(file.byteCount) bytes and cannot be whole")
        }
        if let path = replica.store.localFile(file.key) {
            return try await pool.runIfActive { try verify(file, at: path) }
        }
        if file.byteCount <= Self.memoryLimit {
            let bytes = try await replica.read(file, 0..<file.byteCount)
            let source = BufferSource(name: file.key, byteCount: file.byteCount, bytes: bytes, start: 0)
            return try await pool.runIfActive { try verify(file, source) }
        }
        let path = files.make()
        try await pool.runIfActive { try files.prepare() }
        do { _ = try await replica.store.download(file.key, to: path) } catch {
            guard error.code == .notFound else { throw ReplicaError(error) }
            throw ReplicaError.changing(file, "is gone", cause: error)
        }
        return try await pool.runIfActive {
            defer { files.remove(path) }
            return try verify(file, at: path)
        }
    }

    private func verify(_ file: ReplicaFile, at path: FilePath) throws -> LTXFileSummary {
        let source: FileSource
        do { source = try FileSource(path, name: file.key) } catch let error as Errno {
            guard error == .noSuchFileOrDirectory else { throw ReplicaError.fileSystem("reading", path, error) }
            throw ReplicaError.changing(file, "is gone", cause: error)
        }
        guard source.byteCount == file.byteCount else {
            throw ReplicaError.damaged(file, "has \(source.byteCount) bytes instead of \(file.byteCount)")
        }
        return try verify(file, source)
    }

    private func verify(_ file: ReplicaFile, _ source: some LTXSource) throws(ReplicaError) -> LTXFileSummary {
        do { return try LTXVerifier(source).verify(as: LTXFileName(min: file.min, max: file.max)) } catch {
            throw .damaged(file, error)
        }
    }
}
