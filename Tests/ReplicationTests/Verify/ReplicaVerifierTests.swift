import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct ReplicaVerifierTests {
    private func verify(_ root: FilePath, isRemote: Bool = false, in folder: FilePath) async throws
        -> VerificationReport
    {
        let store: any ObjectStore = isRemote ? ProbeStore(root) : FolderStore(root: root)
        let replica = Replica(store: store, layout: .folder)
        return try await ReplicaVerifier(replica, workspace: folder.appending("work")).verify()
    }

    @Test("Replicas of real Litestream are sound", .enabled(if: Shared.isThere), arguments: ReplicaFixture.names)
    func fixtures(_ name: String) async throws {
        let fixture = try ReplicaFixture(name)
        try await withReplicaFolder { folder in
            for isRemote in [false, true] {
                let report = try await verify(fixture.root, isRemote: isRemote, in: folder)
                #expect(report.findings.allSatisfy { $0.severity < .warning }, "\(report.findings)")
                #expect(report.fileCount > 1 && report.markCount == 0 && report.isSound)
            }
        }
    }

    @Test(
        "Damaged replicas are not, and the finding names the file",
        .enabled(if: Shared.isThere),
        arguments: RestoreCorruptTests.damages
    )
    func corrupt(_ damage: (name: String, subject: String, reason: String)) async throws {
        let root = try Shared.appending("fixtures/litestream-0.5/corrupt/\(damage.name)/replica")
        try await withReplicaFolder { folder in
            let report = try await verify(root, in: folder)
            #expect(!report.isSound)
            let name = damage.name == "missing-first" ? "0000000000000001" : damage.subject
            #expect(
                report.findings.contains { $0.severity == .error && $0.message.contains(name) },
                "\(report.findings)"
            )
        }
    }

    @Test("A hole that another level fills is no error, a gap in a level is a warning")
    func gaps() async throws {
        var history = TestHistory(seed: 1)
        history.commit(count: 9)
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let replica = Replica(store: FolderStore(root: root), layout: .folder)
            try await history.put(
                [(0, 1...1), (0, 2...2), (1, 3...5), (1, 7...8), (2, 5...7), (0, 9...9), (9, 1...4)],
                into: replica
            )
            let report = try await verify(root, in: folder)
            #expect(report.isSound && report.markCount == 7)
            #expect(report.findings.filter { $0.severity == .warning }.count == 2)

            try await history.put([(1, 4...6)], into: replica)
            let overlap = try await verify(root, in: folder)
            #expect(overlap.findings.contains { $0.message.contains("overlaps") })
        }
    }

    @Test("Two histories in one replica are found by their marks")
    func mixed() async throws {
        var (one, other) = (TestHistory(seed: 1), TestHistory(seed: 2))
        one.commit(count: 4)
        other.commit(count: 4)
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let replica = Replica(store: FolderStore(root: root), layout: .folder)
            try await one.put([(0, 1...1), (0, 2...2), (0, 3...3)], into: replica)
            try await other.put([(1, 2...3)], into: replica)
            let report = try await verify(root, in: folder)
            #expect(report.findings.contains { $0.severity == .error && $0.message.contains("histories") })
        }
    }

    @Test("A file that another one covers may be damaged: the finding is about the file alone")
    func covered() async throws {
        var history = TestHistory(seed: 3)
        history.commit(count: 4)
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let replica = Replica(store: FolderStore(root: root), layout: .folder)
            try await history.put([(0, 1...1), (0, 2...2), (0, 3...3), (1, 2...3)], into: replica)
            let key = replica.layout.key(level: 0, min: TransactionID(rawValue: 3), max: TransactionID(rawValue: 3))
            try Data().write(to: URL(filePath: root.appending(key).string))
            let report = try await verify(root, in: folder)
            #expect(report.findings.count == 1 && report.findings[0].file?.key == key)
        }
    }
}
