import Foundation
import LTX
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct RestoreTimestampTests {
    @Test("Restores by time from a folder go by the files' own times", .enabled(if: Shared.isThere))
    func fixture() async throws {
        let fixture = try ReplicaFixture("plain")
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            try FileManager.default.copyItem(atPath: fixture.root.string, toPath: root.string)
            try setTimes(ofReplica: root)
            let restorer = Restorer(Replica(store: FolderStore(root: root), layout: .folder))
            let listing = try await restorer.replica.list()
            for file in listing[0] {
                let output = folder.appending("\(file.max).db")
                let moment = file.created.advanced(by: .milliseconds(1))
                try await restorer.restore(.timestamp(moment), to: output)
                #expect(try sha256OfFile(output) == fixture.transactions[file.max]??.sha256)
            }
            let first = try #require(listing[0].first)
            let error = await #expect(throws: ReplicaError.self) {
                try await restorer.restore(.timestamp(first.created), to: folder.appending("none.db"))
            }
            #expect(error?.code == .tooEarly)
        }
    }

    @Test("R-72: A bucket is asked for times around the moment only, and side by side")
    func bucket() async throws {
        let count: UInt64 = 2000
        try await withReplicaFolder { folder in
            // The files' contents do not matter to a plan, so they are empty but for the size.
            let level = folder.appending("app/0000")
            try FileManager.default.createDirectory(atPath: level.string, withIntermediateDirectories: true)
            for number in 1...count {
                let id = TransactionID(rawValue: number)
                let path = level.appending(LTXFileName(min: id, max: id).description).string
                let time = Date(timeIntervalSince1970: Double(number) * 10)
                try Data(count: 200).write(to: URL(filePath: path))
                try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
            }
            let store = ProbeStore(folder, listedTime: Timestamp(rawValue: 1_800_000_000_000))
            let restorer = Restorer(Replica(store: store, layout: .s3(prefix: "app")))
            for number: UInt64 in [1, 2, 77, 1000, 1999, 2000] {
                let before = store.requests.count
                let plan = try await restorer.plan(.timestamp(Timestamp(rawValue: Int64(number) * 10_000 + 1)))
                #expect(plan.max.rawValue == number)
                let requests = store.requests.count - before
                #expect(requests < 500, "\(requests) requests for transaction \(number)")
            }
            let late = try await restorer.plan(.timestamp(Timestamp(rawValue: 1_900_000_000_000)))
            #expect(late.max.rawValue == count)
            let error = await #expect(throws: ReplicaError.self) {
                try await restorer.plan(.timestamp(Timestamp(rawValue: 10_000)))
            }
            #expect(error?.code == .tooEarly)
        }
    }
}
