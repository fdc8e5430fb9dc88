/// Decides which file of a chain gives each page, from the page indexes alone.
///
/// Files are gone through from the newest to the oldest, so the first file that has a page gives it. A page that a file
/// in between had cut off does not come back with its older content; a conforming file has it again where the database
/// grew again.
///
/// The memory is one bit for each page of the result. Where the database is small enough, the newer owner of every page
/// is remembered as well, from which the checksum of each state along the chain can be computed.
struct PageOwners {
    /// Up to so many pages the newer owners are remembered, 4 bytes a page.
    static let tableLimit = 2 << 20

    /// The number of files in the chain.
    let fileCount: Int
    /// The result's size in pages.
    let pageCount: UInt32
    /// Pages that were given.
    private(set) var ownedCount = 0
    /// Whether ends are exact for pages that are not in the result as well.
    private(set) var isExact = true

    private var bits: [UInt64]
    /// For each page the file that gives it next, counted from the chain's first; `unset`: none after.
    private var table: [UInt32] = []
    private static let unset = UInt32.max
    /// The newer files with the sizes that are smaller than all between here and there: the nearest file is the last
    /// and has the largest size.
    private var cuts: [(file: Int, commit: UInt32)] = []
    private var current: (file: Int, commit: UInt32)

    init(fileCount: Int, pageCount: UInt32) {
        (self.fileCount, self.pageCount) = (fileCount, pageCount)
        bits = [UInt64](repeating: 0, count: Int(pageCount / 64) + 1)
        current = (fileCount, pageCount)
    }

    /// Begins with a file; files come from the last to the first.
    mutating func begin(file: Int, commit: UInt32) {
        if current.file < fileCount {
            // The file just left is now one of the newer ones; it hides larger ones behind it.
            while let last = cuts.last, last.commit >= current.commit { cuts.removeLast() }
            cuts.append(current)
        }
        current = (file, commit)
    }

    /// Takes note that the current file has a page.
    ///
    /// - Returns: The first file of the chain after which the database no longer holds this version of the page; the
    ///   number of files, where the result holds it.
    mutating func claim(_ page: UInt32) -> Int {
        var end = fileCount
        if let smallest = cuts.first, page > smallest.commit { end = firstCut(of: page) }
        if isExact, remember(page) {
            let next = table[Int(page)]
            table[Int(page)] = UInt32(truncatingIfNeeded: current.file)
            if next != Self.unset { end = Swift.min(end, Int(next)) }
        }
        guard page <= pageCount else { return isExact ? end : current.file }
        let (word, mask) = (Int(page / 64), UInt64(1) << UInt64(page % 64))
        guard bits[word] & mask == 0 else { return isExact ? end : current.file }
        // Cut off between: the page is not this file's, nor an older one's.
        guard end == fileCount else { return end }
        bits[word] |= mask
        ownedCount += 1
        return end
    }

    /// The lowest page of the result that no file gave, `lockPage` left out.
    func firstMissing(except lockPage: UInt32) -> UInt32? {
        guard pageCount > 0 else { return nil }
        for page in 1...pageCount where bits[Int(page / 64)] & (1 << UInt64(page % 64)) == 0 {
            if page != lockPage { return page }
        }
        return nil
    }

    /// Makes room in the table for a page; without room the ends are exact for the result's pages only.
    private mutating func remember(_ page: UInt32) -> Bool {
        guard page >= table.count else { return true }
        guard page < Self.tableLimit else {
            (isExact, table) = (false, [])
            return false
        }
        let size = Swift.min(Self.tableLimit, Swift.max(Int(page) + 1, Int(pageCount) + 1, 2 * table.count))
        table.append(contentsOf: repeatElement(Self.unset, count: size - table.count))
        return true
    }

    /// The first newer file whose size leaves the page out.
    private func firstCut(of page: UInt32) -> Int {
        var (low, high) = (0, cuts.count)
        while low < high {
            let middle = (low + high) / 2
            if cuts[middle].commit < page { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? cuts[low - 1].file : fileCount
    }
}
