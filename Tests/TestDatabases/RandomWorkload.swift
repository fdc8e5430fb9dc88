public import SystemPackage
import TestSupport

/// A random but repeatable history of one database: the same seed gives the same content at every step.
///
/// It plays an application with several connections that inserts, updates, deletes, grows, shrinks, vacuums, rolls back
/// what had already spilled into the WAL, changes its schema, checkpoints in every mode, keeps readers open, and closes
/// and opens connections. Each of its transactions adds one to `PRAGMA user_version`, so that a restored database names
/// the commit at which it stands (`VACUUM` commits too, but changes neither content nor number).
///
/// Use it from one task at a time.
public final class RandomWorkload {
    /// What a step was.
    public struct Step: Sendable, CustomStringConvertible {
        /// What was done.
        public let kind: Kind
        /// Whether something was committed: the database has a new state.
        public let committed: Bool
        /// The commit's number, or that of the last one before.
        public let commitNumber: Int64

        public var description: String { "\(kind.rawValue)\(committed ? " → commit \(commitNumber)" : "")" }
    }

    /// Kinds of steps.
    public enum Kind: String, CaseIterable, Sendable {
        case insertFew, insertMany, insertBlob, update, deleteSome, deleteMost
        case rollback, spilledRollback, spilledCommit, savepoint
        case createTable, dropTable, reindex
        case vacuum, incrementalVacuum, checkpoint, reader, reopen
    }

    /// The database.
    public let path: FilePath
    /// What it plays.
    public let options: WorkloadOptions
    /// The seed, for messages.
    public var seed: UInt64 { generator.seed }
    /// The number of the last commit.
    public internal(set) var commitNumber: Int64 = 0
    /// The steps so far, for messages.
    public private(set) var history: [Step] = []

    var generator: SeededGenerator
    var connections: [SQLiteFile] = []
    var reader: SQLiteFile?
    var extraTables: [Int] = []
    var tableCount = 0

    /// Makes the database, in WAL mode and with a first commit.
    ///
    /// - Parameters:
    ///   - path: Where no file is yet.
    ///   - seed: Decides all that follows.
    ///   - options: What to play; drawn from the seed by default.
    public init(at path: FilePath, seed: UInt64, options: WorkloadOptions? = nil) throws {
        self.path = path
        var generator = SeededGenerator(seed: seed)
        let drawn = WorkloadOptions.random(using: &generator)
        (self.options, self.generator) = (options ?? drawn, generator)
        connections = try (0..<self.options.connections).map { _ in try open() }
        let first = connections[0]
        try first.execute(
            """
            PRAGMA page_size = \(self.options.pageSize); PRAGMA auto_vacuum = \(self.options.autoVacuum.rawValue);
            PRAGMA journal_mode = WAL; CREATE TABLE item(id INTEGER PRIMARY KEY, owner INTEGER, body BLOB);
            CREATE INDEX item_owner ON item(owner);
            """
        )
        try commit(on: first) { try insert(3, upTo: 200, on: first) }
    }

    /// Makes the next step.
    ///
    /// - Throws: ``SQLiteFailure`` where a statement fails that an application expects to succeed: every write begins
    ///   with `BEGIN IMMEDIATE` and waits up to 10 s for other connections.
    @discardableResult
    public func step() throws -> Step {
        let connection = connections[Int.random(in: 0..<connections.count, using: &generator)]
        let kind = generator.pick(try weights(on: connection))
        let committed = try perform(kind, on: connection)
        let step = Step(kind: kind, committed: committed, commitNumber: commitNumber)
        history.append(step)
        return step
    }

    /// The database as it is now: what a restore of the last commit must give, page for page.
    public func image() throws -> DatabaseImage { try connections[0].image() }

    /// A digest of the content as it is now.
    public func contentDigest() throws -> String { try connections[0].contentDigest() }

    /// Closes all connections; the last one checkpoints and removes the WAL, unless others have the database open.
    public func close() {
        reader?.close()
        reader = nil
        for connection in connections { connection.close() }
        connections = []
    }

    /// The number of the commit at which a database stands that was made by a workload.
    public static func commitNumber(of path: FilePath) throws -> Int64 {
        try SQLiteFile(path, .init(creates: false)).integer("PRAGMA user_version")
    }

    /// What the database is, and the last steps, for messages.
    public var summary: String {
        "seed \(seed): \(options); \(history.count) steps, the last: \(history.suffix(8).map(\.description))"
    }

    func open() throws -> SQLiteFile {
        let connection = try SQLiteFile(
            path,
            .init(busyTimeout: .seconds(10), autocheckpoint: options.autocheckpoint)
        )
        try connection.execute("PRAGMA synchronous = NORMAL")
        return connection
    }

    /// How likely each kind of step is now; a database at its limit shrinks.
    private func weights(on connection: SQLiteFile) throws -> [(weight: Int, value: Kind)] {
        let bytes = try connection.integer("PRAGMA page_count") * Int64(options.pageSize)
        let grows = bytes < Int64(options.maximumBytes)
        return [
            (grows ? 25 : 5, .insertFew), (grows ? 8 : 0, .insertMany), (grows ? 6 : 0, .insertBlob), (20, .update),
            (grows ? 10 : 40, .deleteSome), (grows ? 2 : 10, .deleteMost), (3, .rollback), (3, .spilledRollback),
            (grows ? 3 : 0, .spilledCommit), (3, .savepoint), (extraTables.count < 4 ? 2 : 0, .createTable),
            (extraTables.isEmpty ? 0 : 2, .dropTable), (1, .reindex), (options.vacuumWeight, .vacuum),
            (options.autoVacuum == .incremental ? 5 : 0, .incrementalVacuum),
            (options.checkpointWeight, .checkpoint), (options.readerWeight, .reader), (2, .reopen),
        ]
    }
}
