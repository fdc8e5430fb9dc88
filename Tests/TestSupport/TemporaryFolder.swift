import Foundation
public import SystemPackage

/// Calls `body` with a new, empty folder that is removed afterwards, with all that is in it.
///
/// - Parameters:
///   - name: The beginning of its name, to recognise it by.
///   - body: Gets the folder's path, which has no links in it.
public func withTemporaryFolder<Value>(
    _ name: String = "test",
    _ body: (FilePath) async throws -> Value
) async throws -> Value {
    let parent = URL(filePath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
    let folder = FilePath(parent).appending("\(name)-\(UUID().uuidString.prefix(8).lowercased())")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    // Best effort: a folder that stays is in nobody's way.
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await body(folder)
}
