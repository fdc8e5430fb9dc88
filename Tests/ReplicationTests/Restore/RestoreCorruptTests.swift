import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite(.enabled(if: Shared.isThere)) struct RestoreCorruptTests {
    private struct Expected: Decodable {
        let transactions: [String]

        enum CodingKeys: String, CodingKey {
            case transactions = "restorable_txids"
        }
    }

    /// The damage, with the file and the words that the error must name.
    static let damages = [
        ("truncated", "ltx/0/0000000000000005-0000000000000005.ltx", "index"),
        ("truncated-at-frame", "ltx/0/0000000000000005-0000000000000005.ltx", "index"),
        ("truncated-after-pages", "ltx/0/0000000000000005-0000000000000005.ltx", "index"),
        ("flipped-page", "ltx/0/0000000000000003-0000000000000003.ltx", "checksum"),
        ("flipped-index", "ltx/0/0000000000000003-0000000000000003.ltx", "index"),
        ("flipped-checksum", "ltx/0/0000000000000003-0000000000000003.ltx", "checksum"),
        ("missing-middle", "0000000000000003", "missing"),
        ("missing-first", "0000000000000002", "begin"),
    ]

    @Test("A damaged replica is refused by name and reason, and leaves no output", arguments: damages)
    func refused(_ damage: (name: String, subject: String, reason: String)) async throws {
        let folder = try Shared.appending("fixtures/litestream-0.5/corrupt")
        let json = try Data(contentsOf: URL(filePath: folder.appending("expected.json").string))
        let expected = try #require(JSONDecoder().decode([String: Expected].self, from: json)[damage.name])
        let root = folder.appending(damage.name).appending("replica")
        let plain = try ReplicaFixture("plain")
        try await withReplicaFolder { folder in
            for layout in ["local", "store"] {
                let store: any ObjectStore = layout == "local" ? FolderStore(root: root) : ProbeStore(root)
                let restorer = Restorer(Replica(store: store, layout: .folder))
                let output = folder.appending("app.db")
                let error = await #expect(throws: ReplicaError.self) {
                    try await restorer.restore(.latest, to: output)
                }
                let message = error?.message ?? ""
                #expect(message.contains(damage.subject) && message.contains(damage.reason), "\(message)")
                #expect(try fileNames(in: folder) == [])

                for text in expected.transactions {
                    let transaction = try #require(TransactionID(text))
                    try await restorer.restore(.transaction(transaction), to: output)
                    #expect(try sha256OfFile(output) == plain.transactions[transaction]??.sha256)
                    try FileManager.default.removeItem(atPath: output.string)
                }
            }
        }
    }

    @Test("A restore over a flipped bit is refused, or decodes to exactly the same pages")
    func flippedBits() async throws {
        let fixture = try ReplicaFixture("tiny")
        let first = "0000000000000001-0000000000000001.ltx"
        let whole = [UInt8](try Data(contentsOf: URL(filePath: fixture.root.appending("ltx/0/\(first)").string)))
        try await withReplicaFolder { folder in
            let replica = folder.appending("replica/ltx/0")
            try FileManager.default.createDirectory(atPath: replica.string, withIntermediateDirectories: true)
            let restorer = Restorer(Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder))
            let (path, output) = (URL(filePath: replica.appending(first).string), folder.appending("app.db"))
            try Data(whole).write(to: path)
            try await restorer.restore(.latest, to: output)
            let expected = try sha256OfFile(output)
            // A share of all bits, spread over the file and over the places in a byte; the file format's tests try all.
            let bits = stride(from: 0, to: whole.count * 8, by: 13)
            var same = 0
            for bit in bits {
                var bytes = whole
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                try Data(bytes).write(to: path)
                do {
                    try await restorer.restore(.latest, to: output, options: RestoreOptions(replacesOutput: true))
                    #expect(try sha256OfFile(output) == expected, "bit \(bit)")
                    same += 1
                } catch let error as ReplicaError {
                    #expect(error.code == .damaged && error.message.contains(first), "bit \(bit): \(error)")
                }
            }
            #expect(same < bits.underestimatedCount / 10)
        }
    }
}
