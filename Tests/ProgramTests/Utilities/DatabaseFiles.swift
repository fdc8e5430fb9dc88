import Foundation
import SystemPackage

/// The files of a database.
enum DatabaseFiles {
    static let endings = ["", "-wal", "-shm", "-journal"]

    /// Removes a database with what lies beside it; none there is no error.
    static func remove(_ path: FilePath) {
        for ending in endings { try? FileManager.default.removeItem(atPath: path.string + ending) }
    }

    /// Copies a database that is not written to, its metadata folder included, as a copied machine has it.
    static func clone(_ path: FilePath, to copy: FilePath) throws {
        for ending in endings where FileManager.default.fileExists(atPath: path.string + ending) {
            try FileManager.default.copyItem(atPath: path.string + ending, toPath: copy.string + ending)
        }
        try FileManager.default.copyItem(atPath: metadata(of: path).string, toPath: metadata(of: copy).string)
    }

    /// The folder of the program's own state.
    static func metadata(of path: FilePath) -> FilePath {
        path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "")-litestream")
    }
}
