import Foundation
import SQLiteReplicate
import SystemPackage
import TestDatabases
import TestSupport
import Testing

/// Restores a replica again and again while it changes, at ids and times that a listing offers at that moment.
struct LiveRestores: Sendable {
    let replica: ReplicaFolder
    let history: History
    let folder: FilePath
    let seed: UInt64

    /// Goes on until `isDue`; returns the number of restores.
    func run(until isDue: @Sendable () -> Bool) async throws -> Int {
        var generator = SeededGenerator(seed: seed &+ 1)
        var count = 0
        let output = folder.appending("live.db")
        while !isDue() {
            let files = try await ListedRow.all(of: replica.url)
            guard let file = files.randomElement(using: &generator) else { continue }
            let options: [String]
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: options = ["-txid", file.maxTxid]
            case 1: options = ["-timestamp", ListedRow.text(file.milliseconds + 1)]
            default: options = []
            }
            let result = try await Ours.run(["restore", "-force", "-o", output.string] + options + [replica.url])
            count += 1
            // What was offered at the moment of the listing may have been dropped since, and that is told as such: it is
            // never a file that is missing on the way.
            guard result.exit.isSuccess else {
                let left = try await ListedRow.all(of: replica.url)
                let stillOffered = left.contains { $0.maxTxid == file.maxTxid }
                #expect(!stillOffered || !options.isEmpty, "\(options): \(result.standardError)")
                #expect(
                    result.standardError.contains("notRestorable") || result.standardError.contains("tooEarly"),
                    "\(options): \(result.standardError)"
                )
                continue
            }
            let restored = try RestoredDatabase(output)
            let commit = try await history.commit(restored.commits)
            #expect(restored.digest == commit.digest, "commit \(restored.commits) with \(options)")
        }
        return count
    }
}

/// A file as `ltx -json` tells of it.
struct ListedRow: Decodable, Sendable {
    var level: Int
    var minTxid: String
    var maxTxid: String
    var timestamp: String

    /// The time, in milliseconds since 1970.
    var milliseconds: Int64 {
        Commands.milliseconds(rfc3339: timestamp) ?? 0
    }

    /// All files of a replica.
    static func all(of url: String) async throws -> [ListedRow] {
        let result = try await Ours.run(["ltx", "-level", "all", "-json", url]).checked()
        return try JSONDecoder.snakeCase.decode([ListedRow].self, from: Data(result.standardOutput.utf8))
    }

    /// A time as flags take it.
    static func text(_ milliseconds: Int64) -> String { Commands.rfc3339(milliseconds: milliseconds) }
}
