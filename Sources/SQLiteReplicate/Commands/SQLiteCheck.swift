import GRDB
import SystemPackage

/// SQLite's own opinion of a restored database.
enum SQLiteCheck {
    /// Runs `PRAGMA quick_check` or `integrity_check`; what it finds wrong, nothing if all is well.
    ///
    /// The database is opened and closed again, without a `-wal` left behind. Blocks.
    static func run(_ pragma: String, on path: FilePath) throws -> [String] {
        var configuration = Configuration()
        configuration.label = "integrity check"
        let queue = try DatabaseQueue(path: path.string, configuration: configuration)
        defer { try? queue.close() }  // read only: nothing can be lost
        let found = try queue.read { try String.fetchAll($0, sql: "PRAGMA \(pragma)") }
        return found == ["ok"] ? [] : found
    }

    /// The size of a database's pages in bytes. Blocks.
    static func pageSize(of path: FilePath) throws -> Int? {
        var configuration = Configuration()
        (configuration.label, configuration.readonly) = ("page size", true)
        let queue = try DatabaseQueue(path: path.string, configuration: configuration)
        defer { try? queue.close() }  // read only: nothing can be lost
        return try queue.read { try Int.fetchOne($0, sql: "PRAGMA page_size") }
    }
}
