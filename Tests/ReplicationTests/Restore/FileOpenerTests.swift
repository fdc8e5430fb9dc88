import LTX
import NIOPosix
import ObjectStorage
import SystemPackage
import TestSupport
import Testing

@testable import Replication

@Suite struct FileOpenerTests {
    @Test(
        "A page index that is longer than what was fetched first is fetched in memory, or to a file if it is too long",
        arguments: [(limit: Int64(2 << 20), requests: 3), (limit: 16 << 10, requests: 7)]
    )
    func longIndex(_ row: (limit: Int64, requests: Int)) async throws {
        var history = TestHistory(pageSize: 512, seed: 11)
        history.commit(size: 10_000, pages: 1...10_000)
        try await withReplicaFolder { folder in
            let probe = ProbeStore(folder)
            let replica = Replica(store: probe, layout: .folder)
            try await history.put([(0, 1...1)], into: replica)
            let file = try #require(try await replica.list()[0].first)
            #expect(file.byteCount > OpenedFile.wholeByteCount)
            let before = probe.requests.count
            var opener = FileOpener(replica: replica, pool: .singleton, scratch: folder.appending("scratch"))
            opener.indexLimit = row.limit
            let opened = try await opener.open(file)
            #expect(probe.requests.count - before >= row.requests)
            var cursor = LTXIndexCursor(opened.index, of: opened.indexSource, header: opened.header)
            var pages: UInt32 = 0
            while let entry = try cursor.next() {
                pages += 1
                #expect(entry.pageNumber == pages)
            }
            #expect(pages == 10_000)
            #expect(try fileNames(in: folder) == ["ltx"])
        }
    }
}
