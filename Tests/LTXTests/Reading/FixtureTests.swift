import Foundation
import Testing

@testable import LTX

@Suite(.enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
struct FixtureTests {
    @Test(
        "Every file of a replica verifies under its name, and is read back from its index",
        arguments: Fixtures.replicas
    )
    func verifies(replica: String) throws {
        let paths = try Fixtures.files(below: replica)
        #expect(!paths.isEmpty)
        for path in paths {
            let source = try Fixtures.source(path)
            let name = try #require(LTXFileName((path as NSString).lastPathComponent))
            let verifier = LTXVerifier(source, bufferByteCount: 300)
            var pages: [UInt32: [UInt8]] = [:]
            let summary = try verifier.verify(as: name) { number, page, remainder in
                pages[number] = page.withUnsafeBytes { [UInt8]($0) }
                #expect(remainder == CRC64.remainder(of: page))
            }
            #expect(summary.pageCount == pages.count && summary.byteCount == source.byteCount)
            #expect(summary.header.encoded() == Array(try Fixtures.bytes(path)[..<100]), "\(path)")
            if summary.header.isSnapshot {
                #expect(summary.databaseChecksum == TestFile.databaseChecksum(pages), "\(path)")
            }

            let index = try LTXIndex(of: source)
            var cursor = LTXIndexCursor(index, of: source, header: summary.header, bufferByteCount: 1)
            var listed: [UInt32] = []
            while let entry = try cursor.next() { listed.append(entry.pageNumber) }
            #expect(listed == pages.keys.sorted(), "\(path)")
            #expect(try cursor.next() == nil)
            for number in listed.prefix(3) { #expect(try verifier.readPage(number) == pages[number], "\(path)") }
            #expect(try verifier.readPage(summary.header.commit + 1) == nil)
        }
    }

    @Test("Runs of frames decoded apart combine to the file checksum", arguments: Fixtures.replicas)
    func runs(replica: String) throws {
        var random = SeededGenerator(seed: 11)
        for path in try Fixtures.files(below: replica) {
            let bytes = try Fixtures.bytes(path)
            let source = MemorySource(bytes, name: path)
            let header = try LTXVerifier(source).readHeader()
            let index = try LTXIndex(of: source)
            var cursor = LTXIndexCursor(index, of: source, header: header)
            var cuts = [Int(index.framesRange.lowerBound)]
            while let entry = try cursor.next() {
                if random.next() % 3 == 0 { cuts.append(Int(entry.range.upperBound)) }
            }
            cuts.append(Int(index.framesRange.upperBound))
            var parts: [ChecksumPart] = []
            for (start, end) in zip(cuts, cuts.dropFirst()).reversed() {
                var decoder = FrameDecoder(pageSize: header.pageSize)
                let part = try decoder.decode(bytes.span.bytes.extracting(start..<end)) { _, _, _ in }
                parts.insert(part, at: 0)
            }
            var checksum = FileChecksum()
            checksum.update(bytes.span.bytes.extracting(0..<100))
            for part in parts { checksum.update(part) }
            checksum.update(bytes.span.bytes.extracting(Int(index.framesRange.upperBound)..<(bytes.count - 8)))
            #expect(checksum.value == index.trailer.fileChecksum, "\(path)")
        }
    }

    @Test("Frames copied into a new file under the same header give the same bytes", arguments: Fixtures.replicas)
    func copies(replica: String) throws {
        for path in try Fixtures.files(below: replica) where replica != "lz4-frames" {
            let bytes = try Fixtures.bytes(path)
            let source = MemorySource(bytes, name: path)
            let header = try LTXVerifier(source).readHeader()
            var cursor = LTXIndexCursor(try LTXIndex(of: source), of: source, header: header)
            var writer = try LTXWriter(pageSize: header.pageSize, sink: MemorySink())
            var page = [UInt8](repeating: 0, count: header.pageSize)
            while let entry = try cursor.next() {
                let frame = bytes.span.bytes.extracting(Int(entry.offset)..<Int(entry.range.upperBound))
                var span = page.mutableSpan
                var target = span.mutableBytes
                let decoded = try FrameDecoder(pageSize: header.pageSize).decodeFrame(in: frame, at: 0, into: &target)
                var block = FrameBlock(pageSize: header.pageSize)
                block.append(pageNumber: entry.pageNumber, copying: frame, remainder: decoded.remainder)
                try writer.append(block)
            }
            _ = try writer.finish(header: header)
            #expect(writer.sink.bytes == bytes, "\(path)")
        }
    }

    @Test(
        "A merge of a replica's restore plan gives the database that the reference reader restores",
        .enabled(if: Fixtures.hasReferenceReader, Comment(rawValue: Fixtures.missingReader)),
        arguments: Fixtures.replicas
    )
    func restores(replica: String) throws {
        let root = Fixtures.folder.appendingPathComponent("\(replica)/replica").path
        try Fixtures.withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("restored.db").path
            #expect(try Fixtures.reference(["restore", root, "-o", output]).status == 0)
            let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: output)))

            let inputs = try plan(root).map { try Fixtures.source("\(replica)/replica/ltx/\($0)") }
            let merger = try LTXMerger(inputs, bufferBudget: 1)
            let header = merger.header
            var database = [UInt8](repeating: 0, count: Int(header.commit) * header.pageSize)
            try merger.decodePages { number, page, _ in
                let start = Int(number - 1) * header.pageSize
                database.replaceSubrange(start..<(start + page.byteCount), with: page.withUnsafeBytes { [UInt8]($0) })
            }
            #expect(database == expected)

            let merged = try TestFile.merge(inputs)
            let file = folder.appendingPathComponent(merged.summary.header.fileName.description)
            try Data(merged.bytes).write(to: file)
            let check = try Fixtures.reference(["verify", file.path])
            #expect(check.status == 0, "\(check.output)")
            let again = folder.appendingPathComponent("again.db").path
            #expect(try Fixtures.reference(["restore", file.path, "-o", again]).status == 0)
            #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: again))) == expected)
        }
    }

    @Test("Levels that Litestream compacted come out of our merge byte for byte", arguments: Fixtures.replicas)
    func compactions(replica: String) throws {
        // Litestream encodes pages anew with the compressor that made them, so copying gives the same bytes.
        let files = try Fixtures.files(below: "\(replica)/replica/ltx").filter {
            replica != "lz4-frames" && !$0.isEmpty
        }
        var compared = 0
        for path in files where (1...8).contains(try level(path)) {
            let name = try #require(LTXFileName((path as NSString).lastPathComponent))
            let below = try files.filter { other in
                guard try level(other) == (try level(path)) - 1,
                    let range = LTXFileName((other as NSString).lastPathComponent)
                else { return false }
                return range.min >= name.min && range.max <= name.max
            }
            guard let first = below.first, let last = below.last,
                LTXFileName((first as NSString).lastPathComponent)?.min == name.min,
                LTXFileName((last as NSString).lastPathComponent)?.max == name.max
            else { continue }
            let merged = try TestFile.merge(try below.map(Fixtures.source))
            #expect(merged.bytes == (try Fixtures.bytes(path)), "\(path)")
            compared += 1
        }
        print("\(replica): \(compared) compacted files compared byte for byte")
    }

    private func level(_ path: String) throws -> Int {
        try #require(Int(((path as NSString).deletingLastPathComponent as NSString).lastPathComponent))
    }

    private func plan(_ root: String) throws -> [String] {
        struct Chain: Decodable {
            struct File: Decodable {
                let level: Int
                let minTxid: String
                let maxTxid: String
            }
            let plan: [File]
        }
        let text = try Fixtures.reference(["chain", "--json", root]).output
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let chain = try decoder.decode(Chain.self, from: Data(text.utf8))
        return chain.plan.map { "\($0.level)/\($0.minTxid)-\($0.maxTxid).ltx" }
    }
}
