import Testing

@testable import LTX

extension LTXHeader {
    /// A header for tests.
    init(
        _ pageSize: Int,
        commit: UInt32,
        _ min: UInt64,
        _ max: UInt64,
        timestamp: Int64 = 1_700_000_000_000,
        mark: SourceMark? = nil
    ) {
        self.init(
            pageSize: pageSize,
            commit: commit,
            minTXID: TransactionID(rawValue: min),
            maxTXID: TransactionID(rawValue: max),
            timestampMilliseconds: timestamp,
            sourceMark: mark
        )
    }
}

enum TestFile {
    /// A file with these pages, made by the writer.
    static func write(_ header: LTXHeader, _ pages: [UInt32: [UInt8]]) throws -> [UInt8] {
        var writer = try LTXWriter(pageSize: header.pageSize, sink: MemorySink())
        for (number, page) in pages.sorted(by: { $0.key < $1.key }) {
            try writer.append(pageNumber: number, page: page.span.bytes)
        }
        let summary = try writer.finish(header: header)
        #expect(summary.byteCount == Int64(writer.sink.bytes.count))
        return writer.sink.bytes
    }

    /// All pages of a file, which is verified on the way.
    static func pages(_ bytes: [UInt8], name: String = "test") throws -> [UInt32: [UInt8]] {
        var pages: [UInt32: [UInt8]] = [:]
        _ = try LTXVerifier(MemorySource(bytes, name: name)).verify { number, page, _ in
            pages[number] = page.withUnsafeBytes { [UInt8]($0) }
        }
        return pages
    }

    /// The error with which a file is refused, or `nil`.
    static func refusal(of bytes: [UInt8]) -> LTXError? {
        do throws(LTXError) {
            _ = try LTXVerifier(MemorySource(bytes, name: "test"), bufferByteCount: 300).verify()
            return nil
        } catch { return error }
    }

    static func merge(
        _ inputs: [any LTXSource],
        bufferBudget: Int = 24 << 20
    ) throws(LTXError) -> (bytes: [UInt8], summary: LTXFileSummary) {
        let merger = try LTXMerger(inputs, bufferBudget: bufferBudget)
        var writer = try LTXWriter(pageSize: merger.header.pageSize, sink: MemorySink())
        let summary = try merger.merge(into: &writer)
        return (writer.sink.bytes, summary)
    }

    /// The database checksum of pages, the plain way.
    static func databaseChecksum(_ pages: [UInt32: [UInt8]]) -> UInt64 {
        pages.reduce(0) { sum, page in
            var number: [UInt8] = []
            number.append(bigEndian: page.key)
            return sum ^ ReferenceCRC.checksum(number + page.value)
        }
    }
}
