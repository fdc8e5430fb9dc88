import Foundation
import LTX
import Replication
import SystemPackage
import TestSupport

/// Removes a file that is there.
func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

/// Gives a file the name of another, which is gone afterwards.
func rename(_ path: String, _ other: String) throws {
    guard Foundation.rename(path, other) == 0 else { throw TestSupportError("rename \(path): \(errno)") }
}

/// The size of a file in bytes; 0 where there is none.
func byteCount(of path: String) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
}

/// The names in a folder.
func names(in path: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

/// Puts another boot into the position record of a database, as if the machine had been started anew.
func forgetBoot(of database: FilePath) throws {
    let path = MetadataFolder.defaultPath(for: database).appending("sqlite-replicate").appending("position")
    let text = try String(contentsOfFile: path.string, encoding: .utf8)
    let lines = text.split(separator: "\n").dropLast().map { $0.hasPrefix("boot ") ? "boot 0-1" : String($0) }
    let body = Array((lines.joined(separator: "\n") + "\n").utf8)
    let sum = String(CRC64.checksum(of: body.span.bytes), radix: 16)
    try Data(body + Array("end \(sum)\n".utf8)).write(to: URL(filePath: path.string))
}
