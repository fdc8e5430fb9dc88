import Foundation
import LTX
import NIOCore
import ObjectStorage
import Replication
import SystemPackage
import TestDatabases
import TestSupport
import Testing

@testable import Cluster

@Suite(.timeLimit(.minutes(3))) struct TailStoreTests {
    private static let month: Duration = .seconds(30 * 86_400)

    @Test("The life of a tail, in a folder")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try await live(fixture, in: fixture.store, ClusterLayout(path: ""))
        }
    }

    @Test("The life of a tail, in a bucket", .enabled(if: Servers.areExpected, "S3 servers are not installed"))
    func bucket() async throws {
        try await withMoto { server in
            try await withTemporaryFolder { folder in
                let layout = ClusterLayout(path: "tails-\(UInt64.random(in: .min ... .max))")
                try await live(TailFixture(folder), in: server.leaseStore(), layout)
            }
        }
    }

    /// Kept, stored, seen from elsewhere, exported, acknowledged there, removed a month later.
    private func live(_ fixture: TailFixture, in store: any ObjectStore, _ layout: ClusterLayout) async throws {
        try await fixture.share()
        try fixture.commitSome(2)
        let kept = Timestamp(rawValue: 1_760_000_000_000)
        let tail = try await fixture.locked {
            try TailKeeper.keep(fixture.request(fork: fixture.points[0]), at: kept)
        }
        let id = tail.manifest.id
        let here = TailStore(store, layout: layout, local: fixture.tails)
        let there = TailStore(store, layout: layout)
        #expect(try await there.list().isEmpty)
        #expect(try await here.list().map(\.isStored) == [false])
        #expect(try await here.synchronize() == [tail.manifest])
        #expect(try await here.upload(id) == tail.manifest)
        let entry = try #require(try await there.list().first)
        #expect(entry.node == .one && entry.id == id && entry.manifest == tail.manifest && !entry.isLocal)
        #expect(try await here.list().map { $0.isStored && $0.isLocal } == [true])
        #expect(try await there.show(TailReference(id: id)) == tail.manifest)

        let output = fixture.folder.appending("out").appending("tail")
        try await there.export(TailReference(node: .one, id: id), to: output)
        #expect(fileNames(in: output) == fileNames(in: tail.folder))
        for name in fileNames(in: output) {
            #expect(try bytes(of: output.appending(name)) == bytes(of: tail.folder.appending(name)))
        }
        let database = fixture.folder.appending("out").appending("tail.db")
        try await there.database(TailReference(id: id), replica: fixture.replica, to: database)
        #expect(try DatabaseImage(file: database).complaint(comparedWith: fixture.image) == nil)
        #expect(try SQLiteFile(database).integer("SELECT count(*) FROM users") == 2)
        #expect(fileNames(in: fixture.folder.appending("out")).allSatisfy { !$0.contains("tmp") })

        let late = kept.advanced(by: Self.month * 3)
        #expect(try await there.purge(late).isEmpty)
        let seen = Timestamp(rawValue: 1_760_000_500_000)
        let acknowledged = try await there.acknowledge(TailReference(id: id), by: "ada", at: seen)
        #expect(acknowledged.acknowledged == .init(at: seen, by: "ada"))
        #expect(try await there.acknowledge(TailReference(id: id), by: "bob").acknowledged?.person == "ada")
        #expect(try fixture.tails.manifest(of: id)?.acknowledged == nil)
        #expect(try fixture.tails.unacknowledgedCount() == 1)
        #expect(try await here.synchronize().isEmpty)
        #expect(try fixture.tails.unacknowledgedCount() == 0)
        #expect(try fixture.tails.manifest(of: id) == acknowledged)
        #expect(try await here.purge(kept.advanced(by: Self.month - .milliseconds(1))).isEmpty)
        #expect(try await here.purge(kept.advanced(by: Self.month)) == [TailReference(node: .one, id: id)])
        #expect(try await here.list().isEmpty)
        #expect(try await store.list(prefix: layout.tails).isEmpty && fileNames(in: fixture.tails.folder).isEmpty)
    }

    @Test(
        "A copy of a database, and one that goes on from nothing, become databases as well",
        arguments: [512, 65_536]
    )
    func copies(pageSize: Int) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder, pageSize: pageSize)
            try fixture.commitSome(2)
            let store = fixture.tailStore()
            // Nothing in common with any chain: all transactions are there.
            let whole = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: .start)) }
            let copied = try await fixture.locked {
                try TailKeeper.keep(fixture.request(fork: nil, recorded: fixture.points[1]))
            }
            try fixture.database.checkpoint(.passive)
            try fixture.commit("DELETE FROM events")
            let later = try await fixture.locked {
                try TailKeeper.keep(fixture.request(fork: nil, recorded: fixture.points[1]))
            }
            for (tail, image) in [(whole, fixture.images[2]), (copied, fixture.images[2]), (later, fixture.image)] {
                let output = folder.appending("\(tail.manifest.id).db")
                try await store.database(TailReference(id: tail.manifest.id), replica: fixture.replica, to: output)
                #expect(try DatabaseImage(file: output).complaint(comparedWith: image) == nil)
                let taken = await #expect(throws: TailError.self) {
                    try await store.database(TailReference(id: tail.manifest.id), replica: fixture.replica, to: output)
                }
                #expect(taken?.code == .outputExists)
            }
            #expect(fileNames(in: folder).allSatisfy { !$0.hasSuffix(".tmp") })
        }
    }

    @Test(
        "N11 A copy that was kept with the transactions becomes a database, whatever the replica holds by then",
        arguments: [true, false]
    )
    func copyBehindFork(leadFurther: Bool) async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(3)
            var request = fixture.request(fork: fixture.points[0])
            request.copiesDatabase = true
            if leadFurther {
                // As after a power cut: the database has less than the files.
                request.database = folder.appending("older.db")
                try Data(fixture.images[2].bytes).write(to: URL(filePath: request.database.string))
            }
            let asked = request
            let tail = try await fixture.locked { try TailKeeper.keep(asked) }
            #expect(tail.manifest.hasDatabase && tail.manifest.transactionCount == 3)
            #expect(tail.manifest.state.checksum == fixture.last.checksum)
            let output = folder.appending("tail.db")
            let reference = TailReference(id: tail.manifest.id)
            try await fixture.tailStore().database(reference, replica: fixture.replica, to: output)
            #expect(try DatabaseImage(file: output).complaint(comparedWith: fixture.image) == nil)
            // The same commits, whether or not there was room for the copy.
            request.copiesDatabase = false
            let again = request
            #expect(try await fixture.locked { try TailKeeper.keep(again) } == tail)
        }
    }

    @Test("N11 A copy that cannot be made keeps no tail from being kept that its files tell of")
    func noCopy() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(1)
            var request = fixture.request(fork: fixture.points[0])
            request.copiesDatabase = true
            request.database = folder.appending("none.db")
            let tail = try TailKeeper.keep(request)
            #expect(!tail.manifest.hasDatabase && tail.manifest.state.checksum == fixture.last.checksum)
            #expect(fileNames(in: tail.folder) == [tail.manifest.files[0].name, "manifest.json"])
        }
    }

    @Test("A fork that the replica no longer leads to is told from damage, and nothing is left behind")
    func notRestorable() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fixture.points[1])) }
            let store = fixture.tailStore()
            let output = folder.appending("tail.db")
            let reference = TailReference(id: tail.manifest.id)
            let none = await #expect(throws: TailError.self) {
                try await store.database(reference, replica: fixture.replica, to: output)
            }
            #expect(none?.code == .notRestorable && none?.message.contains("transaction files") == true)
            #expect(none?.message.contains("No copy of its database") == true)
            // Another history under the same numbers.
            try FileManager.default.createDirectory(
                atPath: folder.appending("other").string,
                withIntermediateDirectories: true
            )
            let other = try TailFixture(folder.appending("other"))
            try other.commitSome(1)
            try await other.share()
            let foreign = await #expect(throws: TailError.self) {
                try await store.database(reference, replica: other.replica, to: output)
            }
            #expect(foreign?.code == .notRestorable)
            #expect(fileNames(in: folder).allSatisfy { !$0.hasPrefix("tail.db") })
        }
    }

    @Test("What is damaged in one place is taken from the other; in both, it is said and nothing is left behind")
    func damage() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(1)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fixture.points[0])) }
            let store = fixture.tailStore()
            let reference = TailReference(id: tail.manifest.id)
            try await store.upload(tail.manifest.id)
            let file = tail.folder.appending(tail.manifest.files[0].name)
            let whole = try bytes(of: file)
            try Data(whole.dropLast()).write(to: URL(filePath: file.string))
            try await store.export(reference, to: folder.appending("a"))
            #expect(try bytes(of: folder.appending("a").appending(tail.manifest.files[0].name)) == whole)

            let key = store.key(.one, tail.manifest.id, tail.manifest.files[0].name)
            var flipped = whole
            flipped[40] ^= 4
            let body = ObjectBody.bytes(ByteBuffer(bytes: flipped))
            try await store.store.put(key, body, metadata: ObjectMetadata(), condition: .none)
            let damaged = await #expect(throws: TailError.self) {
                try await store.export(reference, to: folder.appending("b"))
            }
            #expect(damaged?.code == .damaged && damaged?.message.contains(key) == true)
            try await store.store.delete([key])
            let missing = await #expect(throws: TailError.self) {
                try await store.export(reference, to: folder.appending("b"))
            }
            #expect(missing?.code == .damaged && missing?.message.contains("missing") == true)
            #expect(fileNames(in: folder).allSatisfy { !$0.hasPrefix("b") })
            let taken = await #expect(throws: TailError.self) {
                try await store.export(reference, to: folder.appending("a"))
            }
            #expect(taken?.code == .outputExists)
        }
    }

    @Test("An upload that did not end is listed, and completed; damaged manifests are listed with what is wrong")
    func unfinished() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fixture.points[0])) }
            let (here, there) = (fixture.tailStore(), TailStore(fixture.store, layout: ClusterLayout(path: "")))
            let id = tail.manifest.id
            try await here.upload(id)
            let manifest = here.key(.one, id, "manifest.json")
            try await here.store.delete([manifest])
            let entry = try #require(try await there.list().first)
            #expect(entry.manifest == nil && entry.problem?.contains("has not ended") == true)
            let shown = await #expect(throws: TailError.self) { try await there.show(TailReference(id: id)) }
            #expect(shown?.code == .damaged)
            // This node knows what it is about, and completes it.
            #expect(try await here.list().map(\.manifest) == [tail.manifest])
            try await here.upload(id)
            #expect(try await there.show(TailReference(id: id)) == tail.manifest)

            let text = ObjectBody.bytes(ByteBuffer(string: "something else"))
            try await here.store.put(manifest, text, metadata: ObjectMetadata(), condition: .none)
            #expect(try await there.list().map { $0.problem?.contains("is not JSON") } == [true])
            let refused = await #expect(throws: TailError.self) { try await here.upload(id) }
            #expect(refused?.code == .damaged)
            let local = tail.folder.appending("manifest.json")
            try Data("{}".utf8).write(to: URL(filePath: local.string))
            // Both are damaged, and one entry says so.
            let entries = try await here.list()
            #expect(entries.count == 1 && entries[0].isLocal && entries[0].isStored && entries[0].node == .one)
            #expect(await #expect(throws: TailError.self) { try await here.synchronize() }?.code == .damaged)
            #expect(try await here.purge(Timestamp(rawValue: .max)).isEmpty)
        }
    }

    @Test("A tail that is acknowledged before its upload has ended is not taken for one that has")
    func acknowledgedMeanwhile() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(3)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fixture.points[0])) }
            let (here, id) = (fixture.tailStore(), tail.manifest.id)
            let file = try #require(tail.manifest.files.first)
            let path = tail.folder.appending(file.name)
            _ = try await here.store.put(
                here.key(.one, id, file.name),
                .file(path),
                metadata: ObjectMetadata(),
                condition: .none
            )
            let acknowledged = try await here.acknowledge(TailReference(id: id), by: "somebody")
            try await here.upload(id)
            let there = TailStore(fixture.store, layout: ClusterLayout(path: ""))
            #expect(try await there.show(TailReference(id: id)) == acknowledged)
            try await there.export(TailReference(id: id), to: folder.appending("exported"))
        }
    }

    @Test("An export touches nothing that lies beside its output, and follows no link")
    func besideOutput() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(2)
            let tail = try await fixture.locked { try TailKeeper.keep(fixture.request(fork: fixture.points[0])) }
            let (output, data) = (folder.appending("out"), folder.appending("data"))
            let files = FileManager.default
            for path in [data.string, output.string + ".tmp"] {
                try files.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            let precious = data.appending("precious")
            try Data("kept".utf8).write(to: URL(filePath: precious.string))
            let link = FilePath(output.string + ".tmp").appending("link")
            try files.createSymbolicLink(atPath: link.string, withDestinationPath: data.string)
            try await fixture.tailStore().export(TailReference(id: tail.manifest.id), to: output)
            #expect(files.fileExists(atPath: link.string) && files.fileExists(atPath: precious.string))
            try LocalTails.removeFolder(FilePath(output.string + ".tmp"))
            #expect(!files.fileExists(atPath: output.string + ".tmp") && files.fileExists(atPath: precious.string))
            #expect(fileNames(in: folder).filter { $0.hasSuffix(".tmp") }.isEmpty)
        }
    }

    @Test("Tails of several nodes are told apart; what is not there is said")
    func names() async throws {
        try await withTemporaryFolder { folder in
            let fixture = try TailFixture(folder)
            try fixture.commitSome(1)
            let here = fixture.tailStore()
            var request = fixture.request(fork: fixture.points[0])
            let one = try await fixture.locked { try TailKeeper.keep(request) }
            request.node = .two
            request.metadata = folder.appending("two")
            let two = try await fixture.locked { try TailKeeper.keep(request) }
            try await here.upload(one.manifest.id)
            let other = TailStore(
                fixture.store,
                layout: ClusterLayout(path: ""),
                local: LocalTails(metadata: request.metadata)
            )
            try await other.upload(two.manifest.id)
            let reference = TailReference(id: one.manifest.id)
            let error = await #expect(throws: TailError.self) { try await here.show(reference) }
            #expect(error?.code == .ambiguous && error?.message.contains("\(NodeID.two)/") == true)
            #expect(try await here.show(TailReference(node: .two, id: two.manifest.id)).node == .two)
            #expect(try await here.list().map(\.node) == [.one, .two])
            let absent = TailReference(id: TailID(epoch: .zero, transaction: 9))
            let none = await #expect(throws: TailError.self) { try await here.acknowledge(absent, by: "ada") }
            #expect(none?.code == .notFound && none?.message.contains("tail list") == true)
            let nobody = await #expect(throws: TailError.self) {
                try await here.acknowledge(TailReference(node: .one, id: one.manifest.id), by: "")
            }
            #expect(nobody?.code == .invalid)
        }
    }
}
