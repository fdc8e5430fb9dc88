import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

@Suite("What nodes write down of themselves", .serialized, .timeLimit(.minutes(2)))
struct NodeRecordTests {
    /// The roles that the records in a folder store tell, by name.
    private func roles(_ store: FilePath) throws -> [String: Role] {
        let folder = store.appending("cluster/nodes")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []  // before the first
        return try names.filter { $0.hasSuffix(".json") }.reduce(into: [:]) { roles, name in
            let bytes = try Data(contentsOf: URL(filePath: folder.appending(name).string))
            let record = try NodeRecord(parsing: bytes)
            roles[record.name] = record.role
        }
    }

    // The records' own turn comes once a minute.
    @Test("a change of role is in the record at once, and nobody who has ended stays a primary there")
    func roles() async throws {
        try await withTemporaryFolder { folder in
            let (peers, store) = (TestPeers(), folder.appending("store"))
            let nodes = ["a", "b"].map { TestNode($0, in: folder, store: store, peers: peers) }
            try nodes[0].makeDatabase()
            for node in nodes { node.start() }
            try await nodes[0].reaches(.primary)
            try await nodes[1].reaches(.standby)
            try await eventually("both say so", within: .seconds(10)) {
                try roles(store) == ["a": .primary, "b": .standby]
            }
            try await eventually("b is on the list") { await nodes[0].node.status().lease?.eligible.count == 2 }
            try await nodes[0].node.perform(.switchover(to: try #require(await nodes[0].node.node(named: "b"))))
            try await eventually("they have changed places", within: .seconds(10)) {
                try roles(store) == ["a": .standby, "b": .primary]
            }
            try await nodes[0].stop()
            try await nodes[1].stop()
            #expect(try roles(store)["b"] != .primary)
        }
    }
}
