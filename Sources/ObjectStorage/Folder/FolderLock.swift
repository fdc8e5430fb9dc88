import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The right to compare and swap one object of a ``FolderStore``, held by one writer at a time.
///
/// It is the kernel's lock of a file `KEY.lock.tmp`: it ends with the process that holds it, however that ends. The
/// file is removed with the lock; whoever waited for it then finds that its name is gone, and starts again.
struct FolderLock: ~Copyable {
    private let file: OpenFile
    private let path: FilePath

    private init(file: OpenFile, path: FilePath) { (self.file, self.path) = (file, path) }

    /// Takes the lock; `nil` where another writer has it. Blocks no longer than the system calls do.
    static func attempt(guarding object: FilePath, store: FolderStore) throws(ObjectStoreError) -> FolderLock? {
        let path = FilePath(object.string + ".lock" + FolderStore.temporarySuffix)
        do throws(Errno) {
            let file = try open(path, store: store)
            guard try lock(file), try isAt(path, file) else { return nil }
            return FolderLock(file: file, path: path)
        } catch {
            throw .file("Locking", path, error)
        }
    }

    /// Gives the lock back.
    func release() {
        // First the name, then the lock: who gets the lock later sees that the name is gone.
        removeUnfinished(path)
        _ = flock(file.descriptor.rawValue, LOCK_UN)
    }

    private static func open(_ path: FilePath, store: FolderStore) throws(Errno) -> OpenFile {
        do throws(Errno) {
            return try store.create(path)
        } catch {
            guard error == .fileExists else { throw error }
        }
        do throws(Errno) {
            return try .open(path, .readOnly, [.closeOnExec], [])
        } catch {
            // Removed between the two calls.
            guard error == .noSuchFileOrDirectory else { throw error }
            return try open(path, store: store)
        }
    }

    private static func lock(_ file: OpenFile) throws(Errno) -> Bool {
        do throws(Errno) {
            try OpenFile.call { flock(file.descriptor.rawValue, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            guard error == .wouldBlock else { throw error }
            return false
        }
    }

    private static func isAt(_ path: FilePath, _ file: OpenFile) throws(Errno) -> Bool {
        let opened = try file.status()
        guard let named = try? path.stat(followTargetSymlink: false) else { return false }
        return named.inode == opened.inode && named.deviceID == opened.deviceID
    }
}

extension ObjectStoreError {
    static func locked(_ path: FilePath) -> ObjectStoreError {
        ObjectStoreError(
            .timedOut,
            "Other writers have held '\(path).lock.tmp' for 10 s: see which process has that file open, and whether it is "
                + "stuck."
        )
    }
}
