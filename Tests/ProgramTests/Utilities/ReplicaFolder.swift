import Foundation
import LTX
import SystemPackage
import TestDatabases
import TestSupport

/// A replica in a folder, looked at with eyes of its own.
struct ReplicaFolder {
    let path: FilePath

    init(_ path: FilePath) { self.path = path }

    /// Its URL.
    var url: String { "file://\(path)" }

    /// The names of a level's files, ascending.
    func names(level: Int = 0) -> [String] {
        let folder = path.appending("ltx/\(level)").string
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // No file made it yet.
        return names.filter { $0.hasSuffix(".ltx") }.sorted()
    }

    /// The number of the last transaction of a level; 0 where it is empty.
    func highest(level: Int = 0) -> UInt64 {
        names(level: level).compactMap { UInt64($0.dropFirst(17).prefix(16), radix: 16) }.max() ?? 0
    }

    func file(_ name: String, level: Int = 0) -> FilePath { path.appending("ltx/\(level)/\(name)") }

    /// Reads and verifies a file.
    func summary(_ name: String, level: Int = 0) throws -> LTXFileSummary {
        let data = try Data(contentsOf: URL(filePath: file(name, level: level).string))
        return try LTXVerifier(MemorySource([UInt8](data), name: name)).verify(as: LTXFileName(name))
    }

    /// The names of level 0's files that hold more than half of their database.
    func wholeCopies() throws -> [String] {
        try names().filter { name in
            let summary = try summary(name)
            return summary.pageCount * 2 > Int(summary.header.commit)
        }
    }

    /// The names of all files, temporary ones included, relative to the folder.
    func everything() -> [String] {
        let enumerator = FileManager.default.enumerator(atPath: path.string)
        return (enumerator?.compactMap { $0 as? String } ?? []).sorted()
    }

    /// The size of all transaction files in bytes.
    func byteCount() -> Int {
        everything().filter { $0.hasSuffix(".ltx") }.reduce(0) { sum, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: path.appending(name).string)
            return sum + (attributes?[.size] as? Int ?? 0)  // One that was just removed has no size.
        }
    }

    /// Waits until level 0 has a file beyond a transaction.
    func waitForTransaction(above id: UInt64, of process: ChildProcess, within limit: Duration = .seconds(30))
        async throws
    {
        try await eventually("a file above \(id)\(process.outputForMessages)", within: limit) {
            if let exit = process.exit {
                throw TestSupportError("\(process.command): \(exit)\(process.outputForMessages)")
            }
            return highest() > id
        }
    }

    /// Copies all files as they are at some moment, so that they can be restored without a race.
    func frozen(at copy: FilePath) throws -> ReplicaFolder {
        try FileManager.default.copyItem(atPath: path.string, toPath: copy.string)
        return ReplicaFolder(copy)
    }
}

extension ReplicaFolder {
    /// Waits until a restore gives this commit.
    func waitForCommit(_ commit: Int64, of process: ChildProcess, within limit: Duration = .seconds(30)) async throws {
        try await waitForReplica(url, commit: commit, of: process, within: limit)
    }
}

/// Waits until a restore of a replica gives this commit.
func waitForReplica(
    _ replica: String,
    commit: Int64,
    of process: ChildProcess,
    environment: [String: String?] = [:],
    within limit: Duration = .seconds(30)
) async throws {
    try await withTemporaryFolder("wait") { folder in
        var said = ""
        try await eventually("commit \(commit) in \(replica): \(said)\(process.outputForMessages)", within: limit) {
            guard process.exit == nil else { throw TestSupportError("It ended.\(process.outputForMessages)") }
            let output = folder.appending("out.db")
            let arguments = ["restore", "-force", "-o", output.string, replica]
            let result = try await Ours.run(arguments, environment: environment)
            said = result.standardError
            guard result.exit.isSuccess else { return false }
            let restored = try RandomWorkload.commitNumber(of: output)
            said = "it stands at \(restored)"
            return restored >= commit
        }
    }
}
