import SystemPackage

extension ReplicaError {
    /// A system call on a local file that did not succeed.
    static func fileSystem(_ action: String, _ path: FilePath, _ error: Errno) -> Self {
        let place = path.isEmpty ? "" : " '\(path)'"
        if error == .noSpace || error == .diskQuotaExceeded {
            return Self(.diskFull, "The disk is full: \(action)\(place). Free some space and try again.", cause: error)
        }
        return Self(.fileSystem, "\(action)\(place): \(error).", cause: error)
    }

    /// The same, of the helpers that throw a `FileFailure`.
    init(_ failure: FileFailure) { self = .fileSystem(failure.action, failure.path, failure.errno) }
}
