import TestSupport
import Testing

@testable import Replication

@Suite struct PageOwnersTests {
    /// A chain of files: the size after each, and its pages. New pages need not be there: files of others may lack them.
    private func randomChain(_ random: inout SeededGenerator, above base: UInt32) -> [(commit: UInt32, pages: [UInt32])]
    {
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
            let commit = base + UInt32.random(in: 1...30, using: &random)
            let pages = (base + 1...commit).filter { _ in random.happens(0.4) }
            return (commit, pages)
        }
    }

    /// For each version of a page the first file after which it is gone, found by looking at every file.
    private func end(of page: UInt32, from file: Int, in chain: [(commit: UInt32, pages: [UInt32])]) -> Int {
        chain.indices.first { $0 > file && (chain[$0].pages.contains(page) || chain[$0].commit < page) } ?? chain.count
    }

    @Test("Each version of a page lasts until a file replaces it or cuts it off")
    func ends() {
        var random = SeededGenerator.announced(for: "owners of pages")
        for round in 0..<400 {
            // Pages beyond the table: which versions the result has is still told rightly.
            let base = round.isMultiple(of: 4) ? UInt32(PageOwners.tableLimit) : 0
            let chain = randomChain(&random, above: base)
            var owners = PageOwners(fileCount: chain.count, pageCount: chain[chain.count - 1].commit)
            var owned: Set<UInt32> = []
            for file in chain.indices.reversed() {
                owners.begin(file: file, commit: chain[file].commit)
                for page in chain[file].pages {
                    let (found, expected) = (owners.claim(page), end(of: page, from: file, in: chain))
                    if base == 0 { #expect(found == expected, "round \(round), file \(file), page \(page)") }
                    #expect((found == chain.count) == (expected == chain.count), "round \(round)")
                    if found == chain.count { owned.insert(page) }
                }
            }
            #expect(owners.ownedCount == owned.count)
            #expect(owners.isExact == (base == 0 || chain.allSatisfy(\.pages.isEmpty)))
            let missing = (base + 1...owners.pageCount).first { !owned.contains($0) }
            if base == 0 {
                #expect(owners.firstMissing(except: 0) == missing, "round \(round)")
                let next = missing.flatMap { missing in
                    (1...owners.pageCount).first { $0 > missing && !owned.contains($0) }
                }
                if let missing { #expect(owners.firstMissing(except: missing) == next, "round \(round)") }
            }
        }
    }
}
