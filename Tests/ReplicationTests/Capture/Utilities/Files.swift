import Foundation
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
