import Foundation
import GRDB
import LTX
public import Logging
import ObjectStorage
import Replication
public import SystemPackage

/// One step of the demonstration.
public struct DemoStep: Hashable, Sendable {
    /// What was done.
    public var name: String
    /// What came of it.
    public var detail: String
    /// How long it took.
    public var took: Duration
}

/// What ``Commands/demo(folder:logger:)`` has shown.
public struct DemoReport: Hashable, Sendable {
    /// The steps, in order.
    public var steps: [DemoStep]
    /// Whether everything restored was equal to its source.
    public var isProven: Bool
}

extension Commands {
    /// Makes a database, writes, replicates to a folder, restores two moments, and compares them with the source; then
    /// two nodes share a folder, and the primary is killed.
    ///
    /// - Parameters:
    ///   - folder: Where to work, and leave everything; `nil` for a temporary folder that is removed.
    ///   - program: This program, of which the nodes are further processes; `nil` leaves that part out.
    ///   - logger: For what happens in the background.
    public static func demo(folder: FilePath?, program: String? = nil, logger: Logger) async throws -> DemoReport {
        let home = folder ?? FilePath(NSTemporaryDirectory()).appending("sqlite-replicate-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: home.string, withIntermediateDirectories: true)
        defer {
            if folder == nil { try? FileManager.default.removeItem(atPath: home.string) }  // else the system will
        }
        var report = try await Demo(home: home, logger: logger).run()
        if let program {
            let (steps, isProven) = try await ClusterDemo(home: home, program: program, logger: logger).run()
            report.steps += steps
            report.isProven = report.isProven && isProven
        }
        return report
    }
}

extension Commands {
    /// Two hosts with a folder store each, and a witness: each fault once, and its way back; both stores are restored in
    /// the end, and every row is looked for that was answered as replicated.
    ///
    /// - Parameters:
    ///   - folder: Where to work, and leave everything; `nil` for a temporary folder that is removed.
    ///   - program: This program, of which the nodes are further processes.
    ///   - logger: For what happens in the background.
    public static func demoOfTwoHosts(
        folder: FilePath?,
        program: String,
        logger: Logger
    ) async throws -> DemoReport {
        let home = folder ?? FilePath(NSTemporaryDirectory()).appending("sqlite-replicate-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: home.string, withIntermediateDirectories: true)
        defer {
            if folder == nil { try? FileManager.default.removeItem(atPath: home.string) }  // else the system will
        }
        let (steps, isProven) = try await TwoHostsDemo(home: home, program: program, logger: logger).run()
        return DemoReport(steps: steps, isProven: isProven)
    }
}

/// The demonstration's run.
private struct Demo {
    let home: FilePath
    let logger: Logger

    func run() async throws -> DemoReport {
        let database = home.appending("app.db")
        var steps: [DemoStep] = []
        func step<Value>(_ name: String, _ body: () async throws -> (Value, String)) async throws -> Value {
            let began = ContinuousClock.now
            let (value, detail) = try await body()
            steps.append(DemoStep(name: name, detail: detail, took: began.duration(to: .now)))
            return value
        }
        let pool = try await step("create", { (try makeDatabase(database), "\(database.lastComponent?.string ?? "")") })
        let replica = Replica(store: FolderStore(root: home.appending("replica")), layout: .folder)
        let replicator = DatabaseReplicator(DatabaseSettings(database: database), replica: replica, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await replicator.run() }
            defer { group.cancelAll() }
            let first = try await step("write and replicate") {
                try await insert(1000, into: pool)
                let id = try await replicator.sync(timeout: .seconds(30))
                let image = try await contents(of: pool)
                return ((id, image), "1,000 rows, transaction \(id.map(\.description) ?? "none")")
            }
            let second = try await step("write and replicate") {
                try await insert(2000, into: pool)
                try await pool.write { try $0.execute(sql: "DELETE FROM events WHERE id % 7 = 0") }
                let id = try await replicator.sync(timeout: .seconds(30))
                let image = try await contents(of: pool)
                return ((id, image), "2,000 more, some deleted, transaction \(id.map(\.description) ?? "none")")
            }
            var isProven = true
            for (name, moment) in [("restore the first", first), ("restore the newest", second)] {
                try await step(name) {
                    let output = home.appending("\(name.replacingOccurrences(of: " ", with: "-")).db")
                    let target = moment.0.map(RestoreTarget.transaction) ?? .latest
                    let result = try await Restorer(replica).restore(
                        target,
                        to: output,
                        options: RestoreOptions(replacesOutput: true)
                    )
                    let queue = try DatabaseQueue(path: output.string)
                    let isEqual = try await contents(of: queue) == moment.1
                    let isSound = try SQLiteCheck.run("integrity_check", on: output).isEmpty
                    isProven = isProven && isEqual && isSound && result.isMarkVerified
                    let words = isEqual && isSound ? "equal to its source, integrity ok" : "DIFFERS from its source"
                    return ((), "\(result.pageCount) pages, \(words)")
                }
            }
            return DemoReport(steps: steps, isProven: isProven)
        }
    }

    private func makeDatabase(_ path: FilePath) throws -> DatabasePool {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: path.string + suffix)  // from an earlier demonstration
        }
        let pool = try DatabasePool(path: path.string)
        try pool.write { database in
            try database.execute(sql: "CREATE TABLE events(id INTEGER PRIMARY KEY, ts TEXT NOT NULL, body BLOB)")
        }
        return pool
    }

    private func insert(_ count: Int, into pool: DatabasePool) async throws {
        try await pool.write { database in
            for number in 0..<count {
                try database.execute(
                    sql: "INSERT INTO events(ts, body) VALUES (datetime('now'), randomblob(?))",
                    arguments: [50 + number % 200]
                )
            }
        }
    }

    /// Every row, as one text.
    private func contents(of reader: some DatabaseReader) async throws -> [String] {
        try await reader.read {
            try String.fetchAll($0, sql: "SELECT id || ' ' || ts || ' ' || hex(body) FROM events ORDER BY id")
        }
    }
}
