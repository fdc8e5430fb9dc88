import SystemPackage
import TestDatabases

extension SQLiteFile {
    /// Makes a small database in WAL mode with the table that `workload` and `engine-host` write to.
    static func makeDatabase(
        _ path: FilePath,
        pageSize: Int = 512,
        rows: Int = 20,
        autocheckpoint: Int = 0
    ) throws -> SQLiteFile {
        let database = try SQLiteFile(path, .init(busyTimeout: .seconds(10), autocheckpoint: autocheckpoint))
        try database.execute(
            """
            PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = incremental; PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE item(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB); CREATE INDEX item_owner ON item(owner);
            """
        )
        try database.write(rows: rows)
        return database
    }

    /// Commits one transaction of `rows` rows.
    func write(rows: Int = 1, bytes: Int = 300) throws {
        try transaction {
            for _ in 0..<rows {
                try query("INSERT INTO item(owner, body) VALUES (abs(random()) % 1000, randomblob(\(bytes)))")
            }
        }
    }
}
