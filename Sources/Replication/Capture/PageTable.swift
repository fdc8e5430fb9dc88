import LTX

/// One checksum for each page of the captured database, and their sum, which is the database's checksum.
///
/// It takes 8 bytes a page in memory: 2 MiB for each GiB of 4 KiB pages. With it a lost position costs one read of
/// the database instead of an upload of it.
struct PageTable: Sendable, Equatable {
    /// The checksum of page 1, 2, …; 0 for the lock page, which takes no part.
    private(set) var entries: [UInt64] = []
    /// The exclusive or of all entries.
    private(set) var checksum: UInt64 = 0

    /// The number of pages.
    var count: UInt32 { UInt32(entries.count) }

    /// An empty database's table.
    init() {}

    /// Takes known entries.
    init(entries: [UInt64]) {
        self.entries = entries
        checksum = entries.reduce(0, ^)
    }

    /// The checksum of `page`, or `nil` past the end.
    subscript(page: UInt32) -> UInt64? {
        page >= 1 && page <= entries.count ? entries[Int(page) - 1] : nil
    }

    /// The checksum of the first `count` pages but for `pages`.
    func checksum(of count: UInt32, without pages: [UInt32]) -> UInt64 {
        let kept = min(Int(count), entries.count)
        var sum = checksum
        for entry in entries[kept...] { sum ^= entry }
        for page in pages where page <= kept { sum ^= entries[Int(page) - 1] }
        return sum
    }

    /// Sets the checksum of `page`, growing the table with zeros up to it.
    mutating func set(_ page: UInt32, _ value: UInt64) {
        precondition(page > 0, "pages count from 1")
        let index = Int(page) - 1
        if index >= entries.count {
            entries.append(contentsOf: repeatElement(0, count: index + 1 - entries.count))
        }
        checksum ^= entries[index] ^ value
        entries[index] = value
    }

    /// Makes the table `count` pages long: cut, or with zeros added.
    mutating func resize(to count: UInt32) {
        let count = Int(count)
        if count < entries.count {
            for entry in entries[count...] { checksum ^= entry }
            entries.removeLast(entries.count - count)
        } else if count > entries.count {
            entries.append(contentsOf: repeatElement(0, count: count - entries.count))
        }
    }
}
