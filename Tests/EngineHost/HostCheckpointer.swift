import Foundation
import SystemPackage
import TestDatabases

/// An application that reads the database through a memory map, and checkpoints when it is told to.
///
/// At the beginning of a checkpoint it unmaps the file, between reading the wal-index's header and the number of frames
/// that are backfilled: there a test can hold it.
enum HostCheckpointer {
    static func run(_ database: FilePath) throws {
        let connection = try SQLiteFile(database, .init(creates: false, autocheckpoint: 0))
        try connection.execute("PRAGMA mmap_size = 67108864")
        _ = try connection.scalar("SELECT sum(length(body)) FROM item")
        say("ready")
        while let line = readLine() {
            guard line == "go" else { break }
            let result = try connection.checkpoint(.passive)
            say("checkpointed \(result)")
        }
    }
}
