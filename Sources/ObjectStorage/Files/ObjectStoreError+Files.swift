import SystemPackage

extension ObjectStoreError {
    /// What became of a system call on `path`, told in words.
    ///
    /// - Parameter action: What was being done, with a capital: `Writing`.
    static func file(_ action: String, _ path: FilePath, _ errno: Errno) -> ObjectStoreError {
        let place = "\(action) '\(path)'"
        return switch errno {
        case .noSpace, .diskQuotaExceeded:
            ObjectStoreError(
                .diskFull,
                "\(place): the disk or the quota is full. Free some space, or choose another folder.",
                cause: errno
            )
        case .permissionDenied, .notPermitted, .readOnlyFileSystem:
            ObjectStoreError(
                .accessDenied,
                "\(place): \(errno). Give the user that runs this the right to it, or choose another folder.",
                cause: errno
            )
        case .noSuchFileOrDirectory, .notDirectory:
            ObjectStoreError(.notFound, "\(place): there is no such file.", cause: errno)
        case .fileNameTooLong:
            ObjectStoreError(.invalidRequest, "\(place): the name is too long for the file system.", cause: errno)
        default:
            ObjectStoreError(.fileSystem, "\(place): \(errno). Look at the disk and at the system's log.", cause: errno)
        }
    }
}
