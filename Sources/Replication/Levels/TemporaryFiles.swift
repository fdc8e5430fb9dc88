import Synchronization
import SystemPackage

/// The unfinished files of one piece of work, all in one folder, removed with it.
///
/// Their names end in `.tmp`, so that those of a process that was killed are known for what they are.
final class TemporaryFiles: Sendable {
    private let folder: FilePath
    private let paths = Mutex<Set<FilePath>>([])

    init(_ folder: FilePath) { self.folder = folder }

    /// Creates the folder. Blocks.
    func prepare() throws {
        do { try Disk.makeFolders(folder, mode: 0o700) } catch let error as FileFailure { throw ReplicaError(error) }
    }

    /// A new name; the file is not created.
    func make() -> FilePath {
        let path = folder.appending("merge-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp")
        paths.withLock { _ = $0.insert(path) }
        return path
    }

    /// Takes over a file that is to be removed with the others.
    func adopt(_ path: FilePath) { paths.withLock { _ = $0.insert(path) } }

    /// Leaves a file to somebody else.
    func forget(_ path: FilePath) { paths.withLock { _ = $0.remove(path) } }

    /// Removes one of the files; best effort.
    func remove(_ path: FilePath) {
        paths.withLock { _ = $0.remove(path) }
        try? Disk.remove(path)
    }

    /// Removes the files; best effort: a few system calls.
    func removeAll(except kept: FilePath? = nil) {
        let gone = paths.withLock { paths in
            let gone = paths.filter { $0 != kept }
            paths.subtract(gone)
            return gone
        }
        for path in gone { try? Disk.remove(path) }
    }
}
