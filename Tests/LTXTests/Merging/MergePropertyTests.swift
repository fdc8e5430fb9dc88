import Testing

@testable import LTX

/// A history of a database: its pages after every transaction, and the files that lead there.
struct ModelHistory {
    let pageSize: Int
    private(set) var states: [[UInt32: [UInt8]]] = [[:]]
    private(set) var commits: [UInt32] = [0]
    private(set) var changes: [[UInt32: [UInt8]]] = [[:]]
    private(set) var files: [[UInt8]] = [[]]

    init(pageSize: Int, count: Int, random: inout SeededGenerator) throws {
        self.pageSize = pageSize
        for id in 1...count {
            let before = commits[id - 1]
            var commit = before
            switch random.next() % 5 {
            case 0: commit += UInt32(random.next() % 12)
            case 1: commit -= min(commit, UInt32(random.next() % 12))
            default: break
            }
            commit = max(commit, 1)
            var changed: [UInt32: [UInt8]] = [:]
            for _ in 0..<(random.next() % 5) {
                changed[UInt32(random.next() % UInt64(commit)) + 1] = random.page(pageSize)
            }
            if commit > before {
                for number in (before + 1)...commit { changed[number] = random.page(pageSize) }
            }
            var state = states[id - 1].filter { $0.key <= commit }
            state.merge(changed) { $1 }
            states.append(state)
            commits.append(commit)
            changes.append(changed)
            let mark = SourceMark(checksum: TestFile.databaseChecksum(state), epoch: UInt64(id))
            var header = LTXHeader(pageSize, commit: commit, UInt64(id), UInt64(id), timestamp: Int64(id), mark: mark)
            header.nodeID = UInt64(1000 + id)
            var file = RawFile(header)
            for (number, page) in changed.sorted(by: { $0.key < $1.key }) {
                if random.next() % 2 == 0 { file.addBlock(number, page) } else { file.addLZ4Frame(number, page) }
            }
            files.append(file.bytes)
        }
    }

    /// The newest version of every page that the files of `ids` hold, as far as the database reaches at their end.
    func merged(_ ids: ClosedRange<Int>) -> [UInt32: [UInt8]] {
        ids.reduce(into: [:]) { pages, id in pages.merge(changes[id]) { $1 } }.filter {
            $0.key <= commits[ids.upperBound]
        }
    }
}

@Suite struct MergePropertyTests {
    @Test(
        "Merges of random histories equal the model, however they are grouped",
        arguments: 1...60 as ClosedRange<UInt64>
    )
    func histories(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pageSize = [512, 512, 1024, 4096][Int(random.next() % 4)]
        let count = Int(random.next() % 12) + 2
        let history = try ModelHistory(pageSize: pageSize, count: count, random: &random)
        func file(_ id: Int) -> MemorySource { MemorySource(history.files[id], name: "\(id)") }

        // All at once.
        let whole = try TestFile.merge((1...count).map(file), bufferBudget: 1)
        #expect(try TestFile.pages(whole.bytes) == history.states[count], "seed \(seed)")
        #expect(whole.summary.header.sourceMark?.epoch == UInt64(count))
        #expect(whole.summary.header.nodeID == UInt64(1000 + count))
        #expect(whole.summary.databaseChecksum == TestFile.databaseChecksum(history.states[count]))

        // Some of them, as a level does.
        let first = Int(random.next() % UInt64(count)) + 1
        let last = first + Int(random.next() % UInt64(count - first + 1))
        let part = try TestFile.merge((first...last).map(file))
        #expect(try TestFile.pages(part.bytes) == history.merged(first...last), "seed \(seed): \(first) to \(last)")
        #expect(
            part.summary.header.fileName.description
                == LTXFileName(
                    min: TransactionID(rawValue: UInt64(first)),
                    max: TransactionID(rawValue: UInt64(last))
                ).description
        )

        // In groups, and the groups again; then with files that overlap.
        let cut = Int(random.next() % UInt64(count - 1)) + 1
        let low = try TestFile.merge((1...cut).map(file))
        let high = try TestFile.merge(((cut + 1)...count).map(file))
        let groups = [MemorySource(low.bytes, name: "low"), MemorySource(high.bytes, name: "high")]
        #expect(try TestFile.merge(groups).bytes == whole.bytes, "seed \(seed): cut \(cut)")
        let overlap = Int(random.next() % UInt64(cut)) + 1
        if cut < count {
            let more = try TestFile.merge((overlap...count).map(file))
            let files = [groups[0], MemorySource(more.bytes, name: "more")]
            #expect(try TestFile.merge(files).bytes == whole.bytes, "seed \(seed): overlap \(overlap)")
        }

        // Without a file.
        var pages: [UInt32: [UInt8]] = [:]
        var numbers: [UInt32] = []
        try LTXMerger((1...count).map(file)).decodePages { number, page, remainder in
            numbers.append(number)
            pages[number] = page.withUnsafeBytes { [UInt8]($0) }
            #expect(remainder == CRC64.remainder(of: page))
        }
        #expect(pages == history.states[count] && numbers == numbers.sorted(), "seed \(seed)")
    }
}
