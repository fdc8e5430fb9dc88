import Foundation

@testable import LTX

/// Files that real releases of Litestream wrote; they lie beside the package, in `../shared/fixtures`.
enum Fixtures {
    /// The folder beside the package's folder. Links are resolved, so that the tests also run from elsewhere.
    private static let shared = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")

    static let folder = shared.appendingPathComponent("fixtures/litestream-0.5")
    static let areThere = FileManager.default.fileExists(atPath: folder.path)
    static let missing = "the fixtures ../shared/fixtures/litestream-0.5 are missing"

    /// The reference reader, an independent program in Python.
    static let referenceReader = shared.appendingPathComponent("tools/ltx.py")
    static let hasReferenceReader = FileManager.default.fileExists(atPath: referenceReader.path) && python != nil
    private static let python = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/python3" }.first(where: FileManager.default.isExecutableFile)
    static let missingReader = "python3 or ../shared/tools/ltx.py is missing"

    /// The replicas that are in order.
    static let replicas = ["levels", "lz4-frames", "page-512", "page-65536", "plain", "shrunk", "tiny"]

    /// All transaction files below a folder, as paths relative to ``folder``, in order.
    static func files(below name: String) throws -> [String] {
        let root = folder.appendingPathComponent(name).path
        return try FileManager.default.subpathsOfDirectory(atPath: root)
            .filter { $0.hasSuffix(".ltx") }.sorted().map { "\(name)/\($0)" }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }

    static func source(_ path: String) throws -> MemorySource { MemorySource(try bytes(path), name: path) }

    /// A file of a level, by its numbers.
    static func path(_ replica: String, level: Int, _ min: UInt64, _ max: UInt64) -> String {
        let name = LTXFileName(min: TransactionID(rawValue: min), max: TransactionID(rawValue: max))
        return "\(replica)/replica/ltx/\(level)/\(name)"
    }

    /// Runs the reference reader; the result is its exit status and what it printed.
    static func reference(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python ?? "python3")
        process.arguments = [referenceReader.path] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// Runs `body` with a new folder, which is removed afterwards.
    static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ltx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
