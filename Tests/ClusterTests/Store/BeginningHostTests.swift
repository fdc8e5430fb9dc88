import Foundation
import LTX
import Logging
import Replication
import SystemPackage
import TestSupport
import Testing

@testable import Cluster

/// What an operator's command finds on its host before the chain begins anew with the database there.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BeginningHostTests {
    private let logger = Logger(label: "host") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a node while it writes rows and ships them. Returns where it stood.
    private func live(_ folder: FilePath, writing rows: Range<Int>) async throws -> (node: NodeID, highest: UInt64) {
        let store = folder.appending("store")
        let node = TestNode("a", in: folder, store: store, peers: TestPeers())
        if rows.lowerBound == 0 { try node.makeDatabase() }
        node.start()
        try await node.reaches(.primary)
        try node.write(rows)
        _ = try await node.node.replicate(timeout: .seconds(10))
        try await node.stop()
        let highest = try await FolderStoreReplica.of(store).list().highest
        return (await node.node.status().node, try #require(highest).rawValue)
    }

    private func look(_ folder: FilePath, _ node: NodeID) async throws -> HostRecord {
        let settings = DatabaseSettings(database: folder.appending("a.db"))
        let host = BeginningHost(settings, node: node, logger: logger)
        do {
            let record = try await host.look()
            await host.close()
            return record
        } catch {
            await host.close()
            throw error
        }
    }

    @Test("A database that stands where its host's records say may count; an older copy put back may not")
    func olderCopy() async throws {
        try await withTemporaryFolder { folder in
            let files = FileManager.default
            let (_, before) = try await live(folder, writing: 0..<5)
            let database = folder.appending("a.db").string
            try files.createDirectory(atPath: folder.appending("old").string, withIntermediateDirectories: true)
            for end in ["", "-wal"] where files.fileExists(atPath: database + end) {
                try files.copyItem(atPath: database + end, toPath: folder.appending("old/a.db\(end)").string)
            }
            let (node, highest) = try await live(folder, writing: 5..<10)
            #expect(highest > before)
            let record = try await look(folder, node)
            #expect(record == HostRecord(newest: highest, holds: highest, epoch: Epoch(rawValue: 2)))

            for end in ["", "-wal", "-shm"] { try? files.removeItem(atPath: database + end) }  // some are not there
            for name in try files.contentsOfDirectory(atPath: folder.appending("old").string) {
                try files.copyItem(
                    atPath: folder.appending("old").appending(name).string,
                    toPath: folder.appending(name).string
                )
            }
            let error = await #expect(throws: NodeCommandError.self) { _ = try await look(folder, node) }
            #expect(error?.code == .refused && error?.message.contains("had newer ones") == true, "\(error as Any)")
        }
    }

    @Test(
        "What a try has noted stands when it is tried again, and local files go once the chain begins with the database"
    )
    func founding() async throws {
        try await withTemporaryFolder { folder in
            let (node, highest) = try await live(folder, writing: 0..<5)
            let settings = DatabaseSettings(database: folder.appending("a.db"))
            let host = BeginningHost(settings, node: node, logger: logger)
            let first = try await host.look()
            try await host.begin(behind: 100)
            await host.close()
            #expect(first.holds == highest)
            let expected = HostRecord(newest: 100, holds: highest, epoch: first.epoch)
            for _ in 0..<2 {
                #expect(try await look(folder, node) == expected)
                #expect(try FollowerDatabase(settings).journal.isFounding)
            }
            let follower = try FollowerDatabase(settings)
            #expect(try follower.lock())
            let finding = try #require(try follower.examine(node: node.rawValue))
            #expect(finding.recorded.number == 100 && finding.recorded.checksum == finding.checksum)
            #expect(finding.ahead.isEmpty)
            #expect(try follower.folder.transactionIDs().isEmpty)
            follower.close()
        }
    }
}
