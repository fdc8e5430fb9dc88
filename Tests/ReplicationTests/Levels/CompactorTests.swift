import Foundation
import LTX
import NIOCore
import ObjectStorage
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct CompactorTests {
    private func id(_ number: UInt64) -> TransactionID { TransactionID(rawValue: number) }

    private func read(_ path: FilePath) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path.string))) }

    /// A replica with single transactions, and a folder for everything else.
    private func withReplica(
        count: Int,
        isRemote: Bool = false,
        _ body: (_ replica: Replica, _ probe: ProbeStore, _ history: TestHistory, _ folder: FilePath) async throws ->
            Void
    ) async throws {
        var history = TestHistory(seed: UInt64(count))
        history.commit(count: count)
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let probe = ProbeStore(root)
            let replica = Replica(store: isRemote ? probe : FolderStore(root: root), layout: .folder)
            try await history.put((1...UInt64(count)).map { (0, $0...$0) }, into: replica)
            try await body(replica, probe, history, folder)
        }
    }

    private func step(_ level: Int, _ range: ClosedRange<UInt64>, in replica: Replica, from below: Int? = nil)
        async throws -> CompactionStep
    {
        let listing = try await replica.list()
        let sources = listing[below ?? level - 1].filter { range.contains($0.min.rawValue) }
        return CompactionStep(level: level, sources: sources, due: Timestamp(rawValue: 0))
    }

    @Test("A merge holds what its sources held, with the last one's time and mark", arguments: [false, true])
    func merge(isRemote: Bool) async throws {
        try await withReplica(count: 9, isRemote: isRemote) { replica, _, history, folder in
            let compactor = Compactor(replica, workspace: folder.appending("work"))
            let result = try await compactor.carryOut(try await step(1, 2...9, in: replica))
            #expect(result.file.level == 1 && result.file.min == id(2) && result.file.max == id(9))
            #expect(result.file.created == history.timestamp(of: id(9)))
            let header = try await replica.header(of: result.file)
            #expect(header.sourceMark?.checksum == history.checksum(after: id(9)))
            #expect(header.walOffset == 0 && header.walSalt1 == 0)
            let stored = try read(folder.appending("replica").appending(result.file.key))
            #expect(stored == (try history.file(2...9)))
            #expect((try await replica.list())[1] == [result.file])
            #expect(try fileNames(in: folder.appending("work")) == [])
            #expect((result.fetchedByteCount > 0) == isRemote)

            let listing = try await replica.list()
            try await replica.delete(listing[0].filter { $0.min > id(1) })
            try await Restorer(replica).restore(.latest, to: folder.appending("app.db"))
            let isRight = try read(folder.appending("app.db")) == history.database(after: id(9))
            #expect(isRight)
        }
    }

    @Test("R-54: No byte of a source is fetched that lies here; the result is read back")
    func localSources() async throws {
        try await withReplica(count: 8, isRemote: true) { replica, probe, history, folder in
            let spool = folder.appending("spool")
            try FileManager.default.createDirectory(atPath: spool.string, withIntermediateDirectories: true)
            for number in 1...UInt64(8) {
                let path = spool.appending("\(id(number))").string
                try Data(history.file(number...number)).write(to: URL(filePath: path))
            }
            let local = LocalSources { level, min, max in
                level == 0 && min == max ? spool.appending("\(min)") : nil
            }
            let compactor = Compactor(replica, workspace: folder.appending("work"), localSources: local)
            for (level, range) in [(1, 2...4), (1, 5...8), (2, 2...8)] as [(Int, ClosedRange<UInt64>)] {
                let planned = try await step(level, range, in: replica)
                let before = probe.requests.count
                let result = try await compactor.carryOut(planned)
                #expect(
                    result.fetchedByteCount == 0 && result.file.range == id(range.lowerBound)...id(range.upperBound)
                )
                let requests = probe.requests[before...]
                let key = result.file.key
                #expect(requests.allSatisfy { $0 == .put(key) || $0 == .get(key, 0..<result.file.byteCount) })
                #expect(requests.count == 2)
            }
        }
    }

    @Test("R-54: A merged file is kept until the level above has taken it in, and then dropped")
    func cache() async throws {
        try await withReplica(count: 8, isRemote: true) { replica, _, _, folder in
            let kept = folder.appending("kept")
            let cache = MergeCache(folder: kept)
            let compactor = Compactor(replica, workspace: folder.appending("work"), cache: cache)
            for range: ClosedRange<UInt64> in [2...4, 5...8] {
                let result = try await compactor.carryOut(try await step(1, range, in: replica))
                #expect(result.fetchedByteCount > 0)
            }
            #expect(try fileNames(in: kept).count == 2)
            let second = try await compactor.carryOut(try await step(2, 2...8, in: replica))
            #expect(second.fetchedByteCount == 0)
            #expect(try fileNames(in: kept) == ["2-\(id(2))-\(id(8)).ltx"])

            let full = Compactor(
                replica,
                workspace: folder.appending("work"),
                cache: MergeCache(folder: kept, byteLimit: 1)
            )
            let third = try await full.carryOut(try await step(3, 2...8, in: replica))
            #expect(third.fetchedByteCount == 0)
            #expect(try fileNames(in: kept) == [])
        }
    }

    @Test("A local file that is damaged is fetched instead")
    func damagedStandIn() async throws {
        try await withReplica(count: 4, isRemote: true) { replica, _, history, folder in
            let spool = folder.appending("spool")
            try FileManager.default.createDirectory(atPath: spool.string, withIntermediateDirectories: true)
            for number in 2...UInt64(4) {
                var bytes = try history.file(number...number)
                if number == 3 { bytes[bytes.count - 1] ^= 1 }
                try Data(bytes).write(to: URL(filePath: spool.appending("\(id(number))").string))
            }
            let local = LocalSources { level, min, _ in level == 0 ? spool.appending("\(min)") : nil }
            let compactor = Compactor(replica, workspace: folder.appending("work"), localSources: local)
            let result = try await compactor.carryOut(try await step(1, 2...4, in: replica))
            #expect(try read(folder.appending("replica").appending(result.file.key)) == history.file(2...4))
            #expect(result.fetchedByteCount > 0)
            #expect(try fileNames(in: folder.appending("work")) == [])
        }
    }

    @Test("R-53: The first copy lies in the store twice at most, however long the levels are made")
    func firstCopy() async throws {
        try await withReplica(count: 12, isRemote: true) { replica, _, history, folder in
            let compactor = Compactor(replica, workspace: folder.appending("work"))
            let settings = LevelSettings(intervals: [.seconds(2), .seconds(4), .seconds(8)], snapshotInterval: nil)
            var listing = try await replica.list()
            var now = history.timestamp(of: id(12)).advanced(by: .seconds(1))
            for _ in 0..<10 {
                while let step = CompactionPlan(listing: listing, settings: settings, now: now, acceptedThrough: id(12))
                    .steps.first
                {
                    listing.insert(try await compactor.carryOut(step).file)
                    #expect(listing.files.count { $0.isSnapshot } <= 2)
                }
                now = now.advanced(by: .seconds(2))
            }
            #expect((1...3).map { listing[$0].map(\.range) } == Array(repeating: [id(2)...id(12)], count: 3))
            #expect(listing[9].map(\.range) == [id(1)...id(1)])
        }
    }

    @Test("A snapshot merges what a restore would read, from the live database where that must be fetched")
    func snapshot() async throws {
        try await withReplica(count: 6, isRemote: true) { replica, probe, history, folder in
            let sources = try await replica.list()[0]
            let step = CompactionStep(level: 9, sources: sources, due: Timestamp(rawValue: 0))
            let merged = try await Compactor(replica, workspace: folder.appending("work")).carryOut(step)
            #expect(merged.fetchedByteCount == sources.reduce(0) { $0 + $1.byteCount })
            let bytes = try read(folder.appending("replica").appending(merged.file.key))
            try await replica.delete([merged.file])

            let live = folder.appending("live.tmp")
            let compactor = Compactor(replica, workspace: folder.appending("work")) { transaction in
                #expect(transaction == self.id(6))
                try Data(history.file(1...6)).write(to: URL(filePath: live.string))
                return live
            }
            let before = probe.requests.count
            let copied = try await compactor.carryOut(step)
            #expect(copied.fetchedByteCount == 0 && copied.file == merged.file)
            #expect(try read(folder.appending("replica").appending(copied.file.key)) == bytes)
            #expect(probe.requests.count == before + 2)
            #expect(try fileNames(in: folder).contains("live.tmp") == false)
        }
    }

    @Test("R-14: Without the live database a hole is not bridged, and the error says so")
    func hole() async throws {
        try await withReplica(count: 3) { replica, _, _, folder in
            let step = CompactionStep(bridgeTo: id(3), due: Timestamp(rawValue: 0))
            let error = await #expect(throws: ReplicaError.self) {
                _ = try await Compactor(replica, workspace: folder.appending("work")).carryOut(step)
            }
            #expect(error?.code == .hole)
        }
    }

    @Test("A damaged source is named, and nothing is put")
    func damagedSource() async throws {
        try await withReplica(count: 4) { replica, _, _, folder in
            let planned = try await step(1, 2...4, in: replica)
            let path = folder.appending("replica").appending(planned.sources[1].key)
            var bytes = try read(path)
            bytes[120] ^= 0x55
            try Data(bytes).write(to: URL(filePath: path.string))
            let error = await #expect(throws: ReplicaError.self) {
                _ = try await Compactor(replica, workspace: folder.appending("work")).carryOut(planned)
            }
            #expect(error?.code == .damaged && error?.message.contains(planned.sources[1].key) == true)
            #expect((try await replica.list())[1].isEmpty)
            #expect(try fileNames(in: folder.appending("work")) == [])
            // Nor is anything left where the merge was made.
            #expect(try fileNames(in: folder.appending("replica").appending("ltx/1")) == [])
        }
    }

    @Test("A source that vanished is told from a damaged one", arguments: [false, true])
    func vanishedSource(isRemote: Bool) async throws {
        try await withReplica(count: 4, isRemote: isRemote) { replica, _, _, folder in
            let planned = try await step(1, 2...4, in: replica)
            try await replica.delete([planned.sources[1]])
            let error = await #expect(throws: ReplicaError.self) {
                _ = try await Compactor(replica, workspace: folder.appending("work")).carryOut(planned)
            }
            #expect(error?.code == .changing)
        }
    }

    @Test("A result that is read back with other contents is removed again, and is no success")
    func readBack() async throws {
        try await withReplica(count: 4) { replica, _, _, folder in
            let root = folder.appending("replica")
            let store = ProbeStore(root) { (request) throws(ObjectStoreError) in
                guard case .get(let key, _) = request, key.contains("ltx/1") else { return }
                // What a store with a bad disk may do between the put and the reading.
                guard let file = FileHandle(forUpdatingAtPath: root.appending(key).string) else { return }
                file.seek(toFileOffset: 130)
                file.write(Data([0xff, 0xff, 0xff]))
            }
            let replica = Replica(store: store, layout: .folder)
            let planned = try await step(1, 2...4, in: replica)
            let error = await #expect(throws: ReplicaError.self) {
                _ = try await Compactor(replica, workspace: folder.appending("work")).carryOut(planned)
            }
            #expect(error?.code == .damaged)
            #expect((try await replica.list())[1].isEmpty)
        }
    }

    @Test("N8: A merge whose permission has ended is thrown away")
    func permission() async throws {
        try await withReplica(count: 4) { replica, _, _, folder in
            let planned = try await step(1, 2...4, in: replica)
            await #expect(throws: CancellationError.self) {
                _ = try await Compactor(replica, workspace: folder.appending("work")).carryOut(planned) { false }
            }
            #expect((try await replica.list())[1].isEmpty)
        }
    }

    @Test("More files than may be open at a time are merged in one step")
    func manySources() async throws {
        try await withReplica(count: 300) { replica, _, history, folder in
            let planned = try await step(1, 2...300, in: replica)
            let result = try await Compactor(replica, workspace: folder.appending("work")).carryOut(planned)
            #expect(try read(folder.appending("replica").appending(result.file.key)) == history.file(2...300))
        }
    }
}
