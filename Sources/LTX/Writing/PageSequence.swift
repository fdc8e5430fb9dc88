/// The rules for the pages of one file: they ascend, leave out the lock page, and in a snapshot are complete.
struct PageSequence: Sendable {
    private let pageSize: Int
    private let lockPage: UInt32
    /// The highest page so far; 0 before the first.
    private(set) var last: UInt32 = 0
    private(set) var count = 0
    private var isGapless = true
    private var checksum = DatabaseChecksum.empty

    init(pageSize: Int) {
        self.pageSize = pageSize
        lockPage = LTXPageSize.lockPage(pageSize: pageSize)
    }

    /// Checks a page that is to be added next.
    func checkOrder(_ number: UInt32) throws(LTXError) {
        guard number > last else {
            throw LTXError(.invalidPageOrder, "Page \(number) stands after page \(last).")
        }
        guard number != lockPage else {
            throw LTXError(.invalidPageOrder, "Page \(number) is the lock page, which no file holds.")
        }
    }

    /// Adds the next page.
    mutating func add(_ number: UInt32, remainder: UInt64) throws(LTXError) {
        try checkOrder(number)
        isGapless = isGapless && (number == last + 1 || (number - 1 == lockPage && number - 2 == last))
        if isGapless {
            checksum ^= DatabaseChecksum.page(number: number, remainder: remainder, pageSize: pageSize)
        }
        (last, count) = (number, count + 1)
    }

    /// The checksum of a database of `commit` pages, if all of them were added.
    func databaseChecksum(commit: UInt32) -> UInt64? {
        let isComplete = isGapless && (last == commit || (commit == lockPage && last == commit - 1))
        return isComplete ? checksum : nil
    }

    /// Checks the pages against the header, after the last one.
    ///
    /// - Returns: The database checksum, if the file holds every page.
    func check(_ header: LTXHeader) throws(LTXError) -> UInt64? {
        guard last <= header.commit else {
            throw LTXError(
                .invalidPageOrder,
                "Page \(last) lies above the end of the database, which has \(header.commit) pages."
            )
        }
        let checksum = databaseChecksum(commit: header.commit)
        guard checksum != nil || !header.isSnapshot else {
            throw LTXError(
                .incompleteSnapshot,
                "The file begins at transaction 1, but holds only \(count) pages of a database of \(header.commit)."
            )
        }
        if let checksum, let mark = header.sourceMark, checksum != mark.checksum {
            throw LTXError(
                .checksumMismatch,
                "The pages are not those of the source: their database checksum is \(HexDigits.text(of: checksum)), "
                    + "the source's was \(HexDigits.text(of: mark.checksum))."
            )
        }
        return checksum
    }
}
