import LTX
import SQLiteFormat
import SystemPackage

/// What is known of the database at the newest local transaction file, kept beside that file.
///
/// Locks die with the process, so nothing here says that a lock was held: continuity after a restart is proven from
/// the write-ahead log alone (capture-review E4). Text, one `key value` a line, closed by a checksum line.
struct PositionRecord: Hashable, Sendable {
    /// The newest local transaction file.
    var transaction: TransactionID
    /// That file's own checksum, by which the record is known to belong to it.
    var fileChecksum: UInt64
    /// Up to where the write-ahead log is in that file.
    var position: WALPosition
    var databaseSize: UInt32
    var pageSize: PageSize
    var database: FileIdentity
    var bootID: String
    /// Set when everything was captured, closed and backfilled: how the database file looked then.
    var quiet: QuietMark?
    /// The database checksum at that transaction.
    var checksum: UInt64

    /// The size of the file in bytes.
    private static let byteCount = 1024

    /// The text of the file.
    func encoded() -> [UInt8] {
        var lines = [
            "sqlite-replicate-position 1",
            "transaction \(transaction)",
            "file-checksum \(hex(fileChecksum))",
            "salts \(position.salts.first) \(position.salts.second)",
            "frame \(position.frame)",
            "frame-checksum \(position.checksum.first) \(position.checksum.second)",
            "pages \(databaseSize)",
            "page-size \(pageSize.byteCount)",
            "database \(database.device) \(database.inode)",
            "boot \(bootID.isEmpty ? "-" : bootID)",
            "checksum \(hex(checksum))",
        ]
        if let quiet { lines.append("quiet \(quiet.byteCount) \(quiet.modified) \(quiet.changed)") }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        let end = Array(unsafe "end \(hex(CRC64.checksum(of: text.span.bytes)))\n".utf8)
        // One length for all: the file is written in its place.
        return text + end + [UInt8](repeating: 10, count: max(0, Self.byteCount - text.count - end.count))
    }

    /// Reads a record; `nil` where it is missing, torn or of another kind.
    init?(contentsOf path: FilePath) throws {
        guard let bytes = try Disk.contents(of: path, limit: 4096) else { return nil }
        self.init(parsing: bytes)
    }

    init(
        transaction: TransactionID,
        fileChecksum: UInt64,
        position: WALPosition,
        databaseSize: UInt32,
        pageSize: PageSize,
        database: FileIdentity,
        bootID: String,
        quiet: QuietMark? = nil,
        checksum: UInt64
    ) {
        (self.transaction, self.fileChecksum, self.position) = (transaction, fileChecksum, position)
        (self.databaseSize, self.pageSize, self.database) = (databaseSize, pageSize, database)
        (self.bootID, self.quiet, self.checksum) = (bootID, quiet, checksum)
    }

    init?(parsing bytes: [UInt8]) {
        var fields: [Substring: [Substring]] = [:]
        let text = String(decoding: bytes, as: UTF8.self)
        var covered: [UInt8] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let key = words.first else { return nil }
            fields[key] = Array(words.dropFirst())
            if key == "end" { break }
            covered += Array(line.utf8) + [10]
        }
        guard let sum = fields["end"]?.first.flatMap({ UInt64($0, radix: 16) }),
            unsafe CRC64.checksum(of: covered.span.bytes) == sum, fields["sqlite-replicate-position"] == ["1"]
        else { return nil }
        func number<T: FixedWidthInteger>(_ key: Substring, _ index: Int = 0, radix: Int = 10) -> T? {
            guard let words = fields[key], index < words.count else { return nil }
            return T(words[index], radix: radix)
        }
        guard let transaction = fields["transaction"]?.first.flatMap({ TransactionID(String($0)) }),
            let fileChecksum: UInt64 = number("file-checksum", radix: 16),
            let salt1: UInt32 = number("salts"), let salt2: UInt32 = number("salts", 1),
            let frame: UInt32 = number("frame"),
            let sum1: UInt32 = number("frame-checksum"), let sum2: UInt32 = number("frame-checksum", 1),
            let size: UInt32 = number("pages"),
            let pageSize = (number("page-size") as Int?).flatMap(PageSize.init(byteCount:)),
            let device: UInt64 = number("database"), let inode: UInt64 = number("database", 1),
            let boot = fields["boot"]?.first,
            let checksum: UInt64 = number("checksum", radix: 16)
        else { return nil }
        self.init(
            transaction: transaction,
            fileChecksum: fileChecksum,
            position: WALPosition(
                salts: WALSalts(first: salt1, second: salt2),
                frame: frame,
                checksum: WALChecksum(first: sum1, second: sum2)
            ),
            databaseSize: size,
            pageSize: pageSize,
            database: FileIdentity(device: device, inode: inode),
            bootID: boot == "-" ? "" : String(boot),
            checksum: checksum
        )
        if let bytes: Int64 = number("quiet"), let modified: Int64 = number("quiet", 1),
            let changed: Int64 = number("quiet", 2)
        {
            quiet = QuietMark(byteCount: bytes, modified: modified, changed: changed)
        }
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}

/// How the database file looked when nothing was left to copy into it; unchanged, nothing was copied since.
struct QuietMark: Hashable, Sendable {
    var byteCount: Int64
    var modified: Int64
    var changed: Int64

    init(byteCount: Int64, modified: Int64, changed: Int64) {
        (self.byteCount, self.modified, self.changed) = (byteCount, modified, changed)
    }

    /// Takes what the file system says now.
    init(_ status: FileStatus) {
        self.init(byteCount: status.byteCount, modified: status.modified, changed: status.changed)
    }
}
