import LTX
import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct ReplicaLayoutTests {
    private let one = TransactionID(rawValue: 1)
    private let last = TransactionID(rawValue: 0x49)

    @Test("Keys are those of Litestream")
    func keys() {
        let name = "0000000000000001-0000000000000049.ltx"
        #expect(ReplicaLayout.folder.key(level: 9, min: one, max: last) == "ltx/9/\(name)")
        #expect(ReplicaLayout.s3(prefix: "app").key(level: 9, min: one, max: last) == "app/0009/\(name)")
        #expect(ReplicaLayout.s3(prefix: "a/").key(level: 0, min: one, max: last) == "a//0000/\(name)")
        #expect(ReplicaLayout.s3(prefix: "").key(level: 1, min: one, max: last) == "/0001/\(name)")
        #expect(ReplicaLayout.s3(prefix: ".").key(level: 1, min: one, max: last) == "./0001/\(name)")
    }

    @Test(
        "Names of another form are no files of a replica",
        arguments: [
            "0000000000000001-0000000000000049.ltx.tmp", "0000000000000001-000000000000004A.ltx", "lock.json",
            "sub/0000000000000001-0000000000000049.ltx", "0000000000000000-0000000000000049.ltx",
            "0000000000000049-0000000000000001.ltx", "",
        ]
    )
    func foreignNames(_ name: String) {
        for layout in [ReplicaLayout.folder, .s3(prefix: "app")] {
            let object = ObjectInfo(
                key: layout.prefix(level: 0) + name,
                byteCount: 500,
                modified: Timestamp(rawValue: 0)
            )
            #expect(layout.file(object, level: 0) == nil)
        }
    }

    @Test("A replica lists the levels asked for, each once, and nothing else")
    func list() async throws {
        var history = TestHistory(seed: 1)
        history.commit(count: 5)
        try await withReplicaFolder { folder in
            let probe = ProbeStore(folder)
            let replica = Replica(store: probe, layout: .folder)
            #expect(try await replica.list().isEmpty)
            try await history.put(
                [(0, 3...3), (0, 1...1), (0, 2...2), (1, 2...3), (9, 1...5), (9, 1...2)],
                into: replica
            )
            let body = ObjectBody.bytes(.init(string: "x"))
            for key in ["ltx/0/notes.txt", "ltx/1/deeper/0000000000000004-0000000000000005.ltx", "generations/x"] {
                _ = try await probe.put(key, body, metadata: ObjectMetadata(), condition: .none)
            }
            let before = probe.requests.count
            let listing = try await replica.list(levels: [0, 9])
            #expect(probe.requests.count == before + 2)
            #expect(listing[0].map(\.max.rawValue) == [1, 2, 3] && listing[1].isEmpty)
            #expect(listing[9].map(\.max.rawValue) == [2, 5])
            #expect(try await replica.list().count == 6)
            #expect(listing[0][1].created == history.timestamp(of: TransactionID(rawValue: 2)))
        }
    }

    @Test("A listing kept up to date equals one made anew")
    func updates() {
        var random = SeededGenerator.announced(for: "listings")
        var (listing, files) = (ReplicaListing(), [String: ReplicaFile]())
        for _ in 0..<400 {
            let made = RestorePlanPropertyTests.randomFiles(&random)[0]
            if random.happens(0.6) {
                listing.insert(made)
                files[made.key] = made
            } else if let gone = files.values.sorted(by: { $0.key < $1.key }).randomElement(using: &random) {
                listing.remove(gone)
                files[gone.key] = nil
            }
            #expect(listing == ReplicaListing(files.values.shuffled(using: &random)))
            #expect(listing.count == files.count)
        }
    }

    @Test("R-14: What can be reached, and what is missing, follows from the names of all levels")
    func contiguity() {
        let id = TransactionID.init(rawValue:)
        #expect(ReplicaListing().highestContiguous == nil && ReplicaListing().missing.isEmpty)
        let listing = ReplicaListing([
            file(9, 1...4), file(0, 4...4), file(1, 5...7), file(0, 9...9), file(0, 10...10), file(0, 13...13),
        ])
        #expect(listing.highestContiguous == id(7) && listing.highest == id(13))
        #expect(listing.missing == [id(8)...id(8), id(11)...id(12)])
        let headless = ReplicaListing([file(0, 2...2)])
        #expect(headless.highestContiguous == nil && headless.missing == [id(1)...id(1)])
    }
}
