import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension FolderStore {
    /// Deletes files, then syncs each of their folders once. Blocks.
    func remove(_ paths: [FilePath]) throws(ObjectStoreError) {
        var folders: Set<FilePath> = []
        for path in paths {
            do throws(Errno) {
                // SAFETY: the path's characters live across the call.
                try OpenFile.call { unsafe path.withPlatformString { unsafe unlink($0) } }
                folders.insert(path.removingLastComponent())
            } catch {
                switch error {
                // No object lies there; a folder is none.
                case .noSuchFileOrDirectory, .notDirectory, .isDirectory: continue
                default: throw .file("Deleting", path, error)
                }
            }
        }
        for folder in folders {
            do throws(Errno) {
                try OpenFile.syncFolder(folder)
            } catch {
                throw .file("Syncing the folder", folder, error)
            }
        }
    }
}
