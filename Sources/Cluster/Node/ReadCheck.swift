import Replication
import SystemPackage

/// Whether a database can be read at this moment.
enum ReadCheck {
    /// Opens a connection, reads the schema's version, and closes it again. Returns what is wrong, or `nil`.
    static func run(_ path: FilePath) async -> String? {
        do {
            return try await onDisk { try FollowedDatabase.readCheck(path) }
        } catch {
            return "\(path) cannot be read: \(error)"
        }
    }
}
