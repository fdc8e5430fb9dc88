import Foundation
import SystemPackage
import TestDatabases
import TestSupport

extension Application {
    /// Begins a read transaction above READ0: it keeps the WAL from being begun anew as long as it is open.
    ///
    /// A reader that begins when everything lies in the database file takes READ0, which keeps nobody from anything. So
    /// it begins right after a commit, and the kernel is asked which lock it holds.
    func readerAboveZero() throws -> SQLiteFile {
        let reader = try SQLiteFile(path, .init(autocheckpoint: 0))
        for _ in 0..<100 {
            try write()
            try reader.execute("BEGIN; SELECT count(*) FROM note")
            if try holdsReadMark() { return reader }
            try reader.execute("ROLLBACK")
        }
        throw TestSupportError("No reader of '\(path)' got a read mark above 0: somebody backfills at once.")
    }

    /// Whether this process holds one of the locks READ1 to READ4 of the WAL index, bytes 124 to 127.
    private func holdsReadMark() throws -> Bool {
        let attributes = try FileManager.default.attributesOfItem(atPath: path.string + "-shm")
        guard let inode = attributes[.systemFileNumber] as? Int else { return false }
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        // To its end: it may be longer than one read gives.
        let locks = try FileHandle(forReadingFrom: URL(filePath: "/proc/locks")).readToEnd() ?? Data()
        return String(decoding: locks, as: UTF8.self).split(separator: "\n").contains { line in
            // 7: POSIX  ADVISORY  READ 4711 08:01:123456 124 124
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 8, fields[3] == "READ", fields[4] == own, fields[5].hasSuffix(":\(inode)"),
                let first = Int(fields[6]), let last = Int(fields[7])
            else { return false }
            return first <= 127 && last >= 124
        }
    }
}
