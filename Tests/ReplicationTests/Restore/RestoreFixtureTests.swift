import LTX
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite(.enabled(if: Shared.isThere)) struct RestoreFixtureTests {
    @Test("Every replica of real Litestream restores to what Litestream restores", arguments: ReplicaFixture.names)
    func latest(of name: String) async throws {
        let fixture = try ReplicaFixture(name)
        try await withReplicaFolder { folder in
            let output = folder.appending("app.db")
            let result = try await Restorer(fixture.replica).restore(.latest, to: output)
            #expect(try sha256OfFile(output) == fixture.latest.sha256)
            #expect(result.plan.max == fixture.latest.transaction)
            #expect(result.pageSize == fixture.pageSize)
            #expect(try fileNames(in: folder) == ["app.db"])
        }
    }

    @Test("Every transaction restores to what Litestream restores, or is refused", arguments: ReplicaFixture.names)
    func transactions(of name: String) async throws {
        let fixture = try ReplicaFixture(name)
        try await withReplicaFolder { folder in
            for (transaction, expected) in fixture.transactions {
                let output = folder.appending("\(transaction).db")
                let restorer = Restorer(fixture.replica)
                if let expected {
                    let result = try await restorer.restore(.transaction(transaction), to: output)
                    #expect(try sha256OfFile(output) == expected.sha256, "transaction \(transaction)")
                    #expect(result.pageCount == UInt32(expected.pages))
                } else {
                    let error = await #expect(throws: ReplicaError.self) {
                        try await restorer.restore(.transaction(transaction), to: output)
                    }
                    #expect(error?.code == .notRestorable)
                    #expect(error?.message.contains("Nearest") == true)
                }
            }
            #expect(try fileNames(in: folder).count == fixture.transactions.values.count { $0 != nil })
        }
    }
}
