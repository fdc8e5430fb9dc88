import Foundation
import LTX
import NIOCore
import ObjectStorage
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct RestoreExecutionTests {
    private func read(_ path: FilePath) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path.string))) }

    /// Random ranges of files at several levels that lead to the last transaction, and some more.
    private func randomRanges(
        _ history: TestHistory,
        _ random: inout SeededGenerator
    ) -> [(level: Int, range: ClosedRange<UInt64>)] {
        let last = history.last.rawValue
        var ranges: [(level: Int, range: ClosedRange<UInt64>)] = []
        for level in 0...3 where level == 0 || random.happens(0.7) {
            var start = UInt64.random(in: 1...last, using: &random)
            if random.happens(0.5) { start = 1 }
            while start <= last {
                let end = level == 0 ? start : Swift.min(last, start + UInt64.random(in: 0...9, using: &random))
                if level == 0 || random.happens(0.8) { ranges.append((level, start...end)) }
                start = random.happens(0.1) && level > 0 ? Swift.max(1, end - 1) : end + 1
            }
        }
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            ranges.append((9, 1...UInt64.random(in: 1...last, using: &random)))
        }
        return ranges
    }

    @Test("R-73: Random histories in random files restore to the right bytes, at every transaction that is offered")
    func randomHistories() async throws {
        var random = SeededGenerator.announced(for: "restores of random histories")
        for round in 0..<12 {
            let pageSize = [512, 1024, 4096].randomElement(using: &random) ?? 512
            var history = TestHistory(pageSize: pageSize, seed: random.next())
            history.isMarked = random.happens(0.7)
            history.commit(count: Int.random(in: 1...30, using: &random))
            let ranges = randomRanges(history, &random)
            try await withReplicaFolder { folder in
                let root = folder.appending("replica")
                let store: any ObjectStore = random.happens(0.5) ? FolderStore(root: root) : ProbeStore(root)
                let replica = Replica(store: store, layout: .folder)
                try await history.put(ranges, into: replica)
                let listing = try await replica.list()
                #expect(listing.count == Set(ranges.map { "\($0)" }).count)
                for number in 1...history.last.rawValue where random.happens(0.5) {
                    let target = RestoreTarget.transaction(TransactionID(rawValue: number))
                    guard let plan = try? RestorePlan(listing: listing, target: target) else { continue }
                    let output = folder.appending("\(number).db")
                    let result = try await Restorer(replica).restore(plan, to: output)
                    let isRight = try read(output) == history.database(after: plan.max)
                    #expect(isRight, "round \(round), transaction \(number)")
                    #expect(result.isMarkVerified == history.isMarked)
                    #expect(result.verifiedMarkCount == (history.isMarked ? plan.files.count : 0))
                    #expect(result.databaseChecksum == history.checksum(after: plan.max))
                }
            }
        }
    }

    @Test("Files larger than one run are read in parts, locally and from a store", arguments: [false, true])
    func largeFiles(isRemote: Bool) async throws {
        var history = TestHistory(pageSize: 65536, seed: 7)
        history.commit(count: 1)
        while history.state(after: history.last).count < 60 { history.commit() }
        let last = history.last.rawValue
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let probe = ProbeStore(root)
            let replica = Replica(store: isRemote ? probe : FolderStore(root: root), layout: .folder)
            try await history.put([(9, 1...last - 1), (0, last...last)], into: replica)
            let progress = Mutex<[RestoreProgress]>([])
            let options = RestoreOptions(progress: { step in progress.withLock { $0.append(step) } })
            let output = folder.appending("app.db")
            let result = try await Restorer(replica).restore(.latest, to: output, options: options)
            let isRight = try read(output) == history.database(after: history.last)
            #expect(isRight)
            #expect(result.isMarkVerified)
            let steps = progress.withLock { $0 }
            #expect(steps.map(\.bytesDone) == steps.map(\.bytesDone).sorted())
            #expect(steps.last?.filesDone == 2 && steps.last?.bytesDone == steps.last?.bytesInAll)
            let parts = probe.count { if case .get(let key, _) = $0 { key.contains("ltx/9") } else { false } }
            #expect(!isRemote || parts > 3)
        }
    }

    @Test("R-71: Files that are merged away while a restore runs are replaced by another plan")
    func mergedMeanwhile() async throws {
        var history = TestHistory(seed: 3)
        history.commit(count: 20)
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let under = Replica(store: FolderStore(root: root), layout: .folder)
            try await history.put((1...20).map { (0, $0...$0) }, into: under)
            // With each file that is read three older ones go into a merged one.
            let next = Mutex<UInt64>(2)
            let source = history
            let store = ProbeStore(root) { (request) throws(ObjectStoreError) in
                guard case .get = request else { return }
                let start = next.withLock { next in
                    defer { next += 3 }
                    return next
                }
                guard start + 2 <= 19 else { return }
                do { try await source.put([(1, start...(start + 2))], into: under) } catch { return }
                try await under.store.delete(
                    (start...(start + 2)).map {
                        under.layout.key(level: 0, min: TransactionID(rawValue: $0), max: TransactionID(rawValue: $0))
                    }
                )
            }
            let output = folder.appending("app.db")
            let result = try await Restorer(Replica(store: store, layout: .folder)).restore(.latest, to: output)
            let isRight = try read(output) == history.database(after: history.last)
            #expect(isRight)
            #expect(result.plan.files.contains { $0.level == 1 })
        }
    }

    @Test("R-71: A plan made before its files went is made anew; what no file has any more is an error")
    func oldPlan() async throws {
        var history = TestHistory(seed: 4)
        history.commit(count: 5)
        try await withReplicaFolder { folder in
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            try await history.put((1...5).map { (0, $0...$0) }, into: replica)
            let plan = try await Restorer(replica).plan(.latest)
            try await history.put([(1, 2...4)], into: replica)
            try await replica.delete(plan.files.filter { (2...4).contains($0.min.rawValue) })
            let result = try await Restorer(replica).restore(plan, to: folder.appending("app.db"))
            #expect(result.plan.files.map(\.level) == [0, 1, 0])

            try await replica.delete(plan.files.filter { $0.min.rawValue == 1 })
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(plan, to: folder.appending("b.db"))
            }
            #expect(error?.code == .noBackup)
            #expect(try fileNames(in: folder) == ["app.db", "replica"])
        }
    }

    @Test("R-71: A snapshot that is written again while it is read is read again")
    func replacedMeanwhile() async throws {
        var history = TestHistory(pageSize: 65536, seed: 5)
        history.commit(count: 1)
        while history.state(after: history.last).count < 40 { history.commit() }
        let last = history.last.rawValue
        try await withReplicaFolder { folder in
            let root = folder.appending("replica")
            let under = Replica(store: FolderStore(root: root), layout: .folder)
            try await history.put([(9, 1...last)], into: under)
            var other = history
            other.isMarked = false
            let isDone = Mutex(false)
            let source = other
            let store = ProbeStore(root) { (request) throws(ObjectStoreError) in
                guard case .get(_, .some(let range)) = request, range.lowerBound > 1 << 20, range.count > 1 << 19,
                    isDone.withLock({ done in
                        defer { done = true }
                        return !done
                    })
                else { return }
                // The same pages in frames of another size: nothing of the index fits any more.
                do { try await source.putShifted(1...last, level: 9, into: under) } catch { return }
            }
            let output = folder.appending("app.db")
            try await Restorer(Replica(store: store, layout: .folder)).restore(.latest, to: output)
            let isRight = try read(output) == history.database(after: history.last)
            #expect(isRight && isDone.withLock { $0 })
        }
    }

    @Test("R-74: A file shorter than its listing says, and one that is no transaction file, are named")
    func shortFile() async throws {
        var history = TestHistory(seed: 6)
        history.commit(count: 3)
        try await withReplicaFolder { folder in
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            try await history.put((1...3).map { (0, $0...$0) }, into: replica)
            let key = replica.layout.key(level: 0, min: TransactionID(rawValue: 2), max: TransactionID(rawValue: 2))
            let path = URL(filePath: try #require(replica.store.localFile(key)).string)
            let whole = try Data(contentsOf: path)
            for content in [Data(), whole.prefix(50), whole.prefix(whole.count - 1), whole + [0], Data(count: 5000)] {
                try content.write(to: path)
                for store in [replica.store, ProbeStore(folder.appending("replica"))] as [any ObjectStore] {
                    let restorer = Restorer(Replica(store: store, layout: .folder))
                    let error = await #expect(throws: ReplicaError.self) {
                        try await restorer.restore(.latest, to: folder.appending("app.db"))
                    }
                    #expect(error?.code == .damaged && error?.message.contains(key) == true, "\(error?.message ?? "")")
                }
            }
            #expect(try fileNames(in: folder) == ["replica"])
        }
    }

    @Test("Files of two histories do not become one database")
    func mixedHistories() async throws {
        var (one, other) = (TestHistory(seed: 8), TestHistory(seed: 9))
        for _ in 0..<3 {
            one.commit(size: 20, pages: 1...20)
            other.commit(size: 20, pages: 1...20)
        }
        for page: UInt32 in 4...6 {
            one.commit(size: 20, pages: page...page)
            other.commit(size: 20, pages: page...page)
        }
        try await withReplicaFolder { folder in
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            try await one.put((1...3).map { (0, $0...$0) }, into: replica)
            try await other.put((4...6).map { (0, $0...$0) }, into: replica)
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: folder.appending("app.db"))
            }
            #expect(error?.code == .mismatch)
        }
    }

    @Test("A damaged file that claims a huge database costs no memory and is refused")
    func hugeClaim() async throws {
        try await withReplicaFolder { folder in
            let replica = Replica(store: FolderStore(root: folder.appending("replica")), layout: .folder)
            var writer = try LTXWriter(pageSize: 512, sink: MemorySink())
            try writer.append(pageNumber: 4_000_000_000, page: [UInt8](repeating: 1, count: 512).span.bytes)
            let id = TransactionID(rawValue: 2)
            let header = LTXHeader(pageSize: 512, commit: .max, minTXID: id, maxTXID: id, timestampMilliseconds: 0)
            _ = try writer.finish(header: header)
            var history = TestHistory(seed: 10)
            history.commit()
            try await history.put([(0, 1...1)], into: replica)
            let key = replica.layout.key(level: 0, min: id, max: id)
            let body = ObjectBody.bytes(ByteBuffer(bytes: writer.sink.bytes))
            _ = try await replica.store.put(key, body, metadata: ObjectMetadata(), condition: .none)
            let error = await #expect(throws: ReplicaError.self) {
                try await Restorer(replica).restore(.latest, to: folder.appending("app.db"))
            }
            #expect(error?.code == .damaged && error?.message.contains(key) == true)
        }
    }
}

extension TestHistory {
    /// Puts the file of a range whose frames have other sizes than those of ``put(_:into:)``.
    func putShifted(_ range: ClosedRange<UInt64>, level: Int, into replica: Replica) async throws {
        let max = TransactionID(rawValue: range.upperBound)
        let database = database(after: max)
        var block = FrameBlock(pageSize: pageSize)
        for number in 0..<(database.count / pageSize) {
            let page = Array(database[(number * pageSize)..<((number + 1) * pageSize)])
            let remainder = CRC64.remainder(of: page.span.bytes)
            block.append(pageNumber: UInt32(number + 1), storing: page.span.bytes, remainder: remainder)
        }
        var writer = try LTXWriter(pageSize: pageSize, sink: MemorySink())
        try writer.append(block)
        let header = LTXHeader(
            pageSize: pageSize,
            commit: UInt32(database.count / pageSize),
            minTXID: TransactionID(rawValue: range.lowerBound),
            maxTXID: max,
            timestampMilliseconds: timestamp(of: max).rawValue
        )
        _ = try writer.finish(header: header)
        let key = replica.layout.key(level: level, min: header.minTXID, max: max)
        let metadata = ObjectMetadata(timestamp: timestamp(of: max))
        _ = try await replica.store.put(
            key,
            .bytes(ByteBuffer(bytes: writer.sink.bytes)),
            metadata: metadata,
            condition: .none
        )
    }
}
