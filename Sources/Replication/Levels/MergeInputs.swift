import NIOPosix
import ObjectStorage
import SystemPackage

/// Gathers the files of a merge on this host.
struct MergeInputs: Sendable {
    let replica: Replica
    let local: LocalSources
    let cache: MergeCache?
    let files: TemporaryFiles
    let pool: NIOThreadPool

    /// How many files are fetched at a time.
    private static let fetchCount = 4

    struct Gathered: Sendable {
        /// Local files with the files of the replica that they stand for, oldest first.
        var paths: [(path: FilePath, file: ReplicaFile)] = []
        /// Bytes fetched from the store.
        var fetchedByteCount: Int64 = 0
        /// Whether files of this host stand in for some of the store's.
        var hasStandIns = false
    }

    /// Whether nothing would have to be fetched.
    func areLocal(_ sources: [ReplicaFile]) async throws -> Bool {
        try await pool.runIfActive { sources.allSatisfy { paths(of: $0) != nil } }
    }

    /// Finds or fetches files.
    ///
    /// - Parameter mayStandIn: Whether files of this host are taken instead of the store's.
    /// - Throws: ``ReplicaError``, or `CancellationError`.
    func gather(_ sources: [ReplicaFile], mayStandIn: Bool = true) async throws -> Gathered {
        var found = try await pool.runIfActive {
            sources.map { file in mayStandIn ? paths(of: file) : replica.store.localFile(file.key).map { [$0] } }
        }
        let hasStandIns =
            mayStandIn && zip(sources, found).contains { $1 != nil && replica.store.localFile($0.key) == nil }
        var fetched: Int64 = 0
        try await withThrowingTaskGroup(of: (Int, FilePath).self) { group in
            for (count, index) in found.indices.filter({ found[$0] == nil }).enumerated() {
                if count >= Self.fetchCount, let (index, path) = try await group.next() { found[index] = [path] }
                group.addTask { (index, try await fetch(sources[index])) }
                fetched += sources[index].byteCount
            }
            for try await (index, path) in group { found[index] = [path] }
        }
        var gathered = Gathered(fetchedByteCount: fetched, hasStandIns: hasStandIns)
        for (file, paths) in zip(sources, found) { gathered.paths += (paths ?? []).map { ($0, file) } }
        return gathered
    }

    private func paths(of file: ReplicaFile) -> [FilePath]? {
        if let path = replica.store.localFile(file.key) { return [path] }
        if let path = cache?.path(level: file.level, min: file.min, max: file.max) { return [path] }
        return local.files(for: file)
    }

    private func fetch(_ file: ReplicaFile) async throws -> FilePath {
        try await pool.runIfActive { [files] in try files.prepare() }
        let path = files.make()
        let byteCount: Int64
        do { byteCount = try await replica.store.download(file.key, to: path) } catch {
            guard error.code == .notFound else { throw ReplicaError(error) }
            throw ReplicaError.changing(file, "is gone", cause: error)
        }
        guard byteCount == file.byteCount else {
            throw ReplicaError.changing(file, "has \(byteCount) bytes instead of \(file.byteCount)")
        }
        return path
    }
}
