import Foundation
import LTX
import ObjectStorage
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Cluster

/// A database whose first transactions lie in a replica, and whose later ones on its own disk alone.
final class TailFixture {
    let folder: FilePath
    let path: FilePath
    let metadata: FilePath
    let replica: Replica
    let database: SQLiteFile
    /// The database after each transaction, the first one included.
    private(set) var images: [DatabaseImage] = []
    private(set) var points: [ChainPoint] = []
    /// The pages that each transaction changed.
    private(set) var changes: [Set<UInt32>] = []
    static let start = Timestamp(rawValue: 1_750_000_000_000)

    init(_ folder: FilePath, pageSize: Int = 4096, autocheckpoint: Int = 0) throws {
        (self.folder, path, metadata) = (folder, folder.appending("app.db"), folder.appending("meta"))
        let root = folder.appending("replica")
        for made in [root, metadata.appending("ltx").appending("0")] {
            try FileManager.default.createDirectory(atPath: made.string, withIntermediateDirectories: true)
        }
        replica = Replica(store: FolderStore(root: root), layout: .folder)
        database = try SQLiteFile(path, .init(autocheckpoint: autocheckpoint))
        try database.execute(
            """
            PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL;
            CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE events(id INTEGER PRIMARY KEY, at, body); CREATE INDEX "events by at" ON events(at);
            CREATE TABLE untouched(x); INSERT INTO untouched VALUES (randomblob(3 * \(pageSize)));
            WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                INSERT INTO events(at, body) SELECT i, randomblob(100) FROM n
            """
        )
        try capture()
    }

    var spool: FilePath { metadata.appending("ltx").appending("0") }
    var store: FolderStore { FolderStore(root: folder.appending("replica")) }
    var tails: LocalTails { LocalTails(metadata: metadata) }
    var last: ChainPoint { points[points.count - 1] }
    var image: DatabaseImage { images[images.count - 1] }
    func tailStore() -> TailStore { TailStore(store, layout: ClusterLayout(path: ""), local: tails) }

    /// The local file of a transaction.
    func file(_ number: Int) -> FilePath {
        let id = TransactionID(rawValue: UInt64(number))
        return spool.appending(LTXFileName(min: id, max: id).description)
    }

    func commit(_ sql: String) throws {
        try database.transaction { try database.execute(sql) }
        try capture()
    }

    /// Some transactions that change users and events.
    func commitSome(_ count: Int) throws {
        for number in 0..<count {
            try commit(
                """
                INSERT INTO events(at, body) VALUES (1000 + \(number), randomblob(20000));
                INSERT INTO users(name) VALUES ('user \(number)')
                """
            )
        }
    }

    /// Writes the transaction file of what has changed since the last one.
    private func capture() throws {
        let now = try database.image()
        let number = points.count + 1
        let before = images.last
        let pages = before.map { now.differences(from: $0, limit: .max).filter { $0 <= now.pageCount } }
        let changed = pages ?? Array(1...now.pageCount)
        var writer = try LTXWriter(pageSize: now.pageSize, sink: MemorySink())
        for page in changed { try writer.append(pageNumber: UInt32(page), page: now.page(page).span.bytes) }
        let id = TransactionID(rawValue: UInt64(number))
        let header = LTXHeader(
            pageSize: now.pageSize,
            commit: UInt32(now.pageCount),
            minTXID: id,
            maxTXID: id,
            timestampMilliseconds: Self.start.rawValue + Int64(number) * 1000,
            sourceMark: SourceMark(checksum: now.checksum)
        )
        _ = try writer.finish(header: header)
        try Data(writer.sink.bytes).write(to: URL(filePath: file(number).string))
        images.append(now)
        points.append(ChainPoint(number: UInt64(number), checksum: now.checksum))
        changes.append(Set(changed.map { UInt32($0) }))
    }

    /// Puts all transactions so far into the replica.
    func share() async throws {
        for number in 1...points.count {
            let id = TransactionID(rawValue: UInt64(number))
            let body = ObjectBody.file(file(number))
            let key = replica.layout.key(level: 0, min: id, max: id)
            try await replica.store.put(key, body, metadata: ObjectMetadata(), condition: .none)
        }
    }

    /// A request for what lies behind `fork`.
    func request(fork: ChainPoint?, recorded: ChainPoint? = nil) -> TailKeeper.Request {
        let first = Int((fork ?? recorded ?? last).number)
        return TailKeeper.Request(
            database: path,
            metadata: metadata,
            node: .one,
            name: "one",
            epoch: Epoch(rawValue: 5),
            fork: fork,
            recorded: recorded ?? fork ?? .start,
            files: (first..<points.count).map { file($0 + 1) }
        )
    }

    /// Calls `body` while nobody can write.
    func locked<Value>(_ body: () async throws -> Value) async throws -> Value {
        let follower = try FollowedDatabase(path)
        #expect(try follower.lock())
        defer { try? follower.unlock() }
        return try await body()
    }
}

extension DatabaseImage {
    func page(_ number: Int) -> [UInt8] { Array(bytes[(number - 1) * pageSize..<number * pageSize]) }

    /// By the definition in `DatabaseChecksum`.
    var checksum: UInt64 {
        (1...pageCount).reduce(0) { sum, number in
            let remainder = CRC64.remainder(of: page(number).span.bytes)
            return sum ^ DatabaseChecksum.page(number: UInt32(number), remainder: remainder, pageSize: pageSize)
        }
    }
}

/// The bytes of a file.
func bytes(of path: FilePath) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path.string))) }

/// The names in a folder, in order; none where there is none.
func fileNames(in folder: FilePath) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []).sorted()
}
