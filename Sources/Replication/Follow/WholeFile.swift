import LTX

extension LTXHeader {
    /// How many pages a file has that holds the whole database: SQLite's lock page is in none.
    var wholePageCount: Int {
        let hasLockPage = commit >= LTXPageSize.lockPage(pageSize: pageSize)
        return Int(commit) - (hasLockPage ? 1 : 0)
    }
}

extension TransactionFileSource {
    /// Whether the file holds all pages of the database, by its index.
    func holdsEveryPage(_ header: LTXHeader) throws -> Bool {
        var cursor = LTXIndexCursor(try LTXIndex(of: self), of: self, header: header)
        var count = 0
        while try cursor.next() != nil { count += 1 }
        return count == header.wholePageCount
    }
}
