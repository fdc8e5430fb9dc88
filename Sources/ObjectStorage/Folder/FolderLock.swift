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

    /// Waits for the lock, 10 s at most: a holder needs it for as long as a put takes.
    init(guarding object: FilePath, store: FolderStore) throws(ObjectStoreError) {
        path = FilePath(object.string + ".lock" + FolderStore.temporarySuffix)
        let deadline = ContinuousClock.now.advanced(by: .seconds(10))
        do throws(Errno) {
            while true {
                let file = try Self.open(path, store: store)
                if try Self.lock(file), try Self.isAt(path, file) {
                    self.file = file
                    return
                }
                guard ContinuousClock.now < deadline else { break }
                usleep(2000)
            }
        } catch {
            throw .file("Locking", path, error)
        }
        throw ObjectStoreError(
            .timedOut,
            "Another writer has held '\(path)' for 10 s: see which process has that file open, and whether it is stuck."
        )
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
