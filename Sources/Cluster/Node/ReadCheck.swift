import Replication
package import SystemPackage

/// Whether a database can be read at this moment.
package enum ReadCheck {
    /// Opens a connection, reads the schema's version, and closes it again. Returns what is wrong, or `nil`.
    package static func run(_ path: FilePath) async -> String? {
        do {
            return try await onDisk { try FollowedDatabase.readCheck(path) }
        } catch {
            return "\(path) cannot be read: \(error)"
        }
    }
}
