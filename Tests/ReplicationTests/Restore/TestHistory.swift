import Foundation
import LTX
import NIOCore
import ObjectStorage
import SystemPackage
import TestSupport

@testable import Replication

/// A history of a database made of random pages, from which files of any range and the state at any transaction can
/// be told. It stands for the truth in tests, so it is as simple as can be.
struct TestHistory {
    let pageSize: Int
    /// One for each transaction: the size after it and the pages that it wrote, each as the seed of its content.
    private(set) var changes: [(commit: UInt32, pages: [UInt32: UInt64])] = []
    /// The moment of transaction 1; each further one is a second later.
    let start = Timestamp(rawValue: 1_700_000_000_000)
    /// Whether files carry the checksum of the database after them.
    var isMarked = true

    private var random: SeededGenerator

    init(pageSize: Int = 512, seed: UInt64) {
        (self.pageSize, random) = (pageSize, SeededGenerator(seed: seed))
    }

    /// The last transaction.
    var last: TransactionID { TransactionID(rawValue: UInt64(changes.count)) }

    /// Adds a transaction: a few pages written, and sometimes the database grown or shrunk.
    mutating func commit() {
        let before = changes.last?.commit ?? 0
        var commit = before
        if before == 0 {
            commit = UInt32.random(in: 1...40, using: &random)
        } else if random.happens(0.3) {
            commit = UInt32.random(in: 1...(before + 20), using: &random)
        }
        var pages: [UInt32: UInt64] = [:]
        if commit > before { for page in (before + 1)...commit { pages[page] = random.next() } }
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            pages[UInt32.random(in: 1...commit, using: &random)] = random.next()
        }
        changes.append((commit, pages))
    }

    /// Adds a transaction that writes the given pages, and those that are new.
    mutating func commit(size: UInt32, pages: ClosedRange<UInt32>) {
        let before = changes.last?.commit ?? 0
        let all = Set(pages).union(size > before ? Array((before + 1)...size) : [])
        changes.append((size, Dictionary(uniqueKeysWithValues: all.sorted().map { ($0, random.next()) })))
    }

    mutating func commit(count: Int) { for _ in 0..<count { commit() } }

    func timestamp(of transaction: TransactionID) -> Timestamp {
        Timestamp(rawValue: start.rawValue + Int64(transaction.rawValue - 1) * 1000)
    }

    /// The seeds of all pages after a transaction.
    func state(after transaction: TransactionID) -> [UInt64] {
        var state: [UInt64] = []
        for (commit, pages) in changes.prefix(Int(transaction.rawValue)) {
            if state.count > Int(commit) { state.removeLast(state.count - Int(commit)) }
            state += Array(repeating: 0, count: Int(commit) - state.count)
            for (page, seed) in pages { state[Int(page) - 1] = seed }
        }
        return state
    }

    /// The bytes of the database after a transaction.
    func database(after transaction: TransactionID) -> [UInt8] {
        state(after: transaction).flatMap { page(seed: $0) }
    }

    func checksum(after transaction: TransactionID) -> UInt64 {
        state(after: transaction).enumerated().reduce(DatabaseChecksum.empty) { checksum, element in
            let remainder = CRC64.remainder(of: page(seed: element.element).span.bytes)
            let number = UInt32(element.offset + 1)
            return checksum ^ DatabaseChecksum.page(number: number, remainder: remainder, pageSize: pageSize)
        }
    }

    /// The file of a range of transactions.
    func file(_ range: ClosedRange<UInt64>) throws -> [UInt8] {
        let max = TransactionID(rawValue: range.upperBound)
        let state = state(after: max)
        var pages = Set(changes[Int(range.lowerBound - 1)...Int(range.upperBound - 1)].flatMap(\.pages.keys))
        if range.lowerBound == 1 { pages = Set((1...state.count).map { UInt32($0) }) }
        var writer = try LTXWriter(pageSize: pageSize, sink: MemorySink())
        for number in pages.sorted() where Int(number) <= state.count {
            try writer.append(pageNumber: number, page: page(seed: state[Int(number) - 1]).span.bytes)
        }
        let header = LTXHeader(
            pageSize: pageSize,
            commit: UInt32(state.count),
            minTXID: TransactionID(rawValue: range.lowerBound),
            maxTXID: max,
            timestampMilliseconds: timestamp(of: max).rawValue,
            sourceMark: isMarked ? SourceMark(checksum: checksum(after: max)) : nil
        )
        _ = try writer.finish(header: header)
        return writer.sink.bytes
    }

    /// Puts the files of some ranges into a replica.
    func put(_ ranges: [(level: Int, range: ClosedRange<UInt64>)], into replica: Replica) async throws {
        for (level, range) in ranges {
            let key = replica.layout.key(
                level: level,
                min: TransactionID(rawValue: range.lowerBound),
                max: TransactionID(rawValue: range.upperBound)
            )
            let time = timestamp(of: TransactionID(rawValue: range.upperBound))
            let bytes = ObjectBody.bytes(.init(bytes: try file(range)))
            _ = try await replica.store.put(key, bytes, metadata: ObjectMetadata(timestamp: time), condition: .none)
        }
    }

    private func page(seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(pageSize)
    }
}
