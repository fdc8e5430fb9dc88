import Crypto
import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestSupport

@testable import Replication

/// A replica that real Litestream wrote, with what a restore of it must give.
struct ReplicaFixture {
    /// What is expected of one restore.
    struct Outcome: Decodable {
        let sha256: String
        let pages: Int
    }

    private struct Expected: Decodable {
        struct Latest: Decodable {
            let txid: String
            let sha256: String
        }
        let latest: Latest
        let transactions: [String: Outcome?]
        let pageSize: Int

        enum CodingKeys: String, CodingKey {
            case latest
            case transactions = "at_txid"
            case pageSize = "page_size"
        }
    }

    /// The names of all whole replicas.
    static let names = ["levels", "lz4-frames", "page-512", "page-65536", "plain", "shrunk", "tiny"]

    let name: String
    let root: FilePath
    let latest: (transaction: TransactionID, sha256: String)
    let pageSize: Int
    /// What each transaction restores to; `nil` where it must be refused.
    let transactions: [TransactionID: Outcome?]

    init(_ name: String) throws {
        self.name = name
        let folder = try Shared.appending("fixtures/litestream-0.5/\(name)")
        root = folder.appending("replica")
        let json = try Data(contentsOf: URL(filePath: folder.appending("expected.json").string))
        let expected = try JSONDecoder().decode(Expected.self, from: json)
        latest = (TransactionID(expected.latest.txid)!, expected.latest.sha256)
        pageSize = expected.pageSize
        transactions = Dictionary(uniqueKeysWithValues: expected.transactions.map { (TransactionID($0)!, $1) })
    }

    var replica: Replica { Replica(store: FolderStore(root: root), layout: .folder) }
}

/// The SHA-256 of a file, in hex digits.
func sha256OfFile(_ path: FilePath) throws -> String {
    let bytes = try Data(contentsOf: URL(filePath: path.string))
    return SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
}

/// Calls `body` with a new folder that is removed afterwards.
func withReplicaFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "replica-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(FilePath(url.path))
}

/// The names in a folder, sorted; none where there is no such folder.
func fileNames(in folder: FilePath) throws -> [String] {
    guard FileManager.default.fileExists(atPath: folder.string) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
}

/// Gives each file of a folder replica the modification time that its header names, as Litestream does.
func setTimes(ofReplica root: FilePath) throws {
    let files = FileManager.default.enumerator(atPath: root.string)
    while let name = files?.nextObject() as? String {
        guard name.hasSuffix(".ltx") else { continue }
        let path = root.appending(name).string
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)).prefix(100))
        let header = try LTXHeader(parsing: bytes.span.bytes)
        let date = Date(timeIntervalSince1970: Double(header.timestampMilliseconds) / 1000)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    }
}
