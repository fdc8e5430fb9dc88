import Cluster
import GRDB
import ObjectStorage
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The cells of a witness: small texts with a name, each changed by compare-and-swap alone, and never deleted.
///
/// Each call is one transaction, and calls come one after another. All block, and may be called from any thread that may.
/// What a call has changed is durable when it returns; where it throws, the cells are as before, as far as this process can
/// tell: whoever had asked should read again.
final class WitnessCells: Sendable {
    /// The largest body, in bytes.
    static let bodyLimit = 64 << 10
    /// The most cells: as nothing is deleted, whoever has the token could fill the disk.
    static let cellLimit = 1000

    /// What is in a cell.
    struct Content: Hashable, Sendable {
        var bytes: [UInt8]
        var revision: WitnessRevision
    }

    /// What came of a write.
    enum Answer: Hashable, Sendable {
        /// It is there, at this revision.
        case stored(WitnessRevision)
        /// The condition did not hold; the cell is at this revision, or is not there.
        case refused(WitnessRevision?)
        /// There are as many cells as there can be.
        case full
    }

    /// A cell as it is listed.
    struct Entry: Hashable, Sendable {
        var name: ClusterID
        var revision: WitnessRevision
        var byteCount: Int
        /// By the witness's own clock, for people only.
        var changed: Timestamp
    }

    /// The number that names the file.
    let identity: UInt64
    private let queue: DatabaseQueue

    /// Opens the file, and makes it where there is none.
    ///
    /// - Throws: ``WitnessError``, also where another witness has it open.
    init(opening path: FilePath) throws(WitnessError) { (queue, identity) = try WitnessFile.open(path) }

    /// Closes the file, and gives it free.
    func close() throws { try queue.close() }

    /// What is in a cell; `nil` where nothing was ever put there.
    func read(_ name: ClusterID) throws -> Content? { try queue.inDatabase { try Self.content($0, name) } }

    /// Writes a cell if a condition holds.
    func put(_ bytes: [UInt8], in name: ClusterID, if condition: WitnessCondition) throws -> Answer {
        precondition(bytes.count <= Self.bodyLimit, "a body that is too large")
        return try queue.write { database in
            let present = try Self.content(database, name)?.revision
            switch condition {
            case .absent:
                guard present == nil else { return .refused(present) }
                let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM cells") ?? 0
                guard count < Self.cellLimit else { return .full }
            case .at(let wanted):
                guard let wanted, wanted == present else { return .refused(present) }
            }
            try database.execute(sql: "UPDATE state SET revision = revision + 1")
            guard let number = try Int64.fetchOne(database, sql: "SELECT revision FROM state") else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the witness's counter is not there")
            }
            let revision = WitnessRevision(number: number, nonce: .random(in: .min ... .max), of: bytes)
            try database.execute(
                sql: """
                    INSERT INTO cells(name, revision, nonce, changed, body) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET
                        revision = excluded.revision, nonce = excluded.nonce, changed = excluded.changed,
                        body = excluded.body
                    """,
                arguments: [
                    name.description, number, revision.nonce.signed, Timestamp.now.rawValue, Data(bytes),
                ]
            )
            return .stored(revision)
        }
    }

    /// All cells by their names.
    func list() throws -> [Entry] {
        try queue.inDatabase { database in
            let sql = "SELECT name, revision, nonce, changed, body FROM cells ORDER BY name"
            let rows = try Row.fetchCursor(database, sql: sql)
            var entries: [Entry] = []
            // One body at a time in memory. A name that somebody has entered by hand may be none.
            while let row = try rows.next() {
                guard let name = ClusterID(try Self.value(row, "name") as String) else { continue }
                let content = try Self.content(of: row)
                let changed = Timestamp(rawValue: try Self.value(row, "changed"))
                entries.append(
                    Entry(name: name, revision: content.revision, byteCount: content.bytes.count, changed: changed)
                )
            }
            return entries
        }
    }

    /// Reads and writes, to see that both can be done.
    func check() throws {
        try queue.write { database in
            _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM cells")
            try database.execute(sql: "UPDATE state SET checks = checks + 1")
        }
    }

    private static func content(_ database: Database, _ name: ClusterID) throws -> Content? {
        let sql = "SELECT revision, nonce, body FROM cells WHERE name = ?"
        return try Row.fetchOne(database, sql: sql, arguments: [name.description]).map { try content(of: $0) }
    }

    private static func content(of row: Row) throws -> Content {
        let bytes = [UInt8](try value(row, "body") as Data)
        let nonce = UInt64(bitPattern: try value(row, "nonce") as Int64)
        return Content(
            bytes: bytes,
            revision: WitnessRevision(number: try value(row, "revision"), nonce: nonce, of: bytes)
        )
    }

    /// A value that somebody may have edited: another type than the column's is an error, where GRDB's own way is a trap.
    private static func value<Value: DatabaseValueConvertible>(_ row: Row, _ column: String) throws -> Value {
        guard let value = Value.fromDatabaseValue(row[column]) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "'\(column)' of a cell is of another type")
        }
        return value
    }
}
