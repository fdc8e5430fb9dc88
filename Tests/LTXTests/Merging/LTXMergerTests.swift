import Testing

@testable import LTX

@Suite struct LTXMergerTests {
    static let page = [UInt8](repeating: 3, count: 512)

    static func source(_ header: LTXHeader, _ numbers: [UInt32] = []) throws -> MemorySource {
        let pages = Dictionary(uniqueKeysWithValues: numbers.map { ($0, page) })
        return MemorySource(try TestFile.write(header, pages), name: header.fileName.description)
    }

    @Test("Inputs have one page size and continue one another; ranges may overlap")
    func chain() throws {
        func refusal(_ headers: [LTXHeader]) -> LTXError.Code? {
            do {
                _ = try TestFile.merge(try headers.map { try Self.source($0) })
                return nil
            } catch { return (error as? LTXError)?.code }
        }
        #expect(refusal([LTXHeader(512, commit: 9, 5, 5), LTXHeader(512, commit: 9, 6, 9)]) == nil)
        #expect(refusal([LTXHeader(512, commit: 9, 5, 7), LTXHeader(512, commit: 9, 3, 9)]) == nil)
        #expect(refusal([LTXHeader(512, commit: 9, 5, 5), LTXHeader(512, commit: 9, 7, 9)]) == .noncontiguousInputs)
        #expect(refusal([LTXHeader(512, commit: 9, 5, 9), LTXHeader(512, commit: 9, 6, 9)]) == .noncontiguousInputs)
        #expect(refusal([LTXHeader(512, commit: 9, 5, 9), LTXHeader(512, commit: 9, 6, 8)]) == .noncontiguousInputs)
        #expect(refusal([LTXHeader(512, commit: 9, 5, 5), LTXHeader(1024, commit: 9, 6, 9)]) == .noncontiguousInputs)
        #expect(
            refusal([LTXHeader(512, commit: 9, 5, .max), LTXHeader(512, commit: 9, 6, .max)]) == .noncontiguousInputs
        )
        #expect(refusal([]) == .noncontiguousInputs)
    }

    @Test("The header begins with the first input and ends with the last, without a place in the WAL")
    func header() throws {
        var first = LTXHeader(512, commit: 9, 5, 6, timestamp: 10, mark: SourceMark(checksum: 1))
        (first.walOffset, first.walByteCount, first.walSalt1, first.walSalt2) = (32, 5, 6, 7)
        var last = LTXHeader(512, commit: 8, 7, 9, timestamp: 20, mark: SourceMark(checksum: 2, epoch: 3))
        (last.walOffset, last.walByteCount, last.walSalt1, last.walSalt2) = (32, 5, 6, 7)
        let merged = try TestFile.merge([try Self.source(first, [9]), try Self.source(last, [1])])
        let expected = LTXHeader(512, commit: 8, 5, 9, timestamp: 20, mark: SourceMark(checksum: 2, epoch: 3))
        #expect(merged.summary.header == expected)
        #expect(try TestFile.pages(merged.bytes) == [1: Self.page])
    }

    @Test("A damaged page is found in an input of which nothing is used")
    func loser() throws {
        var random = SeededGenerator(seed: 3)
        var old = RawFile(LTXHeader(512, commit: 2, 1, 1))
        old.addBlock(1, random.bytes(512))
        old.addBlock(2, random.bytes(512))
        let new = try Self.source(LTXHeader(512, commit: 2, 2, 2), [1, 2])
        _ = try TestFile.merge([MemorySource(old.bytes, name: "old"), new])
        old.frames[1].data[100] ^= 1
        let error = #expect(throws: LTXError.self) {
            try TestFile.merge([MemorySource(old.bytes, name: "old"), new])
        }
        #expect(error?.code == .checksumMismatch && error?.message.contains("'old'") == true)
    }

    @Test("A progress callback sees every MiB, and what it throws stops the merge")
    func progress() throws {
        var random = SeededGenerator(seed: 4)
        let pages = Dictionary(uniqueKeysWithValues: (1...100).map { (UInt32($0), random.bytes(65536)) })
        let source = MemorySource(try TestFile.write(LTXHeader(65536, commit: 100, 1, 1), pages), name: "big")
        var reports: [Int64] = []
        let merger = try LTXMerger([source])
        #expect(merger.inputByteCount == source.byteCount)
        var writer = try LTXWriter(pageSize: 65536, sink: DiscardingSink())
        _ = try merger.merge(into: &writer) { reports.append($0) }
        #expect(reports.count >= 6 && reports.last == source.byteCount && reports == reports.sorted())

        struct Cancelled: Error {}
        let error = #expect(throws: LTXError.self) {
            var writer = try LTXWriter(pageSize: 65536, sink: DiscardingSink())
            _ = try LTXMerger([source]).merge(into: &writer) { _ in throw Cancelled() }
        }
        #expect(error?.code == .stopped && error?.cause is Cancelled)
    }

    @Test("A thousand small inputs are read within the budget")
    func budget() throws {
        final class Counting: LTXSource {
            let inner: MemorySource
            init(_ inner: MemorySource) { self.inner = inner }
            var name: String { inner.name }
            var byteCount: Int64 { inner.byteCount }
            func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
                #expect(buffer.count <= 4096)
                try inner.read(into: buffer, at: offset)
            }
        }
        var random = SeededGenerator(seed: 6)
        var pages: [UInt32: [UInt8]] = [:]
        var inputs: [any LTXSource] = []
        for id in 1...1000 {
            let changed = Dictionary(
                uniqueKeysWithValues: Set((0..<3).map { _ in UInt32(random.next() % 50 + 1) }).map {
                    ($0, random.bytes(512))
                }
            )
            pages.merge(changed) { $1 }
            let bytes = try TestFile.write(LTXHeader(512, commit: 50, UInt64(id) + 1, UInt64(id) + 1), changed)
            inputs.append(Counting(MemorySource(bytes, name: "\(id)")))
        }
        let merged = try TestFile.merge(inputs, bufferBudget: 4_000_000)
        #expect(try TestFile.pages(merged.bytes) == pages)
    }
}
