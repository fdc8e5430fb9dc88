import Crypto
import Foundation
public import SystemPackage
import TestSupport

/// The SHA-256 of a file's bytes, as 64 hexadecimal digits; reads it in pieces.
///
/// Never of a database that is open in this process: closing the file drops the locks that SQLite holds on it.
public func sha256(of file: FilePath) throws -> String {
    let descriptor = try FileDescriptor.open(file, .readOnly)
    return try descriptor.closeAfter {
        var (hash, chunk) = (SHA256(), [UInt8](repeating: 0, count: 1 << 20))
        while true {
            // SAFETY: `read` fills at most the buffer, and what it filled is hashed.
            let count = unsafe try chunk.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
            guard count > 0 else { return hash.finalize().hexadecimal }
            hash.update(data: chunk[..<count])
        }
    }
}

extension SQLiteFile {
    /// A digest of what the tables of a database hold, whatever the layout of its file.
    ///
    /// Tables whose name begins with `_` are left out: replicators keep their own there. The database is opened as any
    /// application would do it, so its WAL counts; an integrity check comes first.
    ///
    /// - Throws: ``TestSupportError`` with what `PRAGMA integrity_check` says, where that is not `ok`.
    public static func contentDigest(of path: FilePath) throws -> String {
        let database = try SQLiteFile(path, Options(creates: false))
        defer { database.close() }
        return try database.contentDigest()
    }

    /// The same as ``contentDigest(of:)``, as this connection sees the database.
    public func contentDigest() throws -> String {
        let check = try integrityCheck()
        guard check == "ok" else { throw TestSupportError("'\(path)' fails integrity_check: \(check)") }
        var hash = SHA256()
        let tables = try query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '!_%' ESCAPE '!' ORDER BY name"
        )
        for name in tables.compactMap({ $0.first?.text }) {
            hash.update(data: Array("table \(name)\n".utf8))
            let quoted = "\"\(name.replacing("\"", with: "\"\""))\""
            try run("SELECT * FROM \(quoted) ORDER BY 1") { row in
                for value in row { hash.update(value) }
            }
        }
        return hash.finalize().hexadecimal
    }
}

extension SHA256 {
    /// Adds a value, its type and its length, so that no two rows look the same.
    fileprivate mutating func update(_ value: SQLiteValue) {
        switch value {
        case .null: update(data: Array("n;".utf8))
        case .integer(let number): update(data: Array("i\(number);".utf8))
        case .real(let number): update(data: Array("r\(number.bitPattern);".utf8))
        case .text(let text): update(data: Array("t\(text.utf8.count):\(text);".utf8))
        case .blob(let bytes):
            update(data: Array("b\(bytes.count):".utf8))
            update(data: bytes)
        }
    }
}

extension SHA256Digest {
    fileprivate var hexadecimal: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

extension DatabaseImage {
    /// The SHA-256 of all its bytes, as 64 hexadecimal digits.
    public var digest: String { SHA256.hash(data: bytes).hexadecimal }
}
